# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a rollout from recorded answers of ECS: no calls, no clock.

AWS describes a rollout twice: in the ``deployments`` of the service (PRIMARY, ``rolloutState``) and, since 2024, as a
service deployment with a status, which is used where it exists. Where AWS is known to report success too early, the
tasks and the targets of the load balancers have to agree.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

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
from ..._core.target_groups import target_group_pairs
from ..._core.types import Json
from ..service_deployment.model import pause_line, stage_line
from .deployments import Deployment, breaker_limit, controller, find_deployment, primary
from .health_checks import PATIENCE, HealthChecks, Target
from .snapshot import Snapshot, own_targets, serving, state_of
from .tasks import belongs_to, failed_health_check, is_running, is_unhealthy, task_failed, task_id
from .verdict import Verdict, failure, sentence

# Seconds that a task has to keep running before it counts, if neither a health check nor a load balancer checks it.
SETTLE_SECONDS = 3.0
# With so many failed tasks and none that keeps running, the service is taken to be unable to start.
FAILED_TASKS_LIMIT = PATIENCE
FAILED_TASKS_LIMIT_MAX = 10
# Every deployment has these states, so they add nothing to the counts.
_NORMAL_STATES = frozenset({"PENDING", "IN_PROGRESS", "COMPLETED", "SUCCESSFUL"})
# What of a service deployment stops it without anybody's doing.
_STOPPING = {"deploymentCircuitBreaker": "the deployment circuit breaker", "alarms": "an alarm"}


@dataclass
class RolloutJudge:
    """Judges one deployment, snapshot by snapshot."""

    deployment: Deployment
    # If so, a running task counts only when it is healthy.
    health_is_checked: bool = False
    # Seconds for which the health of targets may still result from former settings of their target groups.
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
        """The verdict on a snapshot taken `at` this second of a monotonic clock."""
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
        """The tasks of the deployment that have failed so far, the latest last."""
        return list(self._failed.values())

    def relevant_targets(self, snapshot: Snapshot) -> dict[str, Sequence[Json]]:
        """The targets by target group. If ECS has just replaced the unhealthy ones, those rather than the new ones."""
        return {
            arn: targets
            if "unhealthy" in {state_of(item) for item in targets}
            else self._last_unhealthy(arn) or targets
            for arn, targets in snapshot.targets.items()
        }

    def _last_unhealthy(self, arn: str) -> Sequence[Json]:
        """The last unhealthy targets of the deployment, unless one was healthy."""
        checks = self._checks.get(arn)
        return self._unhealthy_targets.get(arn, ()) if checks and not checks.served else ()

    def _remember(self, tasks: Sequence[Json], at: float) -> None:
        running = {task_id(task) for task in tasks if is_running(task)}
        self._running_since = {name: self._running_since.get(name, at) for name in running}
        if self._started is None:
            self._started = at
        failed = {task_id(task): task for task in tasks if task_failed(task)}
        if at - self._started < self.settling:
            # ECS may have stopped them because of the former settings.
            self._excused |= {name for name, task in failed.items() if failed_health_check(task)}
        self._failed |= {name: task for name, task in failed.items() if name not in self._excused}
        if at == self._started:
            self._failed_before = 0 if self.deployment.fresh else len(self._failed)

    def _stable_tasks(self, snapshot: Snapshot, tasks: Sequence[Json], at: float, seconds: float) -> list[Json]:
        """The tasks that have been running long enough, are healthy, and get traffic from every target group."""
        up = [
            task
            for task in tasks
            if at - self._running_since.get(task_id(task), at) >= seconds
            and is_running(task)
            and task.get("desiredStatus", "RUNNING") == "RUNNING"
            and self._healthy(task)
        ]
        # Of two target groups that ECS shifts traffic between, the tasks of a revision are in one.
        fewest = min((sum(serving(one, up) for one in pair) for pair in _pairs(snapshot)), default=len(up))
        return up[:fewest]

    def _healthy(self, task: Json) -> bool:
        health = task.get("healthStatus", "UNKNOWN")
        return bool(health == "HEALTHY" or (health == "UNKNOWN" and not self.health_is_checked))

    def _counted(self, service: Json) -> Verdict:
        """For controllers other than ECS, for which AWS has no deployments."""
        running, desired = service.get("runningCount", 0), service.get("desiredCount", 0)
        progress = f"{running}/{desired} running"
        if running == desired and not service.get("pendingCount"):
            return Verdict("succeeded", f"{running} of {desired} tasks are running.", progress=progress)
        return Verdict("in_progress", f"{running} of {desired} tasks are running.", progress=progress)

    def _of_service_deployment(self, snapshot: Snapshot) -> Verdict | None:
        """The verdict by the status of the service deployment; None if there is none."""
        followed = snapshot.service_deployment
        if not followed:
            return None
        status, reason = followed.get("status", ""), sentence(followed.get("statusReason"))
        if status == "SUCCESSFUL":
            return Verdict("succeeded", reason or "The deployment was successful.")
        if status == "ROLLBACK_SUCCESSFUL":
            reason = reason or sentence((followed.get("rollback") or {}).get("reason"))
            return failure(ROLLED_BACK, f"{reason} {self._runs_again(snapshot.service)}".strip())
        if status == "ROLLBACK_FAILED":
            return failure(ROLLBACK_FAILED, reason)
        if status == "STOPPED":
            return self._stopped(snapshot, followed, reason)
        return Verdict("in_progress", _paused(followed) or reason or f"The deployment is {status}.")

    def _runs_again(self, service: Json) -> str:
        """The revision that the service runs after a rollback; nothing if the answer is from before."""
        first = primary(service) or {}
        revision = last(first.get("taskDefinition")) if first.get("id") != self.deployment.id else ""
        return f"The service runs {revision} again." if revision else ""

    def _stopped(self, snapshot: Snapshot, followed: Json, reason: str) -> Verdict:
        """STOPPED has three causes: a later deployment, a decision of AWS, or a user."""
        triggered = [
            f"Stopped by {part}."
            for member, part in _STOPPING.items()
            if (followed.get(member) or {}).get("status") == "TRIGGERED"
        ]
        own = find_deployment(snapshot.service, self.deployment.id) or {}
        if own.get("rolloutState") == "FAILED":
            return failure(DEPLOYMENT_FAILED, reason or sentence(own.get("rolloutStateReason")))
        if triggered:
            return failure(DEPLOYMENT_FAILED, reason or triggered[0])
        if self._later(snapshot.service):
            return failure(SUPERSEDED, reason)
        return failure(DEPLOYMENT_STOPPED, reason)

    def _of_deployments(self, snapshot: Snapshot, tasks: Sequence[Json], at: float) -> Verdict:
        """The verdict by the deployments of the service, its tasks and their targets."""
        own, first = find_deployment(snapshot.service, self.deployment.id), primary(snapshot.service)
        if own and own.get("rolloutState") == "FAILED":
            self._failure_reason = sentence(own.get("rolloutStateReason")) or CODES[DEPLOYMENT_FAILED].meaning
        if self._failure_reason:
            return self._after_failure(snapshot.service, own, first)
        if own is None or own is not first:
            if self._later(snapshot.service):
                return failure(SUPERSEDED, f"The service now runs deployment {(first or {}).get('id')}.")
            return Verdict("in_progress", "AWS does not list the deployment yet.")
        if own.get("rolloutState", "COMPLETED") != "COMPLETED":
            self._was_in_progress = True
            return Verdict("in_progress", sentence(own.get("rolloutStateReason")) or "The deployment is in progress.")
        return self._complete(snapshot, own, tasks, at)

    def _after_failure(self, service: Json, own: Json | None, first: Json | None) -> Verdict:
        """The deployment has failed. Its rollback is complete when the deployment that replaces it is."""
        if own is not None and own is first:
            if "rolling back" in self._failure_reason:
                return Verdict("in_progress", self._failure_reason)
            return failure(DEPLOYMENT_FAILED, self._failure_reason)
        back = first or {}
        if back.get("rolloutState", "COMPLETED") == "COMPLETED":
            return failure(ROLLED_BACK, f"{self._failure_reason} {self._runs_again(service)}".strip())
        if back.get("rolloutState") == "FAILED":
            return failure(ROLLBACK_FAILED, sentence(back.get("rolloutStateReason")))
        return Verdict("in_progress", f"{self._failure_reason} ECS is rolling back.")

    def _complete(self, snapshot: Snapshot, own: Json, tasks: Sequence[Json], at: float) -> Verdict:
        """AWS reports COMPLETED. It counts when the desired number of tasks keeps running and gets traffic."""
        desired = int(snapshot.service.get("desiredCount") or 0)
        if snapshot.service.get("schedulingStrategy") == "DAEMON":
            desired = int(own.get("desiredCount") or 0)
        # Without any check, a deployment may be COMPLETED and its tasks end a moment later.
        checked = self._was_in_progress and (self.health_is_checked or snapshot.targets)
        seconds = max(self.settling, 0.0 if checked else SETTLE_SECONDS)
        stable = len(self._stable_tasks(snapshot, tasks, at, seconds))
        if stable >= desired and (desired or not self._running_since):
            return Verdict("succeeded", f"{stable} of {desired} tasks are running.")
        return Verdict("in_progress", f"{stable} of {desired} tasks are stable.")

    def _no_task_works(self, snapshot: Snapshot, tasks: Sequence[Json], at: float) -> Verdict | None:
        """A failure if tasks keep failing, none keeps running, and ECS does not report it."""
        own = find_deployment(snapshot.service, self.deployment.id) or {}
        desired = int(snapshot.service.get("desiredCount") or 0)
        limit = max(FAILED_TASKS_LIMIT, min(desired, FAILED_TASKS_LIMIT_MAX))
        if own.get("rolloutState") != "COMPLETED" and breaker_limit(snapshot.service):
            # Let the circuit breaker decide first; this is for the case that it never does.
            limit += breaker_limit(snapshot.service)
        unhealthy = [task for task in tasks if self._past_grace(snapshot.service, task, at) and is_unhealthy(task)]
        counted = 0 if self.settling else int(own.get("failedTasks") or 0)
        failed = max(len(self._failed), counted) + len(unhealthy)
        if (
            self._failure_reason
            or not desired
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
            checks = f"{failed} tasks failed their health checks, none of {desired} desired tasks keeps running."
            return failure(HEALTH_CHECK_FAILING, f"{checks}{_outlook(snapshot.service, own)}")
        return failure(TASKS_FAILING, f"{failed} tasks failed, none of {desired} desired tasks keeps running.")

    def _unhealthy(self, snapshot: Snapshot, tasks: Sequence[Json], at: float) -> Verdict | None:
        """A failure if the targets already show that the new tasks will never be healthy."""
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
            or followed.get("status", "PENDING") not in _NORMAL_STATES
        ):
            return None
        more = breaker_limit(snapshot.service) if own.get("rolloutState") != "COMPLETED" else 0
        for arn, checks in self._checks.items():
            stopped = [name for name, task in self._failed.items() if arn in str(task.get("stoppedReason"))]
            if arn in snapshot.groups and (failing := checks.verdict(snapshot.groups[arn], len(up), stopped, more)):
                return failure(HEALTH_CHECK_FAILING, f"{failing}{_outlook(snapshot.service, own)}")
        return None

    def _past_grace(self, service: Json, task: Json, at: float) -> bool:
        """Whether a failed health check of the running task counts."""
        grace = int(service.get("healthCheckGracePeriodSeconds") or 0)
        return is_running(task) and at - self._running_since[task_id(task)] >= grace

    def _later(self, service: Json) -> bool:
        """Whether the PRIMARY deployment is younger than this one. An older one is a stale answer."""
        first = primary(service)
        if first is None or first.get("id") == self.deployment.id:
            return False
        born = first.get("createdAt")
        return not (born and self.deployment.created_at) or bool(born > self.deployment.created_at)

    def _progress(self, snapshot: Snapshot) -> str:
        """One line that changes only when something happens."""
        service = snapshot.service
        own = find_deployment(service, self.deployment.id) or primary(service) or {}
        parts = [f"{own.get('runningCount', 0)}/{service.get('desiredCount', 0)} running"]
        if own.get("pendingCount"):
            parts.append(f"{own['pendingCount']} pending")
        failed = max(len(self._failed), int(own.get("failedTasks") or 0))
        if failed:
            parts.append(f"{failed} failed")
        if snapshot.targets:
            pairs = ([item for group in pair for item in group] for pair in _pairs(snapshot))
            healthy = [sum(state_of(item) == "healthy" for item in targets) for targets in pairs]
            parts.append(f"{min(healthy)} healthy behind the load balancer")
        followed = snapshot.service_deployment or {}
        state = followed.get("status") or own.get("rolloutState") or ""
        stage = stage_line(followed)
        if stage or state not in _NORMAL_STATES:
            parts.append(f"{state} ({stage})" if stage else state)
        parts.append(pause_line(followed))
        return ", ".join(part for part in parts if part)


def _outlook(service: Json, own: Json) -> str:
    """What ECS does next with a deployment that cannot succeed."""
    if own.get("rolloutState") == "COMPLETED" or not breaker_limit(service):
        return " ECS continues to start new tasks."
    rolls_back = service["deploymentConfiguration"]["deploymentCircuitBreaker"].get("rollback")
    return f" Its circuit breaker will {'roll it back' if rolls_back else 'stop it'}."


def _pairs(snapshot: Snapshot) -> list[list[Sequence[Json]]]:
    """The targets of each load balancer of the service, by target group."""
    found = ([snapshot.targets[arn] for arn in pair if arn in snapshot.targets] for pair in _groups(snapshot))
    return [pair for pair in found if pair]


def _groups(snapshot: Snapshot) -> list[list[str]]:
    pairs = target_group_pairs(snapshot.service)
    known = {arn for pair in pairs for arn in pair}
    return [*pairs, *([arn] for arn in snapshot.targets if arn not in known)]


def _paused(followed: Json) -> str:
    """The lifecycle hook that pauses the deployment, if any."""
    line = pause_line(followed)
    return f"The deployment is {line}." if line else ""
