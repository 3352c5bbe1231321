# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a rollout until it is judged, and gather the evidence when it failed."""

from __future__ import annotations

import functools
import threading
import typing as t
from dataclasses import dataclass, field, replace

from ..._core.error_codes import ACCESS_DENIED, AWS_ERROR, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.types import Clients, Json
from ..._core.waiting import Clock, poll
from ..service import api as service_api
from ..task import api as task_api
from ..task_definition import api as definition_api
from .diagnose import LOG_LINES, Evidence, diagnose, log_places, render, worth_showing
from .judge import (
    Deployment,
    RolloutJudge,
    Snapshot,
    Verdict,
    controller,
    failing_tasks,
    has_health_check,
    is_on_track,
    is_running,
    is_steady,
    state_of,
    task_id,
)

# After so many empty answers a service that never had service deployments is taken to get none (emulators).
EMPTY_ANSWERS = 10
# So often a glance is a whole look, as it is when fewer tasks run: AWS does not count those that end after a start.
WHOLE_EVERY = 6
_RUNNING_DEPLOYMENTS = frozenset(
    {"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"}
)

# The calls that a verdict may depend on: a fault of AWS is passing, a denial is not.
_OF_TASKS = frozenset({"list_tasks", "list_stopped_tasks", "describe_tasks"})
_NOBODY = "slipway-nobody"
_NO_TASK = "0" * 32

T = t.TypeVar("T")


class Cloud:
    """The clients that a rollout needs, each made when it is first used."""

    def __init__(self, client: Clients) -> None:
        self._client = client
        self._made: dict[tuple[str, str], t.Any] = {}
        # boto3's clients may be shared by threads, but not made by several at a time.
        self._making = threading.Lock()

    def _get(self, service: str, region: str = "") -> t.Any:
        with self._making:
            if (service, region) not in self._made:
                self._made[service, region] = self._client(service, region)
            return self._made[service, region]

    @property
    def ecs(self) -> t.Any:
        return self._get("ecs")

    @property
    def elbv2(self) -> t.Any:
        return self._get("elbv2")

    @property
    def discovery(self) -> t.Any:
        return self._get("servicediscovery")

    def logs(self, region: str) -> t.Any:
        """CloudWatch Logs of a region, for containers may log elsewhere than they run."""
        return self._get("logs", region)


@dataclass
class RolloutReader:
    """Reads what the watch of one service needs, each thing as seldom as possible."""

    cloud: Cloud
    cluster: str
    name: str
    judge: RolloutJudge = field(default_factory=lambda: RolloutJudge(Deployment()))
    # Service deployments from before the call that is watched; None where they could not be read.
    known: frozenset[str] | None = frozenset()
    # Take the latest service deployment, even one that is over.
    latest: bool = False
    unread: list[str] = field(default_factory=list)
    _quick_snapshots: int = 0
    _running: int = 0
    _empty_answers: int = 0
    _stopped: dict[str, Json] = field(default_factory=dict)
    _denied: set[str] = field(default_factory=set)
    _tasks_denied: SlipwayError | None = None
    _groups: dict[str, Json] = field(default_factory=dict)

    def full_snapshot(self, service: Json) -> Snapshot:
        """All that belongs to a service's answer of this moment."""
        if controller(service) != "ECS" or service.get("status", "ACTIVE") != "ACTIVE":
            return Snapshot(service)
        return self._whole(service, self._service_deployment())

    def quick_snapshot(self, service: Json, deployments: t.Mapping[str, Json]) -> Snapshot:
        """As much of it as a verdict needs: mostly no tasks and targets while all goes well.

        `deployments` are service deployments by ARN that have been read already.
        """
        if controller(service) != "ECS" or service.get("status", "ACTIVE") != "ACTIVE":
            return Snapshot(service)
        followed = deployments.get(self.judge.deployment.service_deployment) or self._service_deployment()
        self._quick_snapshots += 1
        running, self._running = self._running, int(service.get("runningCount") or 0)
        # Once a target is unhealthy, each look may be the one that decides.
        if not self._quick_snapshots % WHOLE_EVERY or self._running < running or self._groups:
            return self._whole(service, followed)
        if is_on_track(service, self.judge.deployment, followed):
            return Snapshot(service, followed)
        return self._whole(service, followed, stopped=not is_steady(service))

    def _whole(self, service: Json, followed: Json | None, stopped: bool = True) -> Snapshot:
        tasks = self._tasks(stopped)
        if not followed and any(is_running(task) for task in tasks):
            self.judge.health_is_checked = has_health_check(self.task_definition)
        targets = self._targets(service)
        return Snapshot(service, followed, tasks, targets, self._settings(targets))

    @functools.cached_property
    def task_definition(self) -> Json:
        """What the followed deployment runs, read when it is first needed; empty where it cannot be read."""
        name = self.judge.deployment.task_definition
        found = self._allowed(definition_api.describe_task_definition, self.cloud.ecs, name) if name else None
        return found or {}

    def read_service(self) -> Json:
        found = service_api.describe_services(self.cloud.ecs, self.cluster, [self.name])
        return found[0] if found else {"serviceName": self.name, "status": "INACTIVE"}

    def _service_deployment(self) -> Json | None:
        if not self.judge.deployment.service_deployment:
            self._find_service_deployment()
        arn = self.judge.deployment.service_deployment
        if not arn:
            return None
        found = self._allowed(service_api.describe_service_deployments, self.cloud.ecs, [arn])
        return found[0] if found else None

    def _find_service_deployment(self) -> None:
        """The deployment that appeared since the call; for a watch of an older one, the one that still runs."""
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
        """Note what ran before the call, so that the deployment which it starts can be told from it."""
        listed = self._allowed(service_api.list_service_deployments, self.cloud.ecs, self.cluster, self.name)
        self.known = None if listed is None else frozenset(item["serviceDeploymentArn"] for item in listed)

    def _tasks(self, with_stopped: bool) -> list[Json]:
        """The service's tasks. Those that have stopped for good are read once."""
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
        """Fail before anything is touched where a verdict may need tasks that may not be read."""
        ecs = self.cloud.ecs
        try:
            # Neither finds anything, in one short answer.
            task_api.list_tasks(ecs, self.cluster, startedBy=_NOBODY)
            task_api.describe_tasks(ecs, self.cluster, [_NO_TASK])
        except SlipwayError as error:
            # What else goes wrong is for the watch to say, if it comes again.
            if error.code == ACCESS_DENIED:
                raise

    def require_judgeable(self, snapshot: Snapshot, verdict: Verdict) -> None:
        """Fail where no look will ever come to a verdict: neither a service deployment nor the tasks can be read."""
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
        """How the target groups check their targets, read once and only when one is unhealthy."""
        states = {state_of(item) for items in targets.values() for item in items}
        if "unhealthy" in states and targets.keys() - self._groups.keys():
            found = self._allowed(service_api.describe_target_groups, self.cloud.elbv2, sorted(targets)) or []
            self._groups |= {group["TargetGroupArn"]: group for group in found}
        return self._groups

    def _allowed(self, call: t.Callable[..., T], *args: t.Any, **kwargs: t.Any) -> T | None:
        """Call, unless the caller's rights or the API do not allow it: a rollout can be judged by less. Said once."""
        name = call.__name__
        if name in self._denied:
            return None
        try:
            return call(*args, **kwargs)
        except SlipwayError as error:
            if error.code not in (ACCESS_DENIED, AWS_ERROR):
                raise
            if name not in _OF_TASKS:
                self._denied.add(name)
            elif error.code == ACCESS_DENIED:
                self._denied.add(name)
                self._tasks_denied = self._tasks_denied or error
            if error.msg not in self.unread:
                self.unread.append(error.msg)
            return None

    def evidence(self, snapshot: Snapshot) -> Evidence:
        """Everything that may tell why the rollout failed."""
        tasks = self.judge.failed_tasks or failing_tasks(snapshot, self.judge.deployment)
        definition = self.task_definition
        to_result = {task_id(task): self._logs(task, definition) for task in worth_showing(tasks)}
        logs = {(name, container): lines for name, found in to_result.items() for container, lines in found.items()}
        return Evidence(
            service=snapshot.service,
            tasks=tasks,
            task_definition=definition,
            logs=logs,
            targets=self.judge.telling_targets(snapshot),
            groups=snapshot.groups,
            unread=tuple(self.unread),
            since=self.judge.deployment.created_at if self.judge.deployment.fresh else None,
        )

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
    """How a watch ended, with what was seen last."""

    verdict: Verdict
    snapshot: Snapshot


def wait_stable(reader: RolloutReader, service: Json | None, timeout: float, clock: Clock | None = None) -> Outcome:
    """Watch until the rollout is judged or the time is over. `service` is an answer that is at hand already."""
    clock = clock or Clock()
    first = [service] if service else []

    def observe() -> Outcome:
        snapshot = reader.full_snapshot(first.pop() if first else reader.read_service())
        verdict = reader.judge.verdict(snapshot, clock.now())
        reader.require_judgeable(snapshot, verdict)
        return Outcome(verdict, snapshot)

    last: list[Outcome] = []

    def done(outcome: Outcome) -> bool:
        last[:] = [outcome]
        return outcome.verdict.over

    try:
        return poll(
            observe,
            done,
            timeout=timeout,
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
    """The failure of a rollout with its reasons, in words and as data."""
    failure = diagnose(reader.evidence(outcome.snapshot))
    failure = {"code": outcome.verdict.code, "summary": outcome.verdict.summary, **failure}
    headline = f"Service {reader.name}: {outcome.verdict.summary}"
    return SlipwayError(outcome.verdict.code, render(headline, failure), {"failure": failure})
