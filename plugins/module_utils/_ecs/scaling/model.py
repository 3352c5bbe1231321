# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scaling that a service has, the desired one, and what is wrong with that. Pure.

Scaling is a plain dict: bounds, policies and schedules by their names, below that AWS's spelling. The defaults are
those of https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html
"""

from __future__ import annotations

import re
import typing as t

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Resource, normalise
from ..._core.schedules import FORMS
from ..._core.tags import SCALING_TAG
from ..._core.types import Json
from . import queue

# The option of each metric that AWS keeps at a target by itself. A policy carries its metric's name.
METRICS = {
    "cpu_utilization": "ECSServiceAverageCPUUtilization",
    "memory_utilization": "ECSServiceAverageMemoryUtilization",
    "requests_per_target": "ALBRequestCountPerTarget",
}
DEFAULTS: Json = {"ScaleInCooldown": 300, "ScaleOutCooldown": 300, "DisableScaleIn": False}
TAG = {SCALING_TAG: "true"}

AT = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)")
CRON = re.compile(r"cron\((.+)\)")
TIMEZONE = re.compile(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*")
NAME = re.compile(r"[^:/|]{1,256}")


def validate(services: t.Sequence[Json]) -> None:
    """Fail with all that is wrong in the options of the services."""
    names = [one["name"] for one in services]
    found = [
        f"{name}: expected each name once, got it {names.count(name)} times"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    present = [one for one in services if one["state"] == "present"]
    found += [f"{one['name']}: {problem}" for one in present for problem in problems(one)]
    if found:
        raise SlipwayError(INVALID_OPTION, f"services, {'; '.join(found)}.", {"problems": found})


def problems(scaling: Resource) -> list[str]:
    """What is wrong with the scaling that is requested, one sentence each."""
    least, most = scaling.get("min_capacity"), scaling.get("max_capacity")
    if least is None or most is None:
        return [f"expected min_capacity and max_capacity, got {least} and {most}"]
    found = _bounds_problems(int(least), int(most))
    for option in ("cpu_utilization", "memory_utilization"):
        value = scaling.get(option)
        if value is not None and not 0 < float(value) <= 100:
            found.append(f"{option}: expected a percentage above 0 and up to 100, got {value}")
    requests = scaling.get("requests_per_target")
    if requests is not None and float(requests) <= 0:
        found.append(f"requests_per_target: expected a number above 0, got {requests}")
    for option in ("scale_in_cooldown", "scale_out_cooldown"):
        if scaling.get(option) is not None and int(scaling[option]) < 0:
            found.append(f"{option}: expected 0 seconds or more, got {scaling[option]}")
    found += queue.problems(scaling)
    schedules = scaling.get("schedules") or []
    names = [str(schedule.get("name")) for schedule in schedules]
    found += [
        f"schedules: expected each name once, got {name} {names.count(name)} times"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    found += [problem for schedule in schedules for problem in _schedule_problems(schedule)]
    return found or list(_contradictions(scaling, schedules))


def _contradictions(scaling: Resource, schedules: t.Sequence[Resource]) -> t.Iterator[str]:
    """Schedules with one limit that is beyond each value which the other one can have by then."""
    every = [scaling, *schedules]
    least = min(int(one["min_capacity"]) for one in every if one.get("min_capacity") is not None)
    most = max(int(one["max_capacity"]) for one in every if one.get("max_capacity") is not None)
    for schedule in schedules:
        where, lower, upper = (
            f"schedules, {schedule['name']}",
            schedule.get("min_capacity"),
            schedule.get("max_capacity"),
        )
        if lower is None and upper is not None and int(upper) < least:
            yield f"{where}: max_capacity: expected at least {least}, or a min_capacity, got {upper}"
        if upper is None and lower is not None and int(lower) > most:
            yield f"{where}: min_capacity: expected at most {most}, or a max_capacity, got {lower}"


def _bounds_problems(least: int, most: int) -> list[str]:
    if least < 0:
        return [f"min_capacity: expected 0 or more, got {least}"]
    return [f"min_capacity: expected at most max_capacity, {most}, got {least}"] if least > most else []


def _schedule_problems(schedule: Resource) -> t.Iterator[str]:
    name, expression = schedule.get("name"), str(schedule.get("schedule"))
    if not NAME.fullmatch(str(name or "")):
        yield f"schedules, name: expected up to 256 characters without :, / and |, got '{name or ''}'"
    if not is_schedule(expression):
        yield f"schedules, {name}: expected {FORMS}, got '{expression}'"
    if schedule.get("timezone") and not TIMEZONE.fullmatch(str(schedule["timezone"])):
        yield f"schedules, {name}: expected a time zone such as Asia/Seoul, got '{schedule['timezone']}'"
    least, most = schedule.get("min_capacity"), schedule.get("max_capacity")
    if least is None and most is None:
        yield f"schedules, {name}: expected min_capacity, max_capacity or both, got neither"
    else:
        for problem in _bounds_problems(int(least or 0), int(least or 0) if most is None else int(most)):
            yield f"schedules, {name}: {problem}"


def is_schedule(expression: str) -> bool:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html"""
    cron = CRON.fullmatch(expression)
    if not cron:
        return bool(AT.fullmatch(expression) or RATE.fullmatch(expression))
    fields = cron[1].split()
    return len(fields) == 6 and (fields[2] == "?") != (fields[4] == "?")


def desired_scaling(scaling: Resource, cluster: str, label: str) -> Json:
    """The scaling that is requested; `label` is what AWS calls load balancer and target group in one."""
    tracked = {
        metric: _policy(scaling, option, metric, label)
        for option, metric in METRICS.items()
        if scaling.get(option) is not None
    }
    return {
        "min_capacity": scaling["min_capacity"],
        "max_capacity": scaling["max_capacity"],
        "policies": normalise({**tracked, **queue.policies(scaling, cluster)}, queue.SETS),
        "alarms": normalise(queue.alarms(scaling, cluster), queue.SETS),
        "schedules": {
            schedule["name"]: _without_null(
                {
                    "Schedule": schedule["schedule"],
                    "Timezone": schedule.get("timezone") or "UTC",
                    "MinCapacity": schedule.get("min_capacity"),
                    "MaxCapacity": schedule.get("max_capacity"),
                }
            )
            for schedule in scaling.get("schedules") or ()
        },
        "tags": TAG,
    }


def _policy(scaling: Resource, option: str, metric: str, label: str) -> Json:
    specification = {
        "PredefinedMetricType": metric,
        **({"ResourceLabel": label} if option == "requests_per_target" else {}),
    }
    own = {"ScaleInCooldown": scaling.get("scale_in_cooldown"), "ScaleOutCooldown": scaling.get("scale_out_cooldown")}
    return {
        **DEFAULTS,
        **_without_null(own),
        "TargetValue": float(scaling[option]),
        "PredefinedMetricSpecification": specification,
    }


def _without_null(members: Json) -> Json:
    return {name: value for name, value in members.items() if value is not None}


class Found(t.NamedTuple):
    """What AWS answers of the scaling of one service."""

    target: Json | None
    policies: t.Sequence[Json]
    schedules: t.Sequence[Json]
    alarms: t.Sequence[Json]


def from_api(found: Found, tags: Json) -> Json:
    """The current scaling; empty without any."""
    target, policies, schedules, alarms = found
    names = {policy["PolicyARN"]: policy["PolicyName"] for policy in policies}
    owned = {
        "alarms": normalise({one["AlarmName"]: queue.alarm_from_api(one, names) for one in alarms}, queue.SETS),
        "tags": {name: text for name, text in tags.items() if name in TAG},
    }
    if target is None:
        return {name: value for name, value in owned.items() if value}
    return {
        "min_capacity": target["MinCapacity"],
        "max_capacity": target["MaxCapacity"],
        "policies": normalise({policy["PolicyName"]: _settings(policy) for policy in policies}, queue.SETS),
        "schedules": {
            action["ScheduledActionName"]: {
                "Schedule": action["Schedule"],
                "Timezone": action.get("Timezone") or "UTC",
                **_without_null(action.get("ScalableTargetAction") or {}),
            }
            for action in schedules
        },
        **owned,
    }


def _settings(policy: Json) -> Json:
    """What a policy does; of one of a kind that is not set here, its kind."""
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
    if tracking:
        return {**DEFAULTS, **_without_null(tracking)}
    return policy.get("StepScalingPolicyConfiguration") or {"PolicyType": policy["PolicyType"]}


def with_current_names(wanted: Json, current: Json) -> Json:
    """`wanted`, whose policies have the names of the current ones that follow the same metric, whoever named them."""
    existing = current.get("policies") or {}
    named: dict[str, list[str]] = {}
    for name, policy in existing.items():
        named.setdefault(_metric_of(policy), []).append(name)
    renamed = {}
    for name, policy in wanted["policies"].items():
        others = named.get(_metric_of(policy)) or []
        keeps = name not in existing and _metric_of(policy) and len(others) == 1
        renamed[others[0] if keeps else name] = policy
    return {**wanted, "policies": renamed}


def _metric_of(policy: Json) -> str:
    return str((policy.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType") or "")


def with_scheduled_bounds(wanted: Json, current: Json) -> Json:
    """`wanted`, with the bounds that a schedule has set meanwhile: a run by day does not undo the night."""
    if not current.get("schedules"):
        return wanted
    kept = {}
    for bound, member in (("min_capacity", "MinCapacity"), ("max_capacity", "MaxCapacity")):
        scheduled = {schedule.get(member) for schedule in wanted["schedules"].values()}
        if current[bound] in {wanted[bound], *scheduled}:
            kept[bound] = current[bound]
    return {**wanted, **kept} if len(kept) == 2 else wanted


def target_groups_of(options: Json, service: Json | None) -> set[str]:
    """ARNs of the target groups whose requests can be counted: the one that is named, or those of the service."""
    if options["target_group_arn"]:
        return {options["target_group_arn"]}
    balancers = (service or {}).get("loadBalancers") or ()
    return {balancer["targetGroupArn"] for balancer in balancers if balancer.get("targetGroupArn")}


def resource_label(load_balancer_arn: str, target_group_arn: str) -> str:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html"""
    if UNKNOWN in (load_balancer_arn, target_group_arn):
        return UNKNOWN
    return f"{load_balancer_arn.partition(':loadbalancer/')[2]}/{target_group_arn.rpartition(':')[2]}"
