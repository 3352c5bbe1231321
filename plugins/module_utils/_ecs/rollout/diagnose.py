# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out why a rollout failed, from recorded tasks, logs, targets and events. No calls.

The texts that are recognised are those of
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html and of
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.error_codes import (
    CAUSES,
    CONTAINER_EXITED,
    LOAD_BALANCER_HEALTH_CHECK,
    OUT_OF_MEMORY,
    PORT_MISMATCH,
)
from ..._core.types import Json
from ..network.model import Network
from . import diagnose_network, diagnose_targets
from .symptoms import recognise
from .tasks import STOPPED_BY_REQUEST, task_id

# How many of each are returned, since a failing service repeats itself.
TASKS_SHOWN = 3
# Reasons with the same beginning are the same: further on they name the task or the moment.
REASON_START = 120
EVENTS_SHOWN = 5
LOG_LINES = 20


@dataclass(frozen=True)
class Evidence:
    """What was recorded of a failed rollout.

    `logs` has the last lines by (task id, container), `targets` the answers of DescribeTargetHealth by target group,
    `groups` those of DescribeTargetGroups, and `unread` a sentence on each thing that could not be read.
    """

    service: Json
    tasks: Sequence[Json] = ()
    task_definition: Json = field(default_factory=dict)
    logs: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    targets: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    groups: Mapping[str, Json] = field(default_factory=dict)
    # Read only if it may explain the failure.
    network: Network | None = None
    unread: Sequence[str] = ()
    since: t.Any = None


def diagnose(evidence: Evidence) -> dict[str, t.Any]:
    """The reason as data: failed tasks with their containers, targets, events, causes, and what to do."""
    tasks = [_task(alike, evidence) for alike in _alike(evidence.tasks)[:TASKS_SHOWN]]
    events = recent_events(evidence.service, evidence.since)
    targets = diagnose_targets.unhealthy(evidence.targets, evidence.groups, events)
    causes = _causes(tasks, targets, events, evidence)
    return {
        "causes": list(causes),
        "advice": [f"{finding or CAUSES[code].meaning} {CAUSES[code].remedy}" for code, finding in causes.items()],
        "tasks": tasks,
        "failed_task_count": len(evidence.tasks),
        "targets": targets,
        "events": events,
        "unread": [*evidence.unread, *(evidence.network.unread if evidence.network else ())],
    }


class LogPlace(t.NamedTuple):
    """The log stream of one container of a task in CloudWatch Logs."""

    container: str
    region: str
    group: str
    stream: str


def log_places(task: Json, task_definition: Json) -> list[LogPlace]:
    """The log streams of containers with the driver awslogs. Without a prefix, they are named by runtime IDs.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    """
    runtime = {item.get("name"): item.get("runtimeId", "") for item in task.get("containers") or ()}
    places = []
    for container in task_definition.get("containerDefinitions") or ():
        logging = container.get("logConfiguration") or {}
        options = logging.get("options") or {}
        name, prefix = container.get("name", ""), options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{name}/{task_id(task)}" if prefix else runtime.get(name, "")
        if logging.get("logDriver") == "awslogs" and stream:
            places.append(LogPlace(name, options.get("awslogs-region", ""), options.get("awslogs-group", ""), stream))
    return places


def worth_showing(tasks: Sequence[Json]) -> list[Json]:
    """The latest failed task for each different reason."""
    return [alike[0] for alike in _alike(tasks)][:TASKS_SHOWN]


def _alike(tasks: Sequence[Json]) -> list[list[Json]]:
    """The tasks grouped by the reason of their failure, the latest first."""
    kinds: dict[t.Any, list[Json]] = {}
    for task in sorted(tasks, key=_stopped_at, reverse=True):
        kinds.setdefault(_kind(task), []).append(task)
    return list(kinds.values())


def recent_events(service: Json, since: t.Any = None) -> list[str]:
    """The latest event messages of a service, newest first, none from before `since`."""
    events = [
        event
        for event in service.get("events") or ()
        if not (since and event.get("createdAt")) or event["createdAt"] >= since
    ]
    return [str(event.get("message", "")) for event in events[:EVENTS_SHOWN]]


def _task(alike: Sequence[Json], evidence: Evidence) -> dict[str, t.Any]:
    task = alike[0]
    return {
        "id": task_id(task),
        "alike": len(alike),
        "arn": task.get("taskArn", ""),
        "status": task.get("lastStatus", ""),
        "stop_code": task.get("stopCode", ""),
        "stopped_reason": task.get("stoppedReason", ""),
        "containers": [
            {
                "name": container.get("name", ""),
                "image": container.get("image", ""),
                "exit_code": container.get("exitCode"),
                "reason": container.get("reason", ""),
                "health": container.get("healthStatus", "UNKNOWN"),
                "log": list(evidence.logs.get((task_id(task), container.get("name", "")), ()))[-LOG_LINES:],
            }
            for container in task.get("containers") or ()
        ],
    }


def _causes(
    tasks: list[dict[str, t.Any]], targets: list[dict[str, t.Any]], events: list[str], evidence: Evidence
) -> dict[str, str]:
    """The codes of all recognised causes, each with details. Events count only if tasks and targets show nothing."""
    texts = [text for task in tasks for text in _texts(task)]
    codes = [known.cause for text in texts if (known := recognise(text))]
    if not codes and any(_ended_by_itself(task) for task in tasks):
        codes.append(CONTAINER_EXITED)
    findings = {code: _memory(tasks, evidence) if code == OUT_OF_MEMORY else "" for code in codes}
    if _ports_missing(evidence.service, evidence.task_definition):
        findings[PORT_MISMATCH] = ""
    elif of_targets := diagnose_targets.causes(targets, events, evidence.service, evidence.logs, evidence.groups):
        # These are more specific than the reason of the task.
        findings.pop(LOAD_BALANCER_HEALTH_CHECK, None)
        findings |= of_targets
    findings = findings or {known.cause: "" for text in events if (known := recognise(text))}
    if evidence.network is None:
        return findings
    return diagnose_network.refine(findings, [*texts, *events], evidence.service, evidence.network)


def _memory(tasks: list[dict[str, t.Any]], evidence: Evidence) -> str:
    """Which containers exceeded how much memory."""
    of_task = evidence.task_definition.get("memory")
    own = {item.get("name"): item.get("memory") for item in evidence.task_definition.get("containerDefinitions") or ()}
    killed = [
        container["name"]
        for task in tasks
        for container in task["containers"]
        if (known := recognise(container["reason"])) and known.cause == OUT_OF_MEMORY
    ]
    limits = {
        name: f"all of its {own[name]} MiB" if own.get(name) else f"all {of_task} MiB of the task" for name in killed
    }
    return " ".join(f"Container {name} used {limit}." for name, limit in limits.items() if own.get(name) or of_task)


def _texts(task: Json) -> Iterable[str]:
    yield f"{task['stop_code']} {task['stopped_reason']}"
    for container in task["containers"]:
        yield container["reason"]
        # A log may contain anything, so only that of a program which ended with an error counts.
        if container["exit_code"]:
            yield from container["log"][-5:]


def _ended_by_itself(task: Json) -> bool:
    if task["stop_code"] == STOPPED_BY_REQUEST:
        return False
    return task["stop_code"] == "EssentialContainerExited" or any(
        container["exit_code"] is not None for container in task["containers"]
    )


def _ports_missing(service: Json, task_definition: Json) -> bool:
    """Whether a load balancer refers to a port that its container does not have."""
    ports = {
        container.get("name"): {mapping.get("containerPort") for mapping in container.get("portMappings") or ()}
        for container in task_definition.get("containerDefinitions") or ()
    }
    return any(
        balancer.get("containerPort") not in ports[balancer.get("containerName")]
        for balancer in service.get("loadBalancers") or ()
        if balancer.get("containerName") in ports
    )


def _kind(task: Json) -> tuple[t.Any, ...]:
    exits = tuple((item.get("name"), item.get("exitCode"), item.get("reason")) for item in task.get("containers") or ())
    return task.get("stopCode"), str(task.get("stoppedReason"))[:REASON_START], exits


def _stopped_at(task: Json) -> float:
    moment = task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt")
    if moment is None:
        return 0.0
    return float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
