# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scaling of a service, from answers of Application Auto Scaling to ecs_app_services[].scaling. Pure.

What is written is computed back and compared with the answers: scaling that differs in anything is left to whoever set
it, as a run would change it otherwise.
"""

from __future__ import annotations

import typing as t

from ..._core.names import last
from ..._core.notes import Note
from ..._core.plan import compare
from ..._core.types import Json
from ..scaling import queue
from ..scaling.model import METRICS, Found, desired_scaling, from_api, problems, with_current_names

_OPTIONS = {metric: option for option, metric in METRICS.items()}
_COOLDOWNS = {"scale_in_cooldown": "ScaleInCooldown", "scale_out_cooldown": "ScaleOutCooldown"}
_DEFAULT_COOLDOWN = 300


def element(service: Json, found: Found) -> tuple[Json | None, Note | None]:
    """The scaling as the role takes it; None where there is none, or with the reason where it cannot be expressed."""
    if found.target is None:
        return None, None
    reasons = [*_target_reasons(found.target), *_policy_reasons(service, found), *_schedule_reasons(found.schedules)]
    given = _scaling(found)
    if not reasons:
        reasons = [*problems(given), *_differences(service, found, given)]
    if not reasons:
        return given, None
    return None, Note(
        f"services.{service['serviceName']}.scaling",
        f"It cannot be expressed because {'; '.join(dict.fromkeys(reasons))}.",
        "Runs do not change it or the number of tasks. To manage it, set scaling of the service, which replaces all"
        " of its policies.",
    )


def _target_reasons(target: Json) -> t.Iterator[str]:
    suspended = sorted(name for name, value in (target.get("SuspendedState") or {}).items() if value)
    if suspended:
        yield f"it is suspended ({', '.join(suspended)})"


def _tracking(policy: Json) -> Json:
    return dict(policy.get("TargetTrackingScalingPolicyConfiguration") or {})


def _metric(policy: Json) -> str:
    return str((_tracking(policy).get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType") or "")


def _policy_reasons(service: Json, found: Found) -> t.Iterator[str]:
    policies = [one for one in found.policies if one["PolicyName"] not in (queue.TRACKING, queue.STARTING)]
    for policy in policies:
        what = f"the policy {policy['PolicyName']}"
        if policy["PolicyType"] != "TargetTrackingScaling":
            yield f"{what} is of the type {policy['PolicyType']}, not target tracking"
        elif _metric(policy) not in _OPTIONS:
            yield f"{what} follows a metric other than CPU, memory and requests"
        elif _tracking(policy).get("DisableScaleIn"):
            yield f"{what} never stops tasks"
    metrics = [_metric(policy) for policy in policies]
    yield from (f"two policies follow {metric}" for metric in sorted(set(metrics)) if metrics.count(metric) > 1)
    for member in _COOLDOWNS.values():
        if len({_tracking(policy).get(member, _DEFAULT_COOLDOWN) for policy in policies}) > 1:
            yield f"its policies differ in {member}"
    yield from _label_reasons(service, policies)


def _label_reasons(service: Json, policies: t.Sequence[Json]) -> t.Iterator[str]:
    """Requests are counted at the first target group of the service."""
    groups = [str(one.get("targetGroupArn") or "") for one in service.get("loadBalancers") or ()]
    for policy in policies:
        label = str((_tracking(policy).get("PredefinedMetricSpecification") or {}).get("ResourceLabel") or "")
        if label and not (groups and groups[0].endswith(label[label.find("targetgroup/") :])):
            yield f"the policy {policy['PolicyName']} counts requests of another target group than the service's first"


def _schedule_reasons(schedules: t.Sequence[Json]) -> t.Iterator[str]:
    for action in schedules:
        for member in ("StartTime", "EndTime"):
            if action.get(member):
                yield f"the scheduled action {action['ScheduledActionName']} has a {member}"


def _scaling(found: Found) -> Json:
    target = found.target or {}
    tracked = [policy for policy in found.policies if _metric(policy) in _OPTIONS]
    values = {_OPTIONS[_metric(policy)]: _number(_tracking(policy).get("TargetValue")) for policy in tracked}
    return {
        "min_capacity": target["MinCapacity"],
        "max_capacity": target["MaxCapacity"],
        **values,
        **_queue(found.policies),
        **_cooldowns(found.policies),
        **({"schedules": [_schedule(action) for action in found.schedules]} if found.schedules else {}),
    }


def _number(given: t.Any) -> float | int:
    value = float(given or 0)
    return int(value) if value.is_integer() else value


def _cooldowns(policies: t.Sequence[Json]) -> Json:
    tracking = [_tracking(policy) for policy in policies if _tracking(policy)]
    return {
        option: tracking[0][member]
        for option, member in _COOLDOWNS.items()
        if tracking and tracking[0].get(member) not in (None, _DEFAULT_COOLDOWN)
    }


def _queue(policies: t.Sequence[Json]) -> Json:
    """The queue that this collection's own policy follows."""
    for policy in policies:
        if policy["PolicyName"] == queue.TRACKING and _tracking(policy):
            metrics = (_tracking(policy).get("CustomizedMetricSpecification") or {}).get("Metrics") or []
            stats = [((one.get("MetricStat") or {}).get("Metric") or {}) for one in metrics]
            names = [
                one.get("Value")
                for stat in stats
                for one in stat.get("Dimensions") or ()
                if one.get("Name") == "QueueName"
            ]
            target = _number(_tracking(policy).get("TargetValue"))
            return {"queue": {"name": names[0], "messages_per_task": target}} if names else {}
    return {}


def _schedule(action: Json) -> Json:
    bounds = action.get("ScalableTargetAction") or {}
    given = {
        "name": action["ScheduledActionName"],
        "schedule": action["Schedule"],
        "timezone": action.get("Timezone"),
        "min_capacity": bounds.get("MinCapacity"),
        "max_capacity": bounds.get("MaxCapacity"),
    }
    return {name: value for name, value in given.items() if value is not None}


def _differences(service: Json, found: Found, given: Json) -> t.Iterator[str]:
    """Members that would change if a run set what is written."""
    current = from_api(found, {})
    labels = [
        str((_tracking(policy).get("PredefinedMetricSpecification") or {}).get("ResourceLabel") or "")
        for policy in found.policies
    ]
    options = {"name": service["serviceName"], **given}
    wanted = desired_scaling(options, last(service["clusterArn"]), next((one for one in labels if one), ""))
    wanted = with_current_names({**wanted, "tags": {}}, current)
    for member in sorted(compare({"tags": {}, **current}, wanted).members):
        yield f"its {member} differ from what Slipway would set"
