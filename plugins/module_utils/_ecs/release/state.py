# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release and its services: what is desired, what exists, what is planned, and how it went. No calls."""

from __future__ import annotations

import typing as t
from concurrent.futures import Executor
from dataclasses import dataclass, field

from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan
from ..._core.progress import Progress
from ..._core.types import Json
from ..cloud import Cloud
from ..service.members import Options
from ..service.model import DesiredService, ServicePlan, Shapes
from ..target_group.model import TargetGroup, changed
from ..task_definition.model import DesiredTaskDefinition, Draft
from .checkpoint import Before, Run
from .rollouts import RolloutGroup, ServiceRollout

NOTHING = ServicePlan(Plan({}, {}, {}), "none", {}, {}, [])


@dataclass
class Definition:
    """The task definition that one or more services of the release are to run."""

    desired: DesiredTaskDefinition
    current: Json | None
    draft: Draft
    # The revision as the modules return it; until it is registered, what is known of it.
    view: Json = field(default_factory=dict)

    @property
    def arn(self) -> str:
        if self.view:
            return str(self.view["arn"])
        return UNKNOWN if self.current is None or self.draft.is_new else str(self.current["arn"])


@dataclass
class Part:
    """One service of the release: what is asked, what is there, what is planned, and how it went."""

    name: str
    after: frozenset[str]
    desired: DesiredService
    asked: DesiredTaskDefinition | None = None
    # Tasks that the service starts with, if it is made.
    initial_count: int | None = None
    definition: Definition | None = None
    service: Options | None = None
    current: Options | None = None
    plan: ServicePlan = NOTHING
    # What an unfinished release noted on the service, or this one.
    before: Before | None = None
    unfinished: bool = False
    rollout: ServiceRollout | None = None
    back: ServiceRollout | None = None
    # The service as AWS answered last.
    answer: Options | None = None
    # That which this run has created, by what no other of its name shares: ARN and time.
    made: tuple[str, str] | None = None
    # Set where its release had reached its goals before: why it is left alone.
    kept: str = ""
    checkpoint_left: bool = False
    # Whether CreateService was sent and not refused: what it creates may be shown a moment later.
    asked_to_create: bool = False
    # Those of its target groups whose settings belong to the release.
    groups: list[TargetGroup] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        definition = bool(self.definition and self.definition.draft.plan.changed)
        return self.plan.changed or definition or bool(changed(self.groups))


@dataclass
class Release:
    """A release under way."""

    cloud: Cloud
    cluster: str
    shapes: Shapes
    pool: Executor
    progress: Progress
    rollout_group: RolloutGroup
    timeout: float
    parts: list[Part]
    run: Run = field(default_factory=lambda: Run(""))
    # Whether anything may have been changed.
    touched: bool = False
    # What went wrong besides, each with what it concerns. It never takes the place of a failure.
    trouble: list[tuple[str, SlipwayError]] = field(default_factory=list)

    @property
    def ecs(self) -> t.Any:
        return self.cloud.ecs

    def say(self, part: Part, text: str) -> None:
        self.rollout_group.say(part.name, text)


def identity(service: Options) -> tuple[str, str] | None:
    """What no two services share, even if one is created after the other was deleted; None where AWS does not say."""
    created = service.get("createdAt")
    return (str(service.get("serviceArn", "")), str(created)) if created else None
