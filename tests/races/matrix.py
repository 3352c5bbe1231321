# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which fault strikes a release with tasks, checks and a history at which stage, drawn by a seed."""

from __future__ import annotations

import dataclasses
import itertools
import random
import typing as t

# Where a release is, in the order in which it gets there.
Stage = t.Literal[
    "reading",
    "lock",
    "registering",
    "starting the migration",
    "migrating",
    "updating",
    "shifting",
    "paused",
    "starting the smoke test",
    "verifying",
    "rolling back",
    "clearing",
    "recording",
    "none",
]
STAGES: tuple[Stage, ...] = t.get_args(Stage)[:-1]
# What may happen at each stage.
EVERYWHERE = (
    "kill",
    "interrupt",
    "terminate",
    "expired credentials",
    "permission denied",
    "connection cut",
    "throttled",
    "same release",
    "lock broken",
    "other project",
)
# What happens at one stage only, or is wrong with the release itself.
Pair = tuple[Stage, str]
SPECIAL: tuple[Pair, ...] = (
    *((stage, "service deleted") for stage in ("migrating", "updating", "shifting", "paused", "verifying")),
    ("rolling back", "service deleted"),
    ("none", "image of a service missing"),
    ("none", "image of the migration missing"),
    ("none", "migration fails"),
    ("none", "migration hangs"),
    ("migrating", "migration killed"),
    ("none", "smoke test fails"),
    ("none", "page fails"),
    ("none", "revision gone"),
    ("none", "image gone"),
    ("none", "approval never comes"),
    ("shifting", "alarm"),
)
PAIRS: list[Pair] = [*itertools.product(STAGES, EVERYWHERE), *SPECIAL]
# Any seeds in a row then have many kinds.
random.Random(17).shuffle(PAIRS)

SIGNALLED = ("kill", "interrupt", "terminate")
# Stages of a rollback to an earlier release, which has no tasks and no checks here.
OF_ROLLBACKS = ("reading", "lock", "updating", "clearing", "recording")
SHIFTING = ("BLUE_GREEN", "CANARY", "LINEAR")


@dataclasses.dataclass(frozen=True)
class Case:
    """A run and what happens to it."""

    seed: int
    stage: Stage
    fault: str
    # A release of version 2, or the rollback from version 2 to version 1.
    action: t.Literal["release", "rollback"]
    # When AWS has carried out the call of the stage, and before the run receives the answer.
    late: bool
    # The connection is cut, or AWS throttles, for one call only.
    brief: bool
    # How ECS deploys the second service.
    strategy: str
    # The release creates a third service.
    creates: bool

    @property
    def pauses(self) -> bool:
        return self.stage == "paused" or self.fault == "approval never comes"

    @property
    def page_fails(self) -> bool:
        """Whether the release is rolled back because of its last check."""
        return self.stage == "rolling back" or self.fault == "page fails"

    def __str__(self) -> str:
        parts = [self.fault, *(["brief"] if self.brief else []), f"{'after' if self.late else 'at'} {self.stage}"]
        return f"{self.seed}: {' '.join(parts)}, {self.action}, {self.strategy.lower()}, creates {self.creates}"


def draw(seed: int) -> Case:
    chance = random.Random(seed)
    stage, fault = PAIRS[seed % len(PAIRS)]
    shifts = stage in ("shifting", "paused") or fault in ("alarm", "approval never comes") or chance.random() < 0.25
    strategy = chance.choice(SHIFTING) if shifts else "ROLLING"
    late, brief, rolls_back = chance.random() < 0.5, chance.random() < 0.4, chance.random() < 0.4
    return Case(
        seed=seed,
        stage=stage,
        fault=fault,
        action="rollback" if rolls_back and stage in OF_ROLLBACKS and fault in EVERYWHERE else "release",
        # Only the answer shows these.
        late=late or stage in ("shifting", "paused"),
        brief=brief and fault in ("connection cut", "throttled"),
        strategy="CANARY" if fault == "alarm" else strategy,
        creates=chance.random() < 0.3 and stage not in ("shifting", "paused"),
    )
