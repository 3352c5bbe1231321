# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which revisions of task definitions are needed, by a release, by what runs, or as the newest of a family. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping, Sequence

from ..._core.names import last


class Revision(t.NamedTuple):
    """A revision of a task definition. Of one that AWS does not describe any more, only the name is known."""

    arn: str
    is_active: bool
    is_ours: bool
    images: tuple[str, ...] = ()
    registered: datetime.datetime | None = None

    @property
    def name(self) -> str:
        return last(self.arn)

    @property
    def family(self) -> str:
        return self.name.rpartition(":")[0]

    @property
    def number(self) -> int:
        return int(self.name.rpartition(":")[2])


class Kept(t.NamedTuple):
    """What is not deleted, and why."""

    kind: str
    name: str
    reason: str


class Age(t.NamedTuple):
    """What is younger may be about to be released."""

    now: datetime.datetime
    days: int

    def is_young(self, moment: datetime.datetime | None) -> bool:
        # AWS does not say of old revisions when they were registered.
        return moment is not None and self.now - moment < datetime.timedelta(days=self.days)


class RevisionPlan(t.NamedTuple):
    """`deregister` are still active; `delete` are these and others that are not."""

    deregister: list[Revision]
    delete: list[Revision]
    kept: list[tuple[Revision, str]]


def plan_revisions(
    revisions: Sequence[Revision], needed: Mapping[str, str], runs: Mapping[str, str], age: Age
) -> RevisionPlan:
    """`runs` says of revisions what runs them."""
    newest: dict[str, int] = {}
    for one in revisions:
        if one.is_active:
            newest[one.family] = max(newest.get(one.family, 0), one.number)

    def reason(one: Revision) -> str:
        if not one.is_ours:
            return "without the project's tag"
        found = needed.get(one.name) or runs.get(one.name, "")
        if found or not one.is_active:
            return found
        if newest[one.family] == one.number:
            return "the newest of its family"
        return f"registered less than {age.days} days ago" if age.is_young(one.registered) else ""

    reasons = [(one, reason(one)) for one in sorted(revisions, key=lambda one: (one.family, one.number))]
    obsolete = [one for one, text in reasons if not text]
    return RevisionPlan(
        [one for one in obsolete if one.is_active], obsolete, [(one, text) for one, text in reasons if text]
    )
