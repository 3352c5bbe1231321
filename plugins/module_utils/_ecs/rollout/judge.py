# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a rollout from recorded answers of ECS: no calls, no clock.

AWS describes a rollout twice: as the service's ``deployments`` (PRIMARY, ``rolloutState``) and, since 2024, as service
deployments of their own with a status. The latter is followed where it exists. Neither is believed alone where it is
known to say "done" too early: then the tasks themselves and the targets of the load balancers must agree.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf

from ..._core.error_codes import (
    CODES,
    DEPLOYMENT_FAILED,
    DEPLOYMENT_STOPPED,
    HEALTH_CHECK_FAILING,
    ROLLBACK_FAILED,
    ROLLED_BACK,
    SERVICE_DELETED,
    SUPERSEDED,
    TASKS_FAILING,
)
from ..._core.names import last
from ..._core.types import Json
from .health_checks import PATIENCE, STATES_SERVING, HealthChecks, Target

# Seconds that a task has to stay up before it counts, where neither a health check nor a load balancer vouches for it.
SETTLE_SECONDS = 3.0
# So many failed tasks, and none that works, are taken for a service that cannot start.
FAILED_TASKS_LIMIT = PATIENCE
FAILED_TASKS_LIMIT_MAX = 10

_STOP_CODES_OF_FAILURE = frozenset({"TaskFailedToStart", "EssentialContainerExited"})
# What every deployment goes through tells nothing that the counts do not.
_STATES_OF_COURSE = frozenset({"PENDING", "IN_PROGRESS", "COMPLETED", "SUCCESSFUL"})


@dataclass(frozen=True)
class Deployment:
    """The deployment to follow: what the service's answer named PRIMARY right after the call."""

    id: str = ""
    task_definition: str = ""
    created_at: t.Any = None
    service_deployment: str = ""
    # False when the deployment was there before this call: its older failures are no news.
    fresh: bool = True


@dataclass(frozen=True)
class Snapshot:
    """What was read at one moment.

    `targets` maps target groups to the answers of DescribeTargetHealth, `groups` to those of DescribeTargetGroups,
    which are read only where a target is unhealthy.
    """

    service: Json
    service_deployment: Json | None = None
    tasks: Sequence[Json] = ()
    targets: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    groups: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """`state` is one of `in_progress`, `succeeded` and `failed`; `code` says how it failed."""

    state: t.Literal["in_progress", "succeeded", "failed"]
    summary: str
    code: str = ""
    progress: str = ""

    @property
    def over(self) -> bool:
        return self.state != "in_progress"


def deployment_of(service: Json, *, fresh: bool, service_deployment: str = "") -> Deployment:
    """The goal that a service's answer stands for."""
    first = primary(service) or {}
    return Deployment(
        id=first.get("id", ""),
        task_definition=str(first.get("taskDefinition") or service.get("taskDefinition", "")),
        created_at=first.get("createdAt"),
        service_deployment=service_deployment,
        fresh=fresh,
    )


def primary(service: Json) -> Json | None:
    return next((item for item in service.get("deployments") or () if item.get("status") == "PRIMARY"), None)


def find_deployment(service: Json, deployment_id: str) -> Json | None:
    return next((item for item in service.get("deployments") or () if item.get("id") == deployment_id), None)


def controller(service: Json) -> str:
    return str((service.get("deploymentController") or {}).get("type") or "ECS")


def is_steady(service: Json) -> bool:
    """True when the service's own answer leaves no doubt that nothing is going on, so that no more has to be read."""
    if service.get("pendingCount") or service.get("runningCount", 0) != service.get("desiredCount", 0):
        return False
    if controller(service) != "ECS":
        return True
    deployments = service.get("deployments") or []
    if len(deployments) != 1:
        return False
    return deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED" and not deployments[0].get("failedTasks")


def is_on_track(service: Json, deployment: Deployment, followed: Json | None) -> bool:
    """True when what AWS says of the deployment tells all there is to know for now: it goes on, or has succeeded."""
    own = find_deployment(service, deployment.id)
    if own is None or own.get("failedTasks"):
        return False
    if followed:
        return followed.get("status") in ("PENDING", "IN_PROGRESS", "SUCCESSFUL")
    return own.get("rolloutState") == "IN_PROGRESS"


def starts_deployment(before: Json, after: Json) -> bool:
    """True when the service got a new PRIMARY deployment between two answers."""
    return (primary(before) or {}).get("id") != (primary(after) or {}).get("id")


def task_id(task: Json) -> str:
    return last(task.get("taskArn"))


def is_running(task: Json) -> bool:
    return bool(task.get("lastStatus") == "RUNNING")


def is_unhealthy(task: Json) -> bool:
    """True when the health check of an essential container fails, and ECS has not stopped the task for it yet."""
    return task.get("healthStatus") == "UNHEALTHY" and not task_failed(task)


def has_health_check(task_definition: Json) -> bool:
    """True when the tasks' health will be known: an essential container has a health check."""
    containers = task_definition.get("containerDefinitions") or ()
    return any(item.get("healthCheck") and item.get("essential", True) for item in containers)


def task_failed(task: Json) -> bool:
    """True when the task stopped, or is stopping, for a reason of its own: not scaled in, not replaced."""
    if "STOPPED" not in (task.get("lastStatus"), task.get("desiredStatus")):
        return False
    if task.get("stopCode") in _STOP_CODES_OF_FAILURE:
        return True
    return failed_health_check(task)


def failed_health_check(task: Json) -> bool:
    """True when ECS stopped the task because its container or its target is unhealthy."""
    return "health check" in str(task.get("stoppedReason", "")).lower()


def belongs_to(task: Json, deployment: Deployment) -> bool:
    """True when the followed deployment started the task. ECS writes the deployment's id into `startedBy`."""
    started_by = str(task.get("startedBy", ""))
    if started_by.startswith("ecs-svc/"):
        return started_by == deployment.id
    if task.get("taskDefinitionArn") != deployment.task_definition:
        return False
    born, since = task.get("createdAt"), deployment.created_at
    return not (born and since) or bool(born >= since)


def addresses(task: Json) -> set[str]:
    """The private addresses of a task."""
    found = {
        interface.get("privateIpv4Address")
        for container in task.get("containers") or ()
        for interface in container.get("networkInterfaces") or ()
    }
    found |= {
        detail.get("value")
        for attachment in task.get("attachments") or ()
        for detail in attachment.get("details") or ()
        if detail.get("name") == "privateIPv4Address"
    }
    return {address for address in found if address}


def state_of(target: Json) -> str:
    return str(target.get("TargetHealth", {}).get("State", ""))


def own_targets(targets: Sequence[Json], tasks: Sequence[Json]) -> list[tuple[str, Json]]:
    """The targets of one target group that are the tasks', each with its task's id.

    They are matched by the tasks' addresses. Where targets are EC2 instances, or no address is known, all count, each
    under its own name.
    """
    known = {address: task_id(task) for task in tasks for address in addresses(task)}
    if known and not any(str(item["Target"]["Id"]).startswith("i-") for item in targets):
        return [(known[item["Target"]["Id"]], item) for item in targets if item["Target"]["Id"] in known]
    return [(f"{item['Target']['Id']}:{item['Target'].get('Port')}", item) for item in targets]


def serving(targets: Sequence[Json], tasks: Sequence[Json]) -> int:
    """How many of the tasks one target group sends traffic to."""
    return sum(state_of(item) in STATES_SERVING for _owner, item in own_targets(targets, tasks))


def failing_tasks(snapshot: Snapshot, deployment: Deployment) -> list[Json]:
    """The tasks that do not run yet, and those of the deployment that run and fail a health check."""
    own = [task for task in snapshot.tasks if is_running(task) and belongs_to(task, deployment)]
    failing = {
        owner
        for targets in snapshot.targets.values()
        for owner, item in own_targets(targets, own)
        if state_of(item) == "unhealthy"
    }
    starting = [task for task in snapshot.tasks if task.get("lastStatus") not in ("RUNNING", "STOPPED")]
    return [*starting, *(task for task in own if is_unhealthy(task) or task_id(task) in failing)]


def breaker_limit(service: Json) -> int:
    """How many failed tasks the service's circuit breaker bears; 0 when it has none.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    breaker = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    if not breaker.get("enable"):
        return 0
    threshold = breaker.get("thresholdConfiguration") or {}
    kind, value = threshold.get("type", "BOUNDED_PERCENT"), int(threshold.get("value", 50))
    if kind == "COUNT":
        return max(1, value)
    share = ceil(value * int(service.get("desiredCount") or 0) / 100)
    return max(1, share) if kind == "UNBOUNDED_PERCENT" else min(200, max(3, share))


@dataclass
class RolloutJudge:
    """Follows one deployment through one sight after the other."""

    deployment: Deployment
    # Then a running task counts only once it is healthy.
    health_is_checked: bool = False
    # For so many seconds, targets may still have the state that former settings of their target groups gave them.
    settling: float = 0.0
    _started: float | None = None
    _running_since: dict[str, float] = field(default_factory=dict)
    _failed: dict[str, Json] = field(default_factory=dict)
    _failed_before: int = 0
    _excused: set[str] = field(default_factory=set)
    _was_in_progress: bool = False
    _failure_reason: str = ""
    _checks: dict[str, HealthChecks] = field(default_factory=dict)
    _unhealthy_targets: dict[str, list[Json]] = field(default_factory=dict)

    def verdict(self, snapshot: Snapshot, at: float) -> Verdict:
        """The verdict on what was seen `at` this many seconds on any clock that only goes forward."""
        if snapshot.service.get("status", "ACTIVE") != "ACTIVE":
            return Verdict("failed", CODES[SERVICE_DELETED].meaning, SERVICE_DELETED)
        if controller(snapshot.service) != "ECS":
            return self._counted(snapshot.service)
        tasks = [task for task in snapshot.tasks if belongs_to(task, self.deployment)]
        self._remember(tasks, at)
        verdict = self._of_service_deployment(snapshot) or self._of_deployments(snapshot, tasks, at)
        if not verdict.over:
            verdict = self._unhealthy(snapshot, tasks, at) or self._no_task_works(snapshot, tasks, at) or verdict
        return Verdict(verdict.state, verdict.summary, verdict.code, self._progress(snapshot))

    @property
    def failed_tasks(self) -> list[Json]:
        """The tasks of the deployment that failed so far, the latest last."""
        return list(self._failed.values())

    def telling_targets(self, snapshot: Snapshot) -> dict[str, Sequence[Json]]:
        """The targets by target group. Where ECS has just replaced the unhealthy ones, those: new ones tell nothing."""
        return {
            arn: targets
            if "unhealthy" in {state_of(item) for item in targets}
            else self._last_unhealthy(arn) or targets
            for arn, targets in snapshot.targets.items()
        }

    def _last_unhealthy(self, arn: str) -> Sequence[Json]:
        """The targets of the deployment that were unhealthy last, unless one was healthy."""
        checks = self._checks.get(arn)
        return self._unhealthy_targets.get(arn, ()) if checks and not checks.served else ()

    def _remember(self, tasks: Sequence[Json], at: float) -> None:
        running = {task_id(task) for task in tasks if is_running(task)}
        self._running_since = {name: self._running_since.get(name, at) for name in running}
        if self._started is None:
            self._started = at
        failed = {task_id(task): task for task in tasks if task_failed(task)}
        if at - self._started < self.settling:
            # ECS may have stopped them for what the former settings asked.
            self._excused |= {name for name, task in failed.items() if failed_health_check(task)}
        self._failed |= {name: task for name, task in failed.items() if name not in self._excused}
        if at == self._started:
            self._failed_before = 0 if self.deployment.fresh else len(self._failed)

    def _stable_tasks(self, snapshot: Snapshot, tasks: Sequence[Json], at: float, seconds: float) -> list[Json]:
        """The tasks that run long enough, are not unhealthy, and get traffic from every target group."""
        up = [
            task
            for task in tasks
            if at - self._running_since.get(task_id(task), at) >= seconds
            and is_running(task)
            and task.get("desiredStatus", "RUNNING") == "RUNNING"
            and self._healthy(task)
        ]
        fewest = min((serving(targets, up) for targets in snapshot.targets.values()), default=len(up))
        return up[:fewest]

    def _healthy(self, task: Json) -> bool:
        health = task.get("healthStatus", "UNKNOWN")
        return bool(health == "HEALTHY" or (health == "UNKNOWN" and not self.health_is_checked))

    def _counted(self, service: Json) -> Verdict:
        """For controllers other than ECS: AWS keeps no deployments of such services."""
        running, desired = service.get("runningCount", 0), service.get("desiredCount", 0)
        progress = f"{running}/{desired} running"
        if running == desired and not service.get("pendingCount"):
            return Verdict("succeeded", f"{running} of {desired} tasks run.", progress=progress)
        return Verdict("in_progress", f"{running} of {desired} tasks run.", progress=progress)

    def _of_service_deployment(self, snapshot: Snapshot) -> Verdict | None:
        """The verdict by the service deployment's status; None where there is no such deployment."""
        followed = snapshot.service_deployment
        if not followed:
            return None
        status, reason = followed.get("status", ""), _sentence(followed.get("statusReason"))
        if status == "SUCCESSFUL":
            return Verdict("succeeded", reason or "The deployment was successful.")
        if status == "ROLLBACK_SUCCESSFUL":
            return _failure(ROLLED_BACK, reason or _sentence((followed.get("rollback") or {}).get("reason")))
        if status == "ROLLBACK_FAILED":
            return _failure(ROLLBACK_FAILED, reason)
        if status == "STOPPED":
            return self._stopped(snapshot, followed, reason)
        return Verdict("in_progress", _hook(followed) or reason or f"The deployment is {status}.")

    def _stopped(self, snapshot: Snapshot, followed: Json, reason: str) -> Verdict:
        """STOPPED has three causes: a later deployment, AWS's own decision, somebody's."""
        triggered = [
            part
            for part in ("deploymentCircuitBreaker", "alarms")
            if (followed.get(part) or {}).get("status") == "TRIGGERED"
        ]
        own = find_deployment(snapshot.service, self.deployment.id) or {}
        if triggered or own.get("rolloutState") == "FAILED":
            return _failure(DEPLOYMENT_FAILED, reason or _sentence(own.get("rolloutStateReason")))
        if self._later(snapshot.service):
            return _failure(SUPERSEDED, reason)
        return _failure(DEPLOYMENT_STOPPED, reason)

    def _of_deployments(self, snapshot: Snapshot, tasks: Sequence[Json], at: float) -> Verdict:
        """The verdict by the service's deployments, its tasks and their targets."""
        own, first = find_deployment(snapshot.service, self.deployment.id), primary(snapshot.service)
        if own and own.get("rolloutState") == "FAILED":
            self._failure_reason = _sentence(own.get("rolloutStateReason")) or CODES[DEPLOYMENT_FAILED].meaning
        if self._failure_reason:
            return self._after_failure(snapshot.service, own, first)
        if own is None or own is not first:
            if self._later(snapshot.service):
                return _failure(SUPERSEDED, f"The service now runs deployment {(first or {}).get('id')}.")
            return Verdict("in_progress", "AWS does not list the deployment yet.")
        if own.get("rolloutState", "COMPLETED") != "COMPLETED":
            self._was_in_progress = True
            return Verdict("in_progress", _sentence(own.get("rolloutStateReason")) or "The deployment is in progress.")
        return self._complete(snapshot, own, tasks, at)

    def _after_failure(self, service: Json, own: Json | None, first: Json | None) -> Verdict:
        """The deployment has failed: a rollback is over when the deployment that replaces it is complete."""
        if own is not None and own is first:
            if "rolling back" in self._failure_reason:
                return Verdict("in_progress", self._failure_reason)
            return _failure(DEPLOYMENT_FAILED, self._failure_reason)
        back = first or {}
        if back.get("rolloutState", "COMPLETED") == "COMPLETED":
            return _failure(
                ROLLED_BACK, f"{self._failure_reason} The service runs {last(back.get('taskDefinition'))} again."
            )
        if back.get("rolloutState") == "FAILED":
            return _failure(ROLLBACK_FAILED, _sentence(back.get("rolloutStateReason")))
        return Verdict("in_progress", f"{self._failure_reason} AWS rolls back.")

    def _complete(self, snapshot: Snapshot, own: Json, tasks: Sequence[Json], at: float) -> Verdict:
        """AWS says COMPLETED: true when as many tasks as wanted run, serve, and stay."""
        wanted = int(snapshot.service.get("desiredCount") or 0)
        if snapshot.service.get("schedulingStrategy") == "DAEMON":
            wanted = int(own.get("desiredCount") or 0)
        # A task that nothing checks may be COMPLETED and end a moment later.
        vouched = self._was_in_progress and (self.health_is_checked or snapshot.targets)
        seconds = max(self.settling, 0.0 if vouched else SETTLE_SECONDS)
        settled = len(self._stable_tasks(snapshot, tasks, at, seconds))
        if settled >= wanted and (wanted or not self._running_since):
            return Verdict("succeeded", f"{settled} of {wanted} tasks run.")
        return Verdict("in_progress", f"{settled} of {wanted} tasks run and serve.")

    def _no_task_works(self, snapshot: Snapshot, tasks: Sequence[Json], at: float) -> Verdict | None:
        """A failure where tasks fail one after the other, none works, and nobody but us would ever say so."""
        own = find_deployment(snapshot.service, self.deployment.id) or {}
        wanted = int(snapshot.service.get("desiredCount") or 0)
        limit = max(FAILED_TASKS_LIMIT, min(wanted, FAILED_TASKS_LIMIT_MAX))
        if own.get("rolloutState") != "COMPLETED" and breaker_limit(snapshot.service):
            # The breaker is to speak first; this is for the case that it never does.
            limit += breaker_limit(snapshot.service)
        unhealthy = [task for task in tasks if self._past_grace(snapshot.service, task, at) and is_unhealthy(task)]
        counted = 0 if self.settling else int(own.get("failedTasks") or 0)
        failed = max(len(self._failed), counted) + len(unhealthy)
        if (
            self._failure_reason
            or not wanted
            or failed < limit
            or self._stable_tasks(snapshot, tasks, at, SETTLE_SECONDS)
        ):
            return None
        starting = any(task.get("desiredStatus") == "RUNNING" for task in tasks)
        if starting and not unhealthy and len(self._failed) == self._failed_before:
            return None
        if at - (self._started if self._started is not None else at) < SETTLE_SECONDS and not self.deployment.fresh:
            return None
        if all(map(failed_health_check, self._failed.values())) and (unhealthy or self._failed):
            checks = f"{failed} tasks failed their health checks, {wanted} should run and none works."
            return _failure(HEALTH_CHECK_FAILING, f"{checks}{_outlook(snapshot.service, own)}")
        return _failure(TASKS_FAILING, f"{failed} tasks failed, {wanted} should run and none works.")

    def _unhealthy(self, snapshot: Snapshot, tasks: Sequence[Json], at: float) -> Verdict | None:
        """A failure where the targets already say that the new tasks will never be healthy."""
        if at - (self._started or 0.0) < self.settling:
            return None
        up = [task for task in tasks if is_running(task) and task.get("desiredStatus", "RUNNING") == "RUNNING"]
        grace = int(snapshot.service.get("healthCheckGracePeriodSeconds") or 0)
        counted = {task_id(task): at - self._running_since[task_id(task)] - grace if grace else inf for task in up}
        for arn in snapshot.targets.keys() & snapshot.groups.keys() if up else ():
            targets = [
                Target(owner, item.get("TargetHealth", {}), counted.get(owner, min(counted.values(), default=-inf)))
                for owner, item in own_targets(snapshot.targets[arn], up)
            ]
            self._checks.setdefault(arn, HealthChecks()).observe(snapshot.groups[arn], targets, at)
            unhealthy = [
                item for owner, item in own_targets(snapshot.targets[arn], up) if state_of(item) == "unhealthy"
            ]
            self._unhealthy_targets[arn] = unhealthy or self._unhealthy_targets.get(arn, [])
        own, followed = find_deployment(snapshot.service, self.deployment.id) or {}, snapshot.service_deployment or {}
        if (
            self._failure_reason
            or own.get("status") != "PRIMARY"
            or followed.get("status", "PENDING") not in _STATES_OF_COURSE
        ):
            return None
        more = breaker_limit(snapshot.service) if own.get("rolloutState") != "COMPLETED" else 0
        for arn, checks in self._checks.items():
            stopped = [name for name, task in self._failed.items() if arn in str(task.get("stoppedReason"))]
            if arn in snapshot.groups and (failing := checks.verdict(snapshot.groups[arn], len(up), stopped, more)):
                return _failure(HEALTH_CHECK_FAILING, f"{failing}{_outlook(snapshot.service, own)}")
        return None

    def _past_grace(self, service: Json, task: Json, at: float) -> bool:
        """True when a failed health check of the running task counts."""
        grace = int(service.get("healthCheckGracePeriodSeconds") or 0)
        return is_running(task) and at - self._running_since[task_id(task)] >= grace

    def _later(self, service: Json) -> bool:
        """True when the PRIMARY deployment is younger than the followed one: an older one is a stale answer."""
        first = primary(service)
        if first is None or first.get("id") == self.deployment.id:
            return False
        born = first.get("createdAt")
        return not (born and self.deployment.created_at) or bool(born > self.deployment.created_at)

    def _progress(self, snapshot: Snapshot) -> str:
        """One line that changes only when something happened."""
        service = snapshot.service
        own = find_deployment(service, self.deployment.id) or primary(service) or {}
        parts = [f"{own.get('runningCount', 0)}/{service.get('desiredCount', 0)} running"]
        if own.get("pendingCount"):
            parts.append(f"{own['pendingCount']} pending")
        failed = max(len(self._failed), int(own.get("failedTasks") or 0))
        if failed:
            parts.append(f"{failed} failed")
        if snapshot.targets:
            healthy = [sum(state_of(item) == "healthy" for item in group) for group in snapshot.targets.values()]
            parts.append(f"{min(healthy)} healthy behind the load balancer")
        followed = snapshot.service_deployment or {}
        state = followed.get("status") or own.get("rolloutState") or ""
        stage = followed.get("lifecycleStage")
        if stage or state not in _STATES_OF_COURSE:
            parts.append(f"{state} ({stage})" if stage else state)
        return ", ".join(part for part in parts if part)


def _failure(code: str, reason: str) -> Verdict:
    return Verdict("failed", f"{CODES[code].meaning} {reason}".strip(), code)


def _outlook(service: Json, own: Json) -> str:
    """What ECS does with a deployment that cannot succeed, unless somebody ends it."""
    if own.get("rolloutState") == "COMPLETED" or not breaker_limit(service):
        return " ECS continues to start new tasks."
    rolls_back = service["deploymentConfiguration"]["deploymentCircuitBreaker"].get("rollback")
    return f" The circuit breaker of the service {'rolls it back' if rolls_back else 'stops it'} later."


def _sentence(text: t.Any) -> str:
    """AWS's reason as one sentence, '' when there is none."""
    text = str(text or "").strip()
    return f"{text}." if text and text[-1] not in ".!?" else text


def _hook(followed: Json) -> str:
    """What the deployment waits for, when a lifecycle hook holds it."""
    for hook in followed.get("lifecycleHookDetails") or ():
        if hook.get("status") == "AWAITING_ACTION":
            return (
                f"The deployment pauses at {followed.get('lifecycleStage')} (hook {hook.get('hookId')}) "
                "until somebody calls ContinueServiceDeployment."
            )
    return ""
