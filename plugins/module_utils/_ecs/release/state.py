# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release and its services: what is desired, what exists, what is planned, and how it went. No calls."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan
from ..._core.progress import Progress
from ..._core.types import Json
from ..rollout.verdict import Verdict
from ..service.members import Options
from ..service.model import DesiredService, ServicePlan
from ..target_group.model import TargetGroup, changed, checkpoint_of
from ..task_definition.model import DesiredTaskDefinition, Draft
from .checkpoint import Checkpoint, Run, new_checkpoint
from .deploy_tasks import DeployTask
from .verification import Check

NOTHING = ServicePlan(Plan({}, {}, {}), "none", {}, {}, [])


@dataclass
class Definition:
    """The task definition that one or more services of the release are to run."""

    desired: DesiredTaskDefinition
    current: Json | None
    draft: Draft
    # The revision as the modules return it. Before it is registered, as far as it is known.
    result: Json = field(default_factory=dict)

    @property
    def arn(self) -> str:
        if self.result:
            return str(self.result["arn"])
        return UNKNOWN if self.current is None or self.draft.is_new else str(self.current["arn"])


@dataclass(kw_only=True)
class ServiceRollout:
    """The rollout of one service, or its rollback."""

    name: str
    # Services that have to be stable before this one starts.
    after: frozenset[str] = frozenset()
    state: t.Literal["waiting", "starting", "monitored", "stable", "failed"] = "waiting"
    # The service as AWS returned it last.
    answer: Options | None = None
    # ARN or ID of the monitored deployment.
    deployment: str = ""
    verdict: Verdict | None = None
    error: SlipwayError | None = None
    # The progress that was reported last.
    reported: str = ""
    started: float = 0.0
    seconds: float = 0.0

    @property
    def in_progress(self) -> bool:
        return self.state in ("starting", "monitored")


@dataclass
class ServiceRelease:
    """One service of the release."""

    name: str
    after: frozenset[str]
    desired: DesiredService
    desired_definition: DesiredTaskDefinition | None = None
    # Number of tasks that a new service starts with.
    initial_count: int | None = None
    warnings: list[str] = field(default_factory=list)
    definition: Definition | None = None
    # The service before the release, as AWS returned it and as options.
    found: Options | None = None
    current: Options | None = None
    plan: ServicePlan = NOTHING
    # Target groups of the service whose settings belong to the release.
    groups: list[TargetGroup] = field(default_factory=list)
    # The checkpoint of this release, or of an unfinished one.
    checkpoint: Checkpoint | None = None
    unfinished: bool = False
    rollout: ServiceRollout | None = None
    rollback: ServiceRollout | None = None
    # The service as AWS returned it last.
    answer: Options | None = None
    # ARN and time of the service that this run has created, which no other service of its name shares.
    created: tuple[str, str] | None = None
    # Whether CreateService was sent and not rejected, so that reads may show the service later.
    may_exist: bool = False
    # Why a rollback keeps the service: its release is complete.
    kept: t.Literal["", "complete", "stable"] = ""
    checkpoint_left: bool = False
    # Whether the checkpoint is being removed, so that nothing may be added to it.
    clearing: bool = False
    # Whether tasks run before the release changes it.
    held: bool = False

    @property
    def changed(self) -> bool:
        definition = bool(self.definition and self.definition.draft.plan.changed)
        return self.plan.changed or definition or bool(changed(self.groups))

    @property
    def state(self) -> str:
        """How the release of the service ended, or where it stands: one of the documented words."""
        if self.rollback:
            return {"stable": "rolled_back", "failed": "rollback_failed"}.get(self.rollback.state, "in_progress")
        if self.rollout and self.rollout.error:
            return "failed"
        if self.rollout and self.rollout.state != "stable":
            return "in_progress" if self.rollout.in_progress else "not_started"
        if not self.changed:
            return "unchanged"
        if self.held:
            return "not_started"
        return "created" if self.plan.action == "create" else "updated"

    @property
    def run(self) -> Run | None:
        """The release that wrote the checkpoint."""
        return self.checkpoint.run if self.checkpoint else None

    @property
    def is_new(self) -> bool:
        """Whether the release, or the unfinished one that it resumes, has created the service."""
        return self.checkpoint is not None and self.checkpoint.options is None

    @property
    def target(self) -> str:
        """The desired task definition."""
        return str(self.desired.options.get("task_definition") or (self.current or {}).get("task_definition", ""))

    @property
    def needs_checkpoint(self) -> bool:
        """Whether the release writes a checkpoint, which it also does to complete an unfinished release."""
        is_changed = self.current is None or self.plan.changed or bool(changed(self.groups))
        return is_changed or self.checkpoint is not None

    def new_checkpoint(self, run: Run) -> Checkpoint:
        """The checkpoint to write before the service is changed."""
        former = checkpoint_of(self.groups, self.checkpoint.groups if self.checkpoint else {})
        if self.current is None:
            return Checkpoint(None, self.target, run, former)
        checkpoint = new_checkpoint(self.current, self.plan.plan, self.target, self.checkpoint)
        return replace(checkpoint, run=run, groups=former)


@dataclass(kw_only=True)
class Release:
    """A release of services to one cluster."""

    cluster: str
    services: list[ServiceRelease]
    progress: Progress
    run: Run = field(default_factory=lambda: Run(""))
    # Whether anything may have been changed.
    touched: bool = False
    # Errors in addition to the failure, such as those of a cleanup, each with what it concerns.
    other_errors: list[tuple[str, SlipwayError]] = field(default_factory=list)
    # When this run began to read the services, on the monotonic clock.
    began: float = 0.0
    # Its number in the history; None without one. `target` is the release that a rollback restores.
    number: int | None = None
    target: int | None = None
    # How it ends in the history, once all but the checkpoints is done.
    concluded: str = ""
    # IDs of releases that no run carries out any more, as the history shows.
    ended_runs: frozenset[str] = frozenset()
    # Why services, tasks or checks failed.
    errors: list[SlipwayError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # Revisions that this run has registered.
    registered: list[str] = field(default_factory=list)
    tasks: list[DeployTask] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    checks_timeout: float = 0.0
    # Tasks and checks of the release that failed, as its message names them.
    failed_steps: list[str] = field(default_factory=list)

    @property
    def own(self) -> list[ServiceRelease]:
        """Services with a checkpoint of this release, of this run or of one that was killed."""
        return [service for service in self.services if service.run and service.run.id == self.run.id]

    @property
    def changes(self) -> bool:
        """Whether the release changes a service, or has changed one before it was killed."""
        if any(service.run and service.run.state == "complete" for service in self.own):
            return False
        return any(service.changed or service.checkpoint for service in self.services)


def identity(answer: Options) -> tuple[str, str] | None:
    """ARN and time of creation, which no two services share; None if AWS does not return the time."""
    created = answer.get("createdAt")
    return (str(answer.get("serviceArn", "")), str(created)) if created else None
