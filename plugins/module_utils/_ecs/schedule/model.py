# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A group of schedules that run tasks: options, AWS's answers and requests. Pure; `now` is given.

A schedule is a plain dict in the spelling of CreateSchedule, with AWS's defaults filled in, times as text, and the
overrides of its task as data.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ..._core.error_codes import CONFLICT, INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.names import CLUSTER, arn_of, home_of, is_arn
from ..._core.plan import UNKNOWN, normalise
from ..._core.schedules import AT, next_run, problem_of
from ..._core.tags import PROJECT, carries, from_list
from ..._core.types import Json

# What a new group has that was not requested.
NEW: Json = {"arn": UNKNOWN, "tags": {}}
# AWS creates it in every account, everyone uses it, and it cannot be deleted.
DEFAULT_GROUP = "default"
# Lists that are sets.
SETS = {"Subnets": (), "SecurityGroups": (), "Tags": ("key",), "CapacityProviderStrategy": ("capacityProvider",)}
# AWS's own: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
# Of GetSchedule, what identifies a schedule and what only AWS sets.
_NO_SETTINGS = ("Arn", "CreationDate", "GroupName", "LastModificationDate", "Name", "ResponseMetadata")
_DATES = ("StartDate", "EndDate")
# Members of RunTask as EcsParameters calls them. It has neither volumes nor startedBy, which AWS sets.
_PARAMETERS = {
    "taskDefinition": "TaskDefinitionArn",
    "count": "TaskCount",
    "launchType": "LaunchType",
    "capacityProviderStrategy": "CapacityProviderStrategy",
    "platformVersion": "PlatformVersion",
    "placementConstraints": "PlacementConstraints",
    "placementStrategy": "PlacementStrategy",
    "group": "Group",
    "propagateTags": "PropagateTags",
    "enableECSManagedTags": "EnableECSManagedTags",
    "enableExecuteCommand": "EnableExecuteCommand",
    "tags": "Tags",
}
_NETWORK = {"subnets": "Subnets", "securityGroups": "SecurityGroups", "assignPublicIp": "AssignPublicIp"}


def validate(params: Mapping[str, t.Any]) -> None:
    """Fail with all that is wrong in the options."""
    schedules = params["schedules"] or ()
    found = [*_group_problems(params, schedules)]
    if params["state"] == "present":
        found += [f"schedules, {one['name']}, {problem}" for one in schedules for problem in problems(one)]
    if found:
        raise SlipwayError(INVALID_OPTION, f"{'. '.join(found)}.", {"problems": found})


def _group_problems(params: Mapping[str, t.Any], schedules: Sequence[Json]) -> Iterator[str]:
    if params["name"] == DEFAULT_GROUP:
        yield (
            "name: expected a separate group, got 'default', which AWS creates and others may use. Choose another name"
        )
    if schedules and params["state"] == "present" and not params["role_arn"]:
        yield "role_arn: expected the role that EventBridge Scheduler assumes to run the tasks, got none"
    names = [one["name"] for one in schedules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"schedules: expected each name once, got '{name}' {names.count(name)} times"


def problems(one: Json) -> Iterator[str]:
    """What is wrong with the options of one schedule, without a full stop."""
    if not one["schedule"]:
        yield "schedule: expected an expression, got none"
    elif problem := problem_of(one["schedule"], one["timezone"]):
        yield problem
    if not (one["service"] or one["task_definition"]):
        yield "service: expected a service, or task_definition, got neither"
    dates = {name: one[name] for name in ("start_date", "end_date") if one[name]}
    wrong = [name for name, text in dates.items() if moment_of(text) is None]
    for name in wrong:
        yield f"{name}: expected a date such as 2026-12-24T18:00:00Z, got '{dates[name]}'"
    if not wrong and len(dates) == 2 and _exact(dates["start_date"]) >= _exact(dates["end_date"]):
        yield f"end_date: expected one after start_date, {dates['start_date']}, got {dates['end_date']}"


def moment_of(text: str) -> datetime.datetime | None:
    """A time; in UTC, if it names no zone."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _exact(text: str) -> datetime.datetime:
    return moment_of(text) or datetime.datetime.max.replace(tzinfo=datetime.UTC)


def _text(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def from_api(answer: Json, now: datetime.datetime) -> Json:
    """A group from AWS's answer, its `Tags` and its `Schedules`."""
    return {
        "name": answer["Name"],
        "arn": answer["Arn"],
        "tags": from_list(answer["Tags"]),
        "schedules": {one["Name"]: schedule_from_api(one, now) for one in answer["Schedules"]},
    }


def schedule_from_api(answer: Json, now: datetime.datetime) -> Json:
    members = {name: value for name, value in answer.items() if name not in _NO_SETTINGS and value is not None}
    dates = {name: _text(members[name]) for name in _DATES if isinstance(members.get(name), datetime.datetime)}
    target = dict(members.get("Target") or {})
    if isinstance(target.get("Input"), str):
        target["Input"] = overrides(target["Input"])
    return _normal({**members, **dates, "Target": target}, now)


def overrides(text: str) -> t.Any:
    """The overrides of the task; what is no JSON as it is, so that it is replaced."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _normal(schedule: Json, now: datetime.datetime) -> Json:
    """A schedule with AWS's defaults, so that two are equal if they do the same.

    A start that has passed means nothing any more, and AWS refuses it in an update: "The StartDate you specify cannot
    be earlier than 5 minutes ago", as users report and moto repeats.
    """
    target = dict(schedule.get("Target") or {})
    target["RetryPolicy"] = {**RETRIES, **(target.get("RetryPolicy") or {})}
    if target.get("EcsParameters"):
        target["EcsParameters"] = _normal_parameters(target["EcsParameters"])
    defaults = {"ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE"}
    whole = {**defaults, **schedule, "Target": target}
    if whole.get("StartDate") and _exact(whole["StartDate"]) <= now:
        del whole["StartDate"]
    if not whole.get("Description"):
        whole.pop("Description", None)
    return normalise(whole, SETS)


def _normal_parameters(parameters: Json) -> Json:
    whole = {"TaskCount": 1, **parameters}
    network = dict((whole.get("NetworkConfiguration") or {}).get("awsvpcConfiguration") or {})
    if network:
        whole["NetworkConfiguration"] = {"awsvpcConfiguration": {"AssignPublicIp": "DISABLED", **network}}
    whole["CapacityProviderStrategy"] = [
        {"base": 0, "weight": 0, **item} for item in whole.get("CapacityProviderStrategy") or ()
    ]
    switches = ("EnableECSManagedTags", "EnableExecuteCommand")
    dropped = {name for name in switches if not whole.get(name)}
    dropped |= {"PlatformVersion"} if whole.get("PlatformVersion") == "LATEST" else set()
    return {name: value for name, value in whole.items() if name not in dropped}


def plain_strategy(parameters: Json) -> t.Any:
    """The capacity providers of EcsParameters with AWS's defaults, in one order."""
    strategy = {"CapacityProviderStrategy": parameters.get("CapacityProviderStrategy")}
    return normalise(_normal_parameters(strategy), SETS)["CapacityProviderStrategy"]


def plain_network(parameters: Json) -> t.Any:
    """The network of EcsParameters, likewise."""
    network = {"NetworkConfiguration": parameters.get("NetworkConfiguration")}
    return normalise(_normal_parameters(network), SETS).get("NetworkConfiguration")


def target(call: Json, one: Json, role_arn: str, cluster: str) -> Json:
    """The target of a schedule: what RunTask would be called with."""
    parameters = {_PARAMETERS[name]: value for name, value in call.items() if name in _PARAMETERS}
    network = (call.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if network:
        renamed = {_NETWORK[name]: value for name, value in network.items() if name in _NETWORK}
        parameters["NetworkConfiguration"] = {"awsvpcConfiguration": renamed}
    # EcsParameters knows no NONE, which is RunTask's default.
    if parameters.get("PropagateTags") == "NONE":
        del parameters["PropagateTags"]
    retries = {
        "MaximumRetryAttempts": one["maximum_retry_attempts"],
        "MaximumEventAgeInSeconds": one["maximum_event_age"],
    }
    queue = one["dead_letter_queue"]
    return {
        "Arn": cluster,
        "RoleArn": role_arn,
        "EcsParameters": parameters,
        "RetryPolicy": {name: value for name, value in retries.items() if value is not None},
        **({"Input": call["overrides"]} if call.get("overrides") else {}),
        **({"DeadLetterConfig": {"Arn": queue}} if queue else {}),
    }


def cluster_arn(cluster: str, service: Json, definition_arn: str) -> str:
    """The ARN of a cluster that may be given by its name: that of the service's, or in the home of the definition."""
    if is_arn(cluster):
        return cluster
    home = home_of(definition_arn)
    return str(service.get("clusterArn") or (arn_of(CLUSTER, cluster, home) if home else UNKNOWN))


def desired_schedule(one: Json, its_target: Json, current: Json | None, now: datetime.datetime) -> Json:
    """The schedule that is requested. What is omitted is AWS's default, except the key that encrypts it."""
    window = one["flexible_window"]
    dates = {"StartDate": one["start_date"], "EndDate": one["end_date"]}
    return _normal(
        {
            "ScheduleExpression": one["schedule"],
            "ScheduleExpressionTimezone": one["timezone"],
            "State": "ENABLED" if one["enabled"] else "DISABLED",
            "Description": one["description"],
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": window} if window else {"Mode": "OFF"},
            **{name: _text(_exact(text)) for name, text in dates.items() if text},
            "KmsKeyArn": (current or {}).get("KmsKeyArn"),
            "Target": its_target,
        },
        now,
    )


def is_over(one: Json, now: datetime.datetime) -> bool:
    """Whether a schedule never runs again. AWS refuses a time that has passed, so it is neither created nor updated."""
    if one["end_date"] and _exact(one["end_date"]) <= now:
        return True
    return bool(AT.fullmatch(one["schedule"])) and next_run(one["schedule"], one["timezone"], now, now) is None


def following(current: Json, revisions: Mapping[str, str]) -> Json:
    """The schedules, each with the revision that a service runs of its task definition, by family."""
    found = {}
    for name, schedule in current.items():
        parameters = (schedule.get("Target") or {}).get("EcsParameters") or {}
        revision = revisions.get(family_of(str(parameters.get("TaskDefinitionArn"))))
        renewed = {**parameters, "TaskDefinitionArn": revision} if revision else parameters
        found[name] = {**schedule, "Target": {**schedule["Target"], "EcsParameters": renewed}} if revision else schedule
    return found


def family_of(definition: str) -> str:
    return definition.rpartition("/")[2].partition(":")[0]


def request(group: str, name: str, schedule: Json) -> Json:
    """CreateSchedule's or UpdateSchedule's, which replaces every setting."""
    members = {member: value for member, value in schedule.items() if member not in _DATES}
    dates = {member: moment_of(schedule[member]) for member in _DATES if schedule.get(member)}
    its_target = dict(schedule["Target"])
    if "Input" in its_target and not isinstance(its_target["Input"], str):
        its_target["Input"] = json.dumps(its_target["Input"], sort_keys=True)
    return {"GroupName": group, "Name": name, **members, **dates, "Target": its_target}


def refuse_foreign(current: Json | None, match_tags: Mapping[str, str] | None) -> None:
    """A group with other tags is someone else's, with all of its schedules."""
    if current and match_tags and not carries(current["tags"], match_tags):
        wanted = ", ".join(f"{name}={text}" for name, text in sorted(match_tags.items()))
        message = (
            f"name: expected a schedule group with the tags {wanted}, got '{current['name']}' with other tags. Nothing"
            " was changed. Choose another name, or, if the group is yours, tag it."
        )
        raise SlipwayError(CONFLICT, message)


def unowned(current: Json | None, match_tags: Mapping[str, str] | None) -> list[str]:
    """The group, for people, if it is of no project yet."""
    is_of_none = current is not None and PROJECT in (match_tags or {}) and PROJECT not in current["tags"]
    return [f"schedule group {(current or {}).get('name')}"] if is_of_none else []
