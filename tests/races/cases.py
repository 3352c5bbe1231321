# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to a release, drawn by a seed: the same seed is the same case."""

from __future__ import annotations

import dataclasses
import random
import typing as t

Event = t.Literal["kill", "interrupt", "terminate", "same release", "other release", "other creator"]

EVENTS: tuple[Event, ...] = t.get_args(Event)
NAMES = ("api", "basket", "search", "web")
# A release of four services makes about so many calls, and so many that change something.
LAST_CALL = 30
LAST_CHANGE = 14


@dataclasses.dataclass(frozen=True)
class Case:
    """A release to version 2 and what disturbs it, at the call with this number."""

    seed: int
    event: Event
    at: int
    # Only calls that change something count.
    changes_only: bool
    # When AWS has carried out the call, and before the release receives the answer.
    late: bool
    # Services that exist, in version 1, and those that the release creates.
    existing: tuple[str, ...]
    new: tuple[str, ...]
    # The last service to go fails, so that the release has to be rolled back.
    fails: bool
    # Each service waits for the one before it.
    ordered: bool
    # AWS has service deployments, unpatched emulators have not.
    service_deployments: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.existing, *self.new)

    def __str__(self) -> str:
        what = (
            f"{self.event} {'after' if self.late else 'before'} {'change' if self.changes_only else 'call'} {self.at}"
        )
        return f"{self.seed}: {what}, {len(self.existing)} existing, {len(self.new)} new, fails {self.fails}"


def draw(seed: int) -> Case:
    chance = random.Random(seed)
    names = chance.sample(NAMES, chance.randint(2, len(NAMES)))
    new = chance.randint(0, len(names) - 1)
    changes_only = chance.random() < 0.6
    return Case(
        seed=seed,
        event=EVENTS[seed % len(EVENTS)],
        at=chance.randint(1, LAST_CHANGE if changes_only else LAST_CALL),
        changes_only=changes_only,
        late=chance.random() < 0.5,
        existing=tuple(names[new:]),
        new=tuple(names[:new]),
        fails=chance.random() < 0.4,
        ordered=chance.random() < 0.5,
        service_deployments=chance.random() < 0.8,
    )
