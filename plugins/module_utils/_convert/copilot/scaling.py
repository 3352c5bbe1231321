# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of tasks of a Copilot service. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.types import Json
from .manifest import seconds
from .project import Project

_METRICS = {
    "cpu_percentage": "cpu_utilization",
    "memory_percentage": "memory_utilization",
    "requests": "requests_per_target",
}


def apply(element: Json, count: t.Any, project: Project) -> None:
    """Sets the number of tasks, the scaling and where tasks run."""
    if not isinstance(count, Mapping):
        element["desired_count"] = 1 if count is None else int(count)
        return
    given = dict(count)
    spot = given.pop("spot", None)
    if spot is not None:
        element["desired_count"] = int(spot)
        element["options"]["capacity_provider_strategy"] = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    bounds = given.pop("range", None)
    if bounds is not None:
        found = _scaling(element, bounds, given, project)
        if found:
            element["scaling"] = found
    elif spot is None:
        element["desired_count"] = 1
    project.leftovers(given, f"{element['name']}.count")


def _scaling(element: Json, bounds: t.Any, given: Json, project: Project) -> Json:
    place = f"{element['name']}.count"
    least, most, spot_from = _bounds(bounds)
    if spot_from:
        strategy: list[Json] = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        if spot_from > 1:
            strategy.append({"capacityProvider": "FARGATE", "weight": 0, "base": spot_from - 1})
        element["options"]["capacity_provider_strategy"] = strategy
    scaling: Json = {"min_capacity": least, "max_capacity": most}
    cooldowns = [given.pop("cooldown", None)]
    for metric, option in _METRICS.items():
        target = given.pop(metric, None)
        if isinstance(target, Mapping):
            cooldowns.append(target.get("cooldown"))
            target = target.get("value")
        if target is not None:
            scaling[option] = target
    _queue(scaling, given, cooldowns, project, element["name"])
    if given.pop("response_time", None) is not None:
        project.notes.add(
            f"{place}.response_time",
            "Slipway scales by utilization, requests, queues and schedules, not by response time.",
            "Set requests_per_target to a value at which the response time is good.",
        )
    _cooldown(scaling, [one for one in cooldowns if one], project, place)
    if not scaling.keys() - {"min_capacity", "max_capacity", "scale_in_cooldown", "scale_out_cooldown"}:
        del scaling["min_capacity"], scaling["max_capacity"]
        element["desired_count"] = least
        return {}
    return scaling


def _bounds(bounds: t.Any) -> tuple[int, int, int]:
    if isinstance(bounds, Mapping):
        return int(bounds["min"]), int(bounds["max"]), int(bounds.get("spot_from") or 0)
    least, _dash, most = str(bounds).partition("-")
    return int(least), int(most or least), 0


def _queue(scaling: Json, given: Json, cooldowns: list[t.Any], project: Project, service: str) -> None:
    delay = given.pop("queue_delay", None)
    if not delay:
        return
    cooldowns.append(delay.get("cooldown"))
    each = seconds(delay.get("acceptable_latency", 60)) / seconds(delay.get("msg_processing_time", 1))
    name = project.missing("queue", service, f"the name of the SQS queue of {service}", QUEUE)
    scaling["queue"] = {"name": name, "messages_per_task": max(1.0, each)}
    # They count the tasks that run.
    project.variables["ecs_cluster_container_insights"] = "enabled"


QUEUE = "Copilot creates the queue and its subscriptions; Slipway does not."


def _cooldown(scaling: Json, cooldowns: list[Mapping[str, t.Any]], project: Project, place: str) -> None:
    for name, option in (("in", "scale_in_cooldown"), ("out", "scale_out_cooldown")):
        values = sorted({int(seconds(one[name])) for one in cooldowns if name in one})
        if values:
            scaling[option] = values[-1]
        if len(values) > 1:
            project.notes.add(
                f"{place}.cooldown",
                f"All scaling policies of a service share one {option}.",
                f"The longest is now used: {values[-1]} seconds.",
            )
