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

from ..._core.types import Json
from . import targets as target_diagnosis
from .judge import task_id

# So many of each are told; a failing service repeats itself.
TASKS_SHOWN = 3
# Reasons are alike when they begin alike: further on they name the task or the moment.
REASON_START = 120
EVENTS_SHOWN = 5
LOG_LINES = 20


class Cause(t.NamedTuple):
    """Something well known: its code, and what to do about it."""

    code: str
    pattern: re.Pattern[str]
    advice: str


def _cause(code: str, pattern: str, advice: str) -> Cause:
    return Cause(code, re.compile(pattern, re.IGNORECASE | re.DOTALL), advice)


_PULL = r"CannotPull|pull image|pulling image|failed to resolve ref|registry auth"
# The first that matches a text wins: from the particular to the general.
CAUSES = (
    _cause(
        "secret_denied",
        r"(secret|ssm|parameter).*(AccessDenied|not authorized)",
        "Allow the task's execution role secretsmanager:GetSecretValue or ssm:GetParameters (and kms:Decrypt) on it.",
    ),
    _cause(
        "secret_missing",
        r"can't find the specified secret|unable to retrieve secret|invalid ssm parameters|ParameterNotFound"
        r"|secret.*(ResourceNotFound|marked for deletion)",
        "Create the secret or parameter in this region and account, or correct valueFrom in the task definition.",
    ),
    _cause(
        "secret_key_missing",
        r"did not contain json key|unable to retrieve json key",
        "Add the key to the secret's JSON, or correct the key in valueFrom.",
    ),
    _cause(
        "registry_limit",
        r"toomanyrequests|pull rate limit",
        "The registry limits anonymous pulls: copy the image to ECR or use a pull-through cache.",
    ),
    _cause(
        "wrong_platform",
        r"no matching manifest|does not contain descriptor matching platform|exec format error",
        "Build the image for the task's platform, or set runtimePlatform.cpuArchitecture to the image's.",
    ),
    _cause(
        "registry_unreachable",
        rf"({_PULL}|ResourceInitializationError).*(i/o timeout|connection issue|context deadline exceeded"
        r"|request canceled|no such host|no route to host|connection refused|network is unreachable|dial tcp)",
        "The task has no route to the registry: give its subnet a NAT gateway, VPC endpoints (ecr.api, ecr.dkr, s3,"
        " logs) or a public address, and let its security group out on port 443.",
    ),
    _cause(
        "image_missing",
        rf"({_PULL}).*(not found|manifest unknown|NotFound|does not exist)|No such image|ImageNotFound",
        "Push the image, or correct its name, tag or digest in the task definition.",
    ),
    _cause(
        "registry_denied",
        rf"({_PULL}).*(denied|403|401|Forbidden|Unauthorized|not authorized|no basic auth)",
        "Allow the task's execution role to pull (AmazonECSTaskExecutionRolePolicy) and check the repository's policy.",
    ),
    _cause(
        "log_group_missing",
        r"log group does not exist|failed to create Cloudwatch log stream",
        "Create the log group, or allow the execution role logs:CreateLogStream and logs:PutLogEvents on it.",
    ),
    _cause(
        "volume_failed",
        r"EFS utils|failed to mount|mount\.nfs|EBS volume.*(fail|unable)",
        "Check that the file system or volume exists, that its security group lets the task in, and the volume's role.",
    ),
    _cause(
        "role_refused",
        r"unable to assume the role|not authorized to perform: sts:AssumeRole",
        "Let ecs-tasks.amazonaws.com assume the task's roles, and check that the roles exist.",
    ),
    _cause(
        "out_of_memory",
        r"OutOfMemory|out of memory|memory usage",
        "Raise memory in the task definition, or let the program use less.",
    ),
    _cause(
        "command_missing",
        r"executable file not found|exec: .*no such file or directory|CannotStartContainer.*(no such file|not found)",
        "The image has no such program: correct command or entryPoint in the task definition.",
    ),
    _cause(
        "load_balancer_health_check",
        r"failed ELB health checks",
        "The container runs but does not answer the target group's health check: see the targets above, then check the"
        " path and expected code, the port, the security groups, and health_check_grace_period_seconds.",
    ),
    _cause(
        "container_health_check",
        r"failed container health checks",
        "The task definition's health check fails: run its command in the image, and give startPeriod enough time.",
    ),
    _cause(
        "no_addresses",
        r"InsufficientFreeAddresses|enough free (private )?(ip )?addresses",
        "The subnets have no free addresses: use larger or more subnets.",
    ),
    _cause(
        "no_capacity",
        r"unable to place a task|RESOURCE:|Capacity is unavailable|insufficient capacity|No Container Instances",
        "There is no room for the task: add capacity, ask for less cpu or memory, or use other zones or providers.",
    ),
    _cause(
        "spot_interrupted",
        r"Spot(Interruption| Task was interrupted)|spot interruption",
        "AWS took Spot capacity back: run a base of the tasks on FARGATE or On-Demand instances.",
    ),
    _cause(
        "port_in_use",
        r"port is already allocated|address already in use",
        "Two processes want the same port: correct portMappings or the port that the program listens on.",
    ),
)

_PORT_MISMATCH = "port_mismatch"
_CONTAINER_EXITED = "container_exited"
_OUT_OF_MEMORY = "out_of_memory"
ADVICE = {
    _PORT_MISMATCH: "Make containerPort of load_balancers one of the portMappings of that container.",
    _CONTAINER_EXITED: "The program ended by itself: read its log, then correct it, its command or its environment.",
    **target_diagnosis.ADVICE,
}
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
    codes = [known.code for text in texts if (known := recognise(text))]
    if not codes and any(_ended_by_itself(task) for task in tasks):
        codes.append(_CONTAINER_EXITED)
    findings = {code: _memory(tasks, evidence) if code == _OUT_OF_MEMORY else "" for code in codes}
    if _ports_missing(evidence.service, evidence.task_definition):
        findings[_PORT_MISMATCH] = ""
    elif of_targets := target_diagnosis.causes(targets, events, evidence.service, evidence.logs):
        # They say what the task's own reason only announces.
        findings.pop("load_balancer_health_check", None)
        findings |= of_targets
    return findings or {known.code: "" for text in events if (known := recognise(text))}


def _memory(tasks: list[dict[str, t.Any]], evidence: Evidence) -> str:
    """Which containers used up how much memory."""
    of_task = evidence.task_definition.get("memory")
    own = {item.get("name"): item.get("memory") for item in evidence.task_definition.get("containerDefinitions") or ()}
    killed = [
        container["name"]
        for task in tasks
        for container in task["containers"]
        if (known := recognise(container["reason"])) and known.code == _OUT_OF_MEMORY
    ]
    limits = {name: f"its {own[name]} MiB" if own.get(name) else f"the task's {of_task} MiB" for name in killed}
    return " ".join(f"Container {name} used up {limit}." for name, limit in limits.items() if own.get(name) or of_task)


def recognise(text: str) -> Cause | None:
    return next((cause for cause in CAUSES if cause.pattern.search(text)), None)


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
    return ADVICE.get(code) or next(cause.advice for cause in CAUSES if cause.code == code)


def _kind(task: Json) -> tuple[t.Any, ...]:
    exits = tuple((item.get("name"), item.get("exitCode"), item.get("reason")) for item in task.get("containers") or ())
    return task.get("stopCode"), str(task.get("stoppedReason"))[:REASON_START], exits


def _stopped_at(task: Json) -> float:
    moment = task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt")
    if moment is None:
        return 0.0
    return float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
