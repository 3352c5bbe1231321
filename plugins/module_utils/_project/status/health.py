# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How healthy the tasks of a service are, by their containers and by their targets. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..._core.target_groups import target_group_pairs
from ..._core.types import Json
from .project import Project

HEALTHY, DEGRADED, UNHEALTHY, STARTING = "healthy", "degraded", "unhealthy", "starting"
UNCHECKED, UNKNOWN = "unchecked", "unknown"
# States of targets that say nothing about the tasks that should run.
LEAVING = {"draining", "unused"}
# States of targets whose health checks fail.
FAILING = {"unhealthy", "unhealthy.draining"}


def health(project: Project, service: Json, tasks: Sequence[Json] | None) -> Json:
    """The health, and the counts that it follows from. Counts are None where they could not be read."""
    containers = _of_tasks(tasks)
    groups = target_group_pairs(service)
    targets = _of_targets(project, groups)
    return {
        "state": _state(containers, targets, has_targets=bool(groups)),
        "containers": containers,
        "targets": targets,
        "reasons": sorted(set(_reasons(project, groups))),
    }


def _state(containers: dict[str, int] | None, targets: dict[str, int] | None, *, has_targets: bool) -> str:
    checked = {state: count for state, count in (containers or {}).items() if state != UNKNOWN}
    counts = targets if has_targets else checked
    if counts is None or (not counts and containers is None):
        return UNKNOWN
    # Containers may fail where the load balancer has not noticed yet.
    failing = sum(counts.get(state, 0) for state in FAILING) or checked.get(UNHEALTHY, 0)
    healthy = counts.get(HEALTHY, 0)
    if failing:
        return DEGRADED if healthy else UNHEALTHY
    if healthy:
        return HEALTHY
    return STARTING if has_targets and (targets or containers) else UNCHECKED


def _of_tasks(tasks: Sequence[Json] | None) -> dict[str, int] | None:
    """Running tasks by the health of their containers, `unknown` if nothing checks them."""
    if tasks is None:
        return None
    running = (task for task in tasks if task.get("lastStatus") == "RUNNING")
    return dict(Counter(str(task.get("healthStatus") or UNKNOWN).lower() for task in running))


def _of_targets(project: Project, groups: Sequence[Sequence[str]]) -> dict[str, int] | None:
    """Targets by state, of the load balancer in which the fewest are healthy."""
    counted = []
    for arns in groups:
        found = [_targets(project, arn) for arn in arns]
        if any(targets is None for targets in found):
            return None
        states = [str(one["TargetHealth"]["State"]) for targets in found for one in targets or ()]
        counted.append(dict(Counter(state for state in states if state not in LEAVING)))
    return min(counted, key=lambda states: states.get(HEALTHY, 0), default={})


def _targets(project: Project, arn: str) -> list[Json] | None:
    """The targets of a group; None if they could not be read, as of a group of another project."""
    group = project.by_id.get(arn)
    targets = group["details"].get("TargetHealth") if group else None
    return None if targets is None else list(targets)


def _reasons(project: Project, groups: Sequence[Sequence[str]]) -> Iterator[str]:
    """Why targets are unhealthy, as the load balancer says."""
    for arn in (arn for arns in groups for arn in arns):
        for one in _targets(project, arn) or ():
            if one["TargetHealth"]["State"] in FAILING:
                yield str(one["TargetHealth"].get("Description") or one["TargetHealth"].get("Reason") or "")
