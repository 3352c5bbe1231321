# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say why a rollout failed, from what was recorded: tasks, logs, targets and events. No calls.

The texts that are recognised are those of
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html and of
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.error_codes import (
    CAUSES,
    COMMAND_MISSING,
    CONTAINER_EXITED,
    CONTAINER_HEALTH_CHECK,
    IMAGE_MISSING,
    LOAD_BALANCER_HEALTH_CHECK,
    LOG_GROUP_MISSING,
    NO_ADDRESSES,
    NO_CAPACITY,
    OUT_OF_MEMORY,
    PORT_IN_USE,
    PORT_MISMATCH,
    REGISTRY_DENIED,
    REGISTRY_LIMIT,
    REGISTRY_UNREACHABLE,
    ROLE_REFUSED,
    SECRET_DENIED,
    SECRET_KEY_MISSING,
    SECRET_MISSING,
    SPOT_INTERRUPTED,
    VOLUME_FAILED,
    WRONG_PLATFORM,
)
from ..._core.types import Json
from . import targets as target_diagnosis
from .judge import task_id

# So many of each are told; a failing service repeats itself.
TASKS_SHOWN = 3
# Reasons are alike when they begin alike: further on they name the task or the moment.
REASON_START = 120
EVENTS_SHOWN = 5
LOG_LINES = 20


class Symptom(t.NamedTuple):
    """A text of AWS or Docker, and the cause that it stands for."""

    cause: str
    pattern: re.Pattern[str]


def _symptom(cause: str, pattern: str) -> Symptom:
    return Symptom(cause, re.compile(pattern, re.IGNORECASE | re.DOTALL))


_PULL = r"CannotPull|pull image|pulling image|failed to resolve ref|registry auth"
# The first that matches a text wins: from the particular to the general.
SYMPTOMS = (
    _symptom(
        SECRET_DENIED,
        r"(secret|ssm|parameter).*(AccessDenied|not authorized)",
    ),
    _symptom(
        SECRET_MISSING,
        r"can't find the specified secret|unable to retrieve secret|invalid ssm parameters|ParameterNotFound"
        r"|secret.*(ResourceNotFound|marked for deletion)",
    ),
    _symptom(
        SECRET_KEY_MISSING,
        r"did not contain json key|unable to retrieve json key",
    ),
    _symptom(
        REGISTRY_LIMIT,
        r"toomanyrequests|pull rate limit",
    ),
    _symptom(
        WRONG_PLATFORM,
        r"no matching manifest|does not contain descriptor matching platform|exec format error",
    ),
    _symptom(
        REGISTRY_UNREACHABLE,
        rf"({_PULL}|ResourceInitializationError).*(i/o timeout|connection issue|context deadline exceeded"
        r"|request canceled|no such host|no route to host|connection refused|network is unreachable|dial tcp)",
    ),
    _symptom(
        IMAGE_MISSING,
        rf"({_PULL}).*(not found|manifest unknown|NotFound|does not exist)|No such image|ImageNotFound",
    ),
    _symptom(
        REGISTRY_DENIED,
        rf"({_PULL}).*(denied|403|401|Forbidden|Unauthorized|not authorized|no basic auth)",
    ),
    _symptom(
        LOG_GROUP_MISSING,
        r"log group does not exist|failed to create Cloudwatch log stream",
    ),
    _symptom(
        VOLUME_FAILED,
        r"EFS utils|failed to mount|mount\.nfs|EBS volume.*(fail|unable)",
    ),
    _symptom(
        ROLE_REFUSED,
        r"unable to assume the role|not authorized to perform: sts:AssumeRole",
    ),
    _symptom(
        OUT_OF_MEMORY,
        r"OutOfMemory|out of memory|memory usage",
    ),
    _symptom(
        COMMAND_MISSING,
        r"executable file not found|exec: .*no such file or directory|CannotStartContainer.*(no such file|not found)",
    ),
    _symptom(
        LOAD_BALANCER_HEALTH_CHECK,
        r"failed ELB health checks",
    ),
    _symptom(
        CONTAINER_HEALTH_CHECK,
        r"failed container health checks",
    ),
    _symptom(
        NO_ADDRESSES,
        r"InsufficientFreeAddresses|enough free (private )?(ip )?addresses",
    ),
    _symptom(
        NO_CAPACITY,
        r"unable to place a task|RESOURCE:|Capacity is unavailable|insufficient capacity|No Container Instances",
    ),
    _symptom(
        SPOT_INTERRUPTED,
        r"Spot(Interruption| Task was interrupted)|spot interruption",
    ),
    _symptom(
        PORT_IN_USE,
        r"port is already allocated|address already in use",
    ),
)

_EXIT_CODES = {
    126: "the command cannot be executed",
    127: "the command was not found",
    137: "killed, often for want of memory",
    139: "segmentation fault",
    143: "terminated by a signal",
}


@dataclass(frozen=True)
class Evidence:
    """What was recorded about a failed rollout.

    `logs` has the last lines by (task id, container); `targets` the answers of DescribeTargetHealth by target group,
    `groups` those of DescribeTargetGroups; `unread` what could not be read, in a sentence each.
    """

    service: Json
    tasks: Sequence[Json] = ()
    task_definition: Json = field(default_factory=dict)
    logs: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    targets: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    groups: Mapping[str, Json] = field(default_factory=dict)
    unread: Sequence[str] = ()
    since: t.Any = None


def diagnose(evidence: Evidence) -> dict[str, t.Any]:
    """The structured reason: failed tasks with their containers, targets, events, causes, and what to do."""
    tasks = [_task(alike, evidence) for alike in _alike(evidence.tasks)[:TASKS_SHOWN]]
    targets = target_diagnosis.unhealthy(evidence.targets, evidence.groups)
    events = recent_events(evidence.service, evidence.since)
    causes = _causes(tasks, targets, events, evidence)
    return {
        "causes": list(causes),
        "advice": [f"{finding} {advice_of(code)}".strip() for code, finding in causes.items()],
        "tasks": tasks,
        "failed_task_count": len(evidence.tasks),
        "targets": targets,
        "events": events,
        "unread": list(evidence.unread),
    }


class LogPlace(t.NamedTuple):
    """Where one container of a task writes its output in CloudWatch Logs."""

    container: str
    region: str
    group: str
    stream: str


def log_places(task: Json, task_definition: Json) -> list[LogPlace]:
    """Where the containers with the driver awslogs write: without a prefix, into streams named by the runtime's ids.

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
    """The latest failed task of each different way to fail."""
    return [alike[0] for alike in _alike(tasks)][:TASKS_SHOWN]


def _alike(tasks: Sequence[Json]) -> list[list[Json]]:
    """The tasks, grouped by how they failed, the latest first."""
    kinds: dict[t.Any, list[Json]] = {}
    for task in sorted(tasks, key=_stopped_at, reverse=True):
        kinds.setdefault(_kind(task), []).append(task)
    return list(kinds.values())


def recent_events(service: Json, since: t.Any = None) -> list[str]:
    """The latest event messages of a service, the newest first, none from before `since`."""
    events = [
        event
        for event in service.get("events") or ()
        if not (since and event.get("createdAt")) or event["createdAt"] >= since
    ]
    return [str(event.get("message", "")) for event in events[:EVENTS_SHOWN]]


def render(headline: str, failure: Json) -> str:
    """The essentials as text: what happened, why, and what to do."""
    lines = [headline]
    for task in failure["tasks"]:
        lines += _task_lines(task)
    for target in failure["targets"]:
        check = f" ({target['check']})" if target["check"] else ""
        lines.append(f"Target {target['target']} is {target['state']}: {target['reason']}{check}")
    lines += [f"Event: {event}" for event in failure["events"]]
    lines += [f"What to do: {advice}" for advice in failure["advice"]]
    lines += [f"Not known: {gap}" for gap in failure["unread"]]
    return "\n".join(lines)


def _task_lines(task: Json) -> Iterable[str]:
    more = f" (and {task['alike'] - 1} more like it)" if task["alike"] > 1 else ""
    reason = task["stopped_reason"] or task["stop_code"] or f"is {task['status']}"
    yield f"Task {task['id']}{more}: {reason}"
    for container in task["containers"]:
        facts = []
        if container["exit_code"] is not None:
            meaning = _EXIT_CODES.get(container["exit_code"])
            facts.append(f"exit code {container['exit_code']}" + (f" ({meaning})" if meaning else ""))
        if container["reason"]:
            facts.append(container["reason"])
        if container["health"] == "UNHEALTHY":
            facts.append("health check failed")
        if facts or container["log"]:
            yield f"  Container {container['name']}: {', '.join(facts) or 'no exit code'}"
        for line in container["log"]:
            yield f"    | {line}"


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
    """The codes of what is known to have gone wrong, each with what was found out beyond it.

    What tasks say goes before what events say.
    """
    texts = [text for task in tasks for text in _texts(task)]
    codes = [known.cause for text in texts if (known := recognise(text))]
    if not codes and any(_ended_by_itself(task) for task in tasks):
        codes.append(CONTAINER_EXITED)
    findings = {code: _memory(tasks, evidence) if code == OUT_OF_MEMORY else "" for code in codes}
    if _ports_missing(evidence.service, evidence.task_definition):
        findings[PORT_MISMATCH] = ""
    elif of_targets := target_diagnosis.causes(targets, events, evidence.service, evidence.logs):
        # They say what the task's own reason only announces.
        findings.pop(LOAD_BALANCER_HEALTH_CHECK, None)
        findings |= of_targets
    return findings or {known.cause: "" for text in events if (known := recognise(text))}


def _memory(tasks: list[dict[str, t.Any]], evidence: Evidence) -> str:
    """Which containers used up how much memory."""
    of_task = evidence.task_definition.get("memory")
    own = {item.get("name"): item.get("memory") for item in evidence.task_definition.get("containerDefinitions") or ()}
    killed = [
        container["name"]
        for task in tasks
        for container in task["containers"]
        if (known := recognise(container["reason"])) and known.cause == OUT_OF_MEMORY
    ]
    limits = {name: f"its {own[name]} MiB" if own.get(name) else f"the task's {of_task} MiB" for name in killed}
    return " ".join(f"Container {name} used up {limit}." for name, limit in limits.items() if own.get(name) or of_task)


def recognise(text: str) -> Symptom | None:
    return next((symptom for symptom in SYMPTOMS if symptom.pattern.search(text)), None)


def _texts(task: Json) -> Iterable[str]:
    yield f"{task['stop_code']} {task['stopped_reason']}"
    for container in task["containers"]:
        yield container["reason"]
        # A log may speak of anything; only a program that ended with an error is believed.
        if container["exit_code"]:
            yield from container["log"][-5:]


def _ended_by_itself(task: Json) -> bool:
    return task["stop_code"] == "EssentialContainerExited" or any(
        container["exit_code"] is not None for container in task["containers"]
    )


def _ports_missing(service: Json, task_definition: Json) -> bool:
    """True when a load balancer points at a port that its container does not have."""
    ports = {
        container.get("name"): {mapping.get("containerPort") for mapping in container.get("portMappings") or ()}
        for container in task_definition.get("containerDefinitions") or ()
    }
    return any(
        balancer.get("containerPort") not in ports[balancer.get("containerName")]
        for balancer in service.get("loadBalancers") or ()
        if balancer.get("containerName") in ports
    )


def advice_of(code: str) -> str:
    cause = CAUSES[code]
    return f"{cause.meaning} {cause.remedy}"


def _kind(task: Json) -> tuple[t.Any, ...]:
    exits = tuple((item.get("name"), item.get("exitCode"), item.get("reason")) for item in task.get("containers") or ())
    return task.get("stopCode"), str(task.get("stoppedReason"))[:REASON_START], exits


def _stopped_at(task: Json) -> float:
    moment = task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt")
    if moment is None:
        return 0.0
    return float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
