# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read of a service at one moment: its tasks and their targets. No calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.types import Json
from .deployments import Deployment
from .health_checks import STATES_SERVING
from .tasks import addresses, belongs_to, is_running, is_unhealthy, task_id


@dataclass(frozen=True)
class Snapshot:
    """What was read of a service at one moment.

    `targets` maps target groups to the answers of DescribeTargetHealth, `groups` to those of DescribeTargetGroups,
    which are read only if a target is unhealthy.
    """

    service: Json
    service_deployment: Json | None = None
    tasks: Sequence[Json] = ()
    targets: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    groups: Mapping[str, Json] = field(default_factory=dict)


def state_of(target: Json) -> str:
    return str(target.get("TargetHealth", {}).get("State", ""))


def own_targets(targets: Sequence[Json], tasks: Sequence[Json]) -> list[tuple[str, Json]]:
    """The targets of a target group that belong to the tasks, each with the ID of its task.

    They are matched by address. If targets are EC2 instances, or no address is known, all belong to them, each under
    its own name.
    """
    known = {address: task_id(task) for task in tasks for address in addresses(task)}
    if known and not any(str(item["Target"]["Id"]).startswith("i-") for item in targets):
        return [(known[item["Target"]["Id"]], item) for item in targets if item["Target"]["Id"] in known]
    return [(f"{item['Target']['Id']}:{item['Target'].get('Port')}", item) for item in targets]


def serving(targets: Sequence[Json], tasks: Sequence[Json]) -> int:
    """How many of the tasks get traffic from a target group."""
    return sum(state_of(item) in STATES_SERVING for _owner, item in own_targets(targets, tasks))


def failing_tasks(snapshot: Snapshot, deployment: Deployment) -> list[Json]:
    """The tasks that are not running yet, and those of the deployment that fail a health check."""
    own = [task for task in snapshot.tasks if is_running(task) and belongs_to(task, deployment)]
    failing = {
        owner
        for targets in snapshot.targets.values()
        for owner, item in own_targets(targets, own)
        if state_of(item) == "unhealthy"
    }
    starting = [task for task in snapshot.tasks if task.get("lastStatus") not in ("RUNNING", "STOPPED")]
    return [*starting, *(task for task in own if is_unhealthy(task) or task_id(task) in failing)]
