# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules that run the task definitions of services, from EventBridge Scheduler to ecs_app_schedules. Pure.

Each is computed back and compared: one that differs from what the role would set is left to whoever created it.
"""

from __future__ import annotations

import datetime
import typing as t
from collections import Counter

from ..._core.names import last
from ..._core.notes import Note
from ..._core.plan import compare
from ..._core.types import Json
from ..arguments import SCHEDULE
from ..schedule import model
from ..task.model import request, runs_as

_NOTHING: Json = {name: option.get("default") for name, option in SCHEDULE.items()}
_ADVICE = "Runs do not change it. To manage it, add it to ecs_app_schedules and delete the old schedule."


class Schedules(t.NamedTuple):
    """`group` and `role_arn` are those of all `items`; empty without any."""

    items: list[Json]
    group: str
    role_arn: str
    notes: list[Note]


def elements(answers: t.Sequence[Json], services: t.Sequence[Json], now: datetime.datetime) -> Schedules:
    """The schedules of one group. A schedule cannot be moved, and AWS's own group belongs to nobody."""
    groups = Counter(str(one["GroupName"]) for one in answers if one["GroupName"] != model.DEFAULT_GROUP)
    group = max(sorted(groups), key=lambda name: groups[name]) if groups else ""
    roles = Counter(str(one["Target"].get("RoleArn")) for one in answers if one["GroupName"] == group)
    role = max(sorted(roles), key=lambda name: roles[name]) if roles else ""
    items, notes = [], []
    for answer in sorted(answers, key=lambda one: (str(one["GroupName"]), str(one["Name"]))):
        item, reason = _element(answer, services, now) if answer["GroupName"] == group else ({}, _wrong_group(group))
        if answer["GroupName"] == group and answer["Target"].get("RoleArn") != role:
            reason = f"the other schedules run with the role {role}"
        if reason:
            what = f"It cannot be expressed, because {reason}."
            notes.append(Note(f"schedules.{answer['GroupName']}/{answer['Name']}", what, _ADVICE))
        else:
            items.append(item)
    return Schedules(items, group if items else "", role if items else "", notes)


def _wrong_group(group: str) -> str:
    other = f", here {group}" if group else ""
    return f"the schedules of a project must be in its own group{other}, not in AWS's or another one"


def _family(answer: Json) -> str:
    return model.family_of(str((answer["Target"].get("EcsParameters") or {}).get("TaskDefinitionArn")))


def _element(answer: Json, services: t.Sequence[Json], now: datetime.datetime) -> tuple[Json, str]:
    """The schedule and, where it cannot be expressed, why. It gets the settings of the first service that fits."""
    given = answer["Target"].get("Input")
    if given and not isinstance(model.overrides(given) if isinstance(given, str) else given, dict):
        return {}, "its input is not a JSON object with overrides"
    reason = f"no imported service runs the family {_family(answer)}"
    found: Json = {}
    for service in services:
        if model.family_of(str(service.get("taskDefinition"))) == _family(answer):
            found = {"name": answer["Name"], "service": service["serviceName"], **_settings(answer, service)}
            reason = _difference(answer, service, found, now)
            if not reason:
                return found, ""
    return found, reason


def _settings(answer: Json, service: Json) -> Json:
    target, window = answer["Target"], answer.get("FlexibleTimeWindow") or {}
    retries = target.get("RetryPolicy") or {}
    given = {
        "schedule": answer["ScheduleExpression"],
        "timezone": answer.get("ScheduleExpressionTimezone"),
        "enabled": False if answer.get("State") == "DISABLED" else None,
        "description": answer.get("Description") or None,
        "start_date": _text(answer.get("StartDate")),
        "end_date": _text(answer.get("EndDate")),
        "flexible_window": window.get("MaximumWindowInMinutes"),
        "maximum_retry_attempts": _unless(retries, "MaximumRetryAttempts"),
        "maximum_event_age": _unless(retries, "MaximumEventAgeInSeconds"),
        "dead_letter_queue": (target.get("DeadLetterConfig") or {}).get("Arn"),
        **_overrides(target.get("Input")),
        **_task(target.get("EcsParameters") or {}, service),
    }
    return {name: value for name, value in given.items() if value is not None}


def _text(moment: t.Any) -> str | None:
    if not isinstance(moment, datetime.datetime):
        return moment or None
    return moment.astimezone(datetime.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _unless(retries: Json, member: str) -> int | None:
    """AWS fills in its own."""
    return None if retries.get(member) == model.RETRIES[member] else retries.get(member)


def _overrides(given: t.Any) -> Json:
    """The overrides of the task; those of one container under the names that the role has for them."""
    found = model.overrides(given) if isinstance(given, str) else given
    if not found:
        return {}
    containers = found.get("containerOverrides") if isinstance(found, dict) else None
    if isinstance(containers, list) and len(containers) == 1 and set(found) == {"containerOverrides"}:
        [one] = containers
        if set(one) <= {"name", "command", "environment"} and set(one) & {"command", "environment"}:
            environment = {item["name"]: item.get("value", "") for item in one.get("environment") or ()}
            plain = {"container": one["name"], "command": one.get("command"), "environment": environment or None}
            return {name: value for name, value in plain.items() if value is not None}
    return {"overrides": found}


def _task(parameters: Json, service: Json) -> Json:
    """Where the tasks run, unless it is where those of the service do."""
    given: Json = {}
    if parameters.get("TaskCount", 1) != 1:
        given["count"] = parameters["TaskCount"]
    if parameters.get("CapacityProviderStrategy"):
        if model.plain_strategy(parameters) != model.plain_strategy(_parameters_of(service)):
            given["capacity_provider_strategy"] = parameters["CapacityProviderStrategy"]
    elif parameters.get("LaunchType") and parameters["LaunchType"] != _parameters_of(service).get("LaunchType"):
        given["launch_type"] = parameters["LaunchType"]
    network = (parameters.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    if network and model.plain_network(parameters) != model.plain_network(_parameters_of(service)):
        members = {name[0].lower() + name[1:]: value for name, value in network.items()}
        given["network_configuration"] = {"awsvpcConfiguration": members}
    return given


def _parameters_of(service: Json) -> Json:
    call = request(str(service["clusterArn"]), runs_as(service), {}, {})
    one = {**_NOTHING, "maximum_retry_attempts": None}
    return dict(model.target(call, one, "", "")["EcsParameters"])


def _difference(answer: Json, service: Json, given: Json, now: datetime.datetime) -> str:
    """What a run would change of the schedule; empty where nothing."""
    options = {**_NOTHING, **given}
    call = _call(service, options)
    its_target = model.target(call, options, str(answer["Target"].get("RoleArn")), str(service["clusterArn"]))
    current = model.schedule_from_api(answer, now)
    wanted = model.desired_schedule(options, its_target, current, now)
    planned = compare(current, wanted, model.SETS)
    names = sorted({*_leaves(planned.before), *_leaves(planned.after)} - {"TaskDefinitionArn"})
    if names:
        return f"the settings of the service {service['serviceName']} would change its {', '.join(names)}"
    if planned.changed:
        runs = last((answer["Target"].get("EcsParameters") or {}).get("TaskDefinitionArn"))
        return f"it runs {runs}, and the service {service['serviceName']} runs {last(service['taskDefinition'])}"
    return ""


def _call(service: Json, options: Json) -> Json:
    """What RunTask would be called with."""
    environment = [{"name": name, "value": value} for name, value in (options["environment"] or {}).items()]
    container = {
        "name": options["container"],
        **({"command": options["command"]} if options["command"] else {}),
        **({"environment": environment} if environment else {}),
    }
    overrides = options["overrides"] or ({"containerOverrides": [container]} if len(container) > 1 else {})
    given = {
        "count": options["count"],
        "launchType": options["launch_type"],
        "capacityProviderStrategy": options["capacity_provider_strategy"],
        "networkConfiguration": options["network_configuration"],
        "taskDefinition": service["taskDefinition"],
    }
    return request(str(service["clusterArn"]), runs_as(service), given, overrides)


def _leaves(value: t.Any, name: str = "") -> t.Iterator[str]:
    """The innermost names of what differs."""
    if isinstance(value, dict) and value:
        for member, inner in value.items():
            yield from _leaves(inner, str(member))
    elif name:
        yield name
