# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What services ran at an earlier release, as the history shows. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.history import FAILED, IN_PROGRESS, ROLLBACK_FAILED, ROLLED_BACK, SUCCEEDED, Entry
from ..._core.types import Json

PREVIOUS = "previous"
_ENDED = {
    FAILED: "failed",
    IN_PROGRESS: "has not ended",
    ROLLBACK_FAILED: "failed to roll back",
    ROLLED_BACK: "was rolled back",
}


class Target(t.NamedTuple):
    """What a rollback restores: the state at the end of release `number`, or before all releases that are known.

    `services` are those that a later release changed, each with what it ran, empty if it did not exist.
    """

    number: int | None
    services: dict[str, Json]
    revision: str = ""
    # The newest release already is a rollback to this target: complete, or to be resumed.
    rollback: Entry | None = None


def find_target(entries: Sequence[Entry], cluster: str, wanted: str) -> Target | None:
    """The target of a rollback; None if no release of the cluster is recorded that could be rolled back."""
    own = [entry for entry in entries if entry.record.cluster == cluster and entry.record.services is not None]
    if wanted != PREVIOUS:
        return _numbered(own, wanted)
    changed = [entry for entry in own if _left_changes(entry)]
    if not changed:
        return None
    newest = changed[-1]
    if newest.record.action == "rollback" and newest.record.to is not None:
        return _numbered(own, str(newest.record.to))._replace(rollback=newest)
    earlier = [entry for entry in changed[:-1] if entry.record.outcome == SUCCEEDED]
    state = _state_before(own, newest.number)
    return Target(earlier[-1].number, state, earlier[-1].record.revision) if earlier else Target(None, state)


def _numbered(own: Sequence[Entry], wanted: str) -> Target:
    if not wanted.isdecimal():
        text = f"rollback_to: expected {PREVIOUS} or the number of a release, got {wanted!r}."
        raise SlipwayError(INVALID_OPTION, text)
    number = int(wanted)
    found = next((entry for entry in own if entry.number == number), None)
    succeeded = [str(entry.number) for entry in own if entry.record.outcome == SUCCEEDED]
    known = f"The history of this cluster has {', '.join(succeeded) or 'none'}"
    if found is None:
        raise SlipwayError(NOT_FOUND, f"rollback_to: expected a release that succeeded, got {number}. {known}.")
    if found.record.outcome != SUCCEEDED:
        ended = _ENDED.get(found.record.outcome, "was not completed")
        text = f"rollback_to: expected a release that succeeded, got {number}, which {ended}. {known}."
        raise SlipwayError(INVALID_OPTION, text)
    return Target(number, _state_before(own, number + 1), found.record.revision)


def _left_changes(entry: Entry) -> bool:
    """Whether a release may have changed what runs now."""
    if entry.record.outcome == ROLLED_BACK:
        return False
    services = (entry.record.services or {}).values()
    return entry.record.outcome == SUCCEEDED or any(one["state"] != "not_started" for one in services)


def _state_before(own: Sequence[Entry], number: int) -> dict[str, Json]:
    """What the services ran before the release `number`: what the first release since then found."""
    state: dict[str, Json] = {}
    for entry in own:
        if entry.number >= number:
            for name, service in (entry.record.services or {}).items():
                state.setdefault(name, {**service["before"], "order": service.get("order", [])})
    return state
