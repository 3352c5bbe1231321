# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Monitor a rollout until it has succeeded or failed, and collect evidence of a failure."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field, replace

from ..._core.error_codes import ACCESS_DENIED, AWS_ERROR, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.types import Json
from ..._core.waiting import Clock, poll
from ..cloud import Cloud
from ..network.flow import read_network
from ..service import api as service_api
from ..service_deployment.model import shifting_seconds
from ..task import api as task_api
from ..task_definition import api as definition_api
from .deployments import Deployment, controller, ended_since, is_on_track, is_stable
from .diagnose import LOG_LINES, Evidence, diagnose, log_places, worth_showing
from .diagnose_network import may_explain
from .judge import RolloutJudge
from .render import render
from .snapshot import Snapshot, failing_tasks, state_of
from .tasks import has_health_check, is_running, task_id
from .verdict import Verdict

# After so many empty answers, a service without service deployments is taken not to get any (emulators).
EMPTY_ANSWERS = 10
# After so many answers without it, a service that was there no longer exists.
MISSING_ANSWERS = 5
# Every so many quick snapshots, take a full one: AWS does not count tasks that end after a successful start.
FULL_EVERY = 6
_RUNNING_DEPLOYMENTS = frozenset(
    {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}
)
# A verdict may depend on these calls. An error of AWS is temporary, missing permissions are not.
_TASK_CALLS = frozenset({"list_tasks", "list_stopped_tasks", "describe_tasks"})
_NO_OWNER = "slipway-no-owner"
_NO_TASK = "0" * 32
T = t.TypeVar("T")


@dataclass
class RolloutReader:
    """Reads what the judge of one service needs, with as few calls as possible."""

    cloud: Cloud
    cluster: str
    name: str
    judge: RolloutJudge = field(default_factory=lambda: RolloutJudge(Deployment()))
    # Service deployments from before the change; None if they could not be read.
    known: frozenset[str] | None = frozenset()
    # Whether to use the latest service deployment, even one that has ended.
    latest: bool = False
    unread: list[str] = field(default_factory=list)
    # Whether the change has created the service, and no read has shown it yet.
    unseen: bool = False
    _quick_snapshots: int = 0
    _running: int = 0
    _empty_answers: int = 0
    _missing_answers: int = 0
    _stopped: dict[str, Json] = field(default_factory=dict)
    _denied: set[str] = field(default_factory=set)
    _tasks_denied: SlipwayError | None = None
    _groups: dict[str, Json] = field(default_factory=dict)

    @property
    def deployment(self) -> str:
        """ARN of the service deployment, or ID of the deployment if there is none."""
        return self.judge.deployment.service_deployment or self.judge.deployment.id

    def full_snapshot(self, service: Json) -> Snapshot:
        """The service with its service deployment, tasks and targets."""
        if controller(service) != "ECS" or service.get("status", "ACTIVE") != "ACTIVE":
            return Snapshot(service)
        return self._full(service, self._service_deployment())

    def quick_snapshot(self, service: Json, deployments: t.Mapping[str, Json]) -> Snapshot:
        """As much as a verdict needs: usually no tasks and targets while the rollout makes progress.

        `deployments` are service deployments by ARN that have already been read.
        """
        if controller(service) != "ECS" or service.get("status", "ACTIVE") != "ACTIVE":
            return Snapshot(service)
        followed = deployments.get(self.judge.deployment.service_deployment) or self._service_deployment()
        self._quick_snapshots += 1
        running, self._running = self._running, int(service.get("runningCount") or 0)
        # Once a target is unhealthy, each snapshot may decide.
        if not self._quick_snapshots % FULL_EVERY or self._running < running or self._groups:
            return self._full(service, followed)
        if is_on_track(service, self.judge.deployment, followed):
            return Snapshot(service, followed)
        return self._full(service, followed, stopped=not is_stable(service))

    def _full(self, service: Json, followed: Json | None, stopped: bool = True) -> Snapshot:
        if ended_since(service, self.judge.deployment, followed):
            service = self._allowed(self.read_service, service) or service
        tasks = self._tasks(stopped)
        if not followed and any(is_running(task) for task in tasks):
            self.judge.health_is_checked = has_health_check(self.task_definition)
        targets = self._targets(service)
        return Snapshot(service, followed, tasks, targets, self._settings(targets))

    @functools.cached_property
    def task_definition(self) -> Json:
        """The task definition of the deployment, read when first needed; empty if it cannot be read."""
        name = self.judge.deployment.task_definition
        found = self._allowed(definition_api.describe_task_definition, self.cloud.ecs, name) if name else None
        return found or {}

    def read_service(self, last: Json | None = None) -> Json:
        found = service_api.describe_services(self.cloud.ecs, self.cluster, [self.name])
        return self.seen(found[0] if found else None, last)

    def seen(self, found: Json | None, last: Json | None) -> Json:
        """The service as it was read. A new one may not be visible yet: until it is, `last` counts.

        Nor is one missing at once that was there before: AWS returns a deleted service as INACTIVE.
        """
        self._missing_answers = 0 if found else self._missing_answers + 1
        if last and not found and (self.unseen or self._missing_answers < MISSING_ANSWERS):
            return last
        self.unseen = False
        return found or {"serviceName": self.name, "status": "INACTIVE"}

    def after_success(self, service: Json) -> Json:
        """The service whose rollout has succeeded: an answer from just before may count tasks that ECS has stopped."""
        return service if is_stable(service) else self._allowed(self.read_service, service) or service

    def _service_deployment(self) -> Json | None:
        if not self.judge.deployment.service_deployment:
            self._find_service_deployment()
        arn = self.judge.deployment.service_deployment
        if not arn:
            return None
        found = self._allowed(service_api.describe_service_deployments, self.cloud.ecs, [arn])
        return found[0] if found else None

    def _find_service_deployment(self) -> None:
        """Find the service deployment that the change has started, or else the one that is in progress."""
        if self.known is None or (self._empty_answers >= EMPTY_ANSWERS and not self.known):
            return
        listed = self._allowed(service_api.list_service_deployments, self.cloud.ecs, self.cluster, self.name) or []
        if self.latest:
            own = listed
        elif self.judge.deployment.fresh:
            own = [item for item in listed if item["serviceDeploymentArn"] not in self.known]
        else:
            own = [item for item in listed if item.get("status") in _RUNNING_DEPLOYMENTS]
        if own:
            newest = max(own, key=lambda item: str(item.get("createdAt", "")))
            self.judge.deployment = replace(self.judge.deployment, service_deployment=newest["serviceDeploymentArn"])
        else:
            self._empty_answers += 1

    def read_known(self) -> None:
        """Remember the existing service deployments, to recognise the one that the change starts."""
        listed = self._allowed(service_api.list_service_deployments, self.cloud.ecs, self.cluster, self.name)
        self.known = None if listed is None else frozenset(item["serviceDeploymentArn"] for item in listed)

    def _tasks(self, with_stopped: bool) -> list[Json]:
        """The tasks of the service. Stopped ones are read once."""
        ecs = self.cloud.ecs
        stopped: list[str] = []
        if with_stopped:
            stopped = self._allowed(service_api.list_stopped_tasks, ecs, self.cluster, self.name) or []
        running = self._allowed(task_api.list_tasks, ecs, self.cluster, serviceName=self.name) or []
        unread = [arn for arn in (*running, *stopped) if arn not in self._stopped]
        tasks = (self._allowed(task_api.describe_tasks, ecs, self.cluster, unread) or []) if unread else []
        self._stopped |= {task["taskArn"]: task for task in tasks if task.get("lastStatus") == "STOPPED"}
        return [*self._stopped.values(), *(task for task in tasks if task["taskArn"] not in self._stopped)]

    def require_tasks_readable(self) -> None:
        """Fail before anything is changed if the tasks that a verdict may need cannot be read."""
        ecs = self.cloud.ecs
        try:
            # Neither call finds anything.
            task_api.list_tasks(ecs, self.cluster, startedBy=_NO_OWNER)
            task_api.describe_tasks(ecs, self.cluster, [_NO_TASK])
        except SlipwayError as error:
            # Other errors are reported during the rollout, if they persist.
            if error.code == ACCESS_DENIED:
                raise

    def require_judgeable(self, snapshot: Snapshot, verdict: Verdict) -> None:
        """Fail if there can never be a verdict: neither a service deployment nor the tasks can be read."""
        if self._tasks_denied and not verdict.over and not snapshot.service_deployment:
            raise self._tasks_denied

    def _targets(self, service: Json) -> dict[str, t.Sequence[Json]]:
        groups: dict[str, t.Sequence[Json]] = {}
        for group in service_api.target_groups(service):
            health = self._allowed(service_api.describe_target_health, self.cloud.elbv2, group)
            if health is not None:
                groups[group] = health
        return groups

    def _settings(self, targets: t.Mapping[str, t.Sequence[Json]]) -> dict[str, Json]:
        """The health checks of the target groups, read once and only if a target is unhealthy."""
        states = {state_of(item) for items in targets.values() for item in items}
        return self._settings_of(targets) if "unhealthy" in states else self._groups

    def _settings_of(self, groups: t.Collection[str]) -> dict[str, Json]:
        if set(groups) - self._groups.keys():
            found = self._allowed(service_api.describe_target_groups, self.cloud.elbv2, sorted(groups)) or []
            self._groups |= {group["TargetGroupArn"]: group for group in found}
        return self._groups

    def _allowed(self, call: t.Callable[..., T], *args: t.Any, **kwargs: t.Any) -> T | None:
        """Call, but continue without the answer if permissions or the API do not allow it. Keep each reason once."""
        name = call.__name__
        if name in self._denied:
            return None
        try:
            return call(*args, **kwargs)
        except SlipwayError as error:
            if error.code not in (ACCESS_DENIED, AWS_ERROR):
                raise
            if name not in _TASK_CALLS:
                self._denied.add(name)
            elif error.code == ACCESS_DENIED:
                self._denied.add(name)
                self._tasks_denied = self._tasks_denied or error
            if error.msg not in self.unread:
                self.unread.append(error.msg)
            return None

    def evidence(self, snapshot: Snapshot) -> Evidence:
        """Everything that may explain why the rollout failed."""
        tasks = self.judge.failed_tasks or failing_tasks(snapshot, self.judge.deployment)
        definition = self.task_definition
        found = {task_id(task): self._logs(task, definition) for task in worth_showing(tasks)}
        logs = {(name, container): lines for name, logs in found.items() for container, lines in logs.items()}
        return Evidence(
            service=snapshot.service,
            tasks=tasks,
            task_definition=definition,
            logs=logs,
            targets=self.judge.relevant_targets(snapshot),
            # Targets that failed may be deleted before anybody has seen them unhealthy.
            groups=self._settings_of(service_api.target_groups(snapshot.service)),
            unread=tuple(self.unread),
            since=self.judge.deployment.created_at if self.judge.deployment.fresh else None,
        )

    def reasons(self, snapshot: Snapshot) -> dict[str, t.Any]:
        """Why the rollout failed. The network is read only if it may be the reason."""
        evidence = self.evidence(snapshot)
        failure = diagnose(evidence)
        if not may_explain(failure["causes"]):
            return failure
        return diagnose(replace(evidence, network=read_network(self.cloud, snapshot.service)))

    def _logs(self, task: Json, definition: Json) -> dict[str, list[str]]:
        """The last lines of each container that logs to CloudWatch."""
        found = {}
        for place in log_places(task, definition):
            logs = self.cloud.logs(place.region)
            lines = self._allowed(service_api.last_log_lines, logs, place.group, place.stream, LOG_LINES)
            if lines:
                found[place.container] = lines
        return found


class Outcome(t.NamedTuple):
    """How a rollout ended, with the last snapshot."""

    verdict: Verdict
    snapshot: Snapshot


def wait_stable(reader: RolloutReader, service: Json | None, timeout: float, clock: Clock | None = None) -> Outcome:
    """Wait until the rollout has succeeded, failed or timed out. `service` is an answer that was already read."""
    clock = clock or Clock()
    first = [service] if service else []

    def read() -> Outcome:
        snapshot = reader.full_snapshot(first.pop() if first else reader.read_service(service))
        verdict = reader.judge.verdict(snapshot, clock.now())
        reader.require_judgeable(snapshot, verdict)
        if verdict.state == "succeeded":
            snapshot = replace(snapshot, service=reader.after_success(snapshot.service))
        return Outcome(verdict, snapshot)

    last: list[Outcome] = []

    def done(outcome: Outcome) -> bool:
        last[:] = [outcome]
        return outcome.verdict.over

    try:
        return poll(
            read,
            done,
            # Bake times and pauses take as long as the service says.
            timeout=timeout + shifting_seconds(service or {}),
            waiting_for=lambda outcome: f"the rollout of {reader.name} ({outcome.verdict.progress})",
            clock=clock,
        )
    except SlipwayError as error:
        if error.code != TIMEOUT or not last:
            raise
        return Outcome(timed_out(last[0].verdict, timeout), last[0].snapshot)


def timed_out(verdict: Verdict, timeout: float) -> Verdict:
    """The verdict on a rollout that timed out."""
    still = f"Timed out after {timeout:g} s; the rollout is still in progress."
    summary = f"{still} Last state: {verdict.progress}. {verdict.summary}"
    return Verdict("failed", summary, TIMEOUT, verdict.progress)


def explain(reader: RolloutReader, outcome: Outcome) -> SlipwayError:
    """The failure of a rollout with its reasons, as text and as data."""
    failure = reader.reasons(outcome.snapshot)
    failure = {"code": outcome.verdict.code, "summary": outcome.verdict.summary, **failure}
    headline = f"Service {reader.name}: {outcome.verdict.summary}"
    return SlipwayError(outcome.verdict.code, render(headline, failure), {"failure": failure})
