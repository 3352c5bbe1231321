# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a release on its services: remove its checkpoints, or say in them how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

from ..._core import tags as tagging
from ..._core.errors import SlipwayError
from .. import api as ecs_api
from .checkpoint import State, mark, marks
from .state import Part, Release


def clear_checkpoints(release: Release, parts: Sequence[Part], *, complete: bool) -> None:
    """Remove the checkpoints of `parts`. Those that are left are noted as trouble.

    Where several have to be removed, one says first that the release is complete, and goes last: whatever ends the run
    between, nobody takes the others for a release that has to be rolled back.
    """
    noted = [part for part in parts if part.before and _arn(part)]
    if not noted:
        return
    first, *others = noted
    told = bool(others) and complete and note_state(release, [first], "complete")
    left = _clear(release, others)
    # Kept as long as it has to speak for others.
    left += [(first, left[0][1])] if told and left else _clear(release, [first])
    if complete and left and not told:
        note_state(release, [part for part, _error in left], "complete")
    release.trouble += [(part.name, error) for part, error in left]
    for part, _error in left:
        part.checkpoint_left = True


def note_state(release: Release, parts: Sequence[Part], state: State) -> bool:
    """Say in the checkpoint of the first of `parts` that takes it how the release ended."""
    for part in parts:
        run = part.before.run if part.before else None
        if run is None or not _arn(part):
            continue
        try:
            ecs_api.tag_resource(release.ecs, _arn(part), tagging.to_list(replace(run, state=state).tag()))
        except SlipwayError:
            continue
        return True
    return False


def _clear(release: Release, parts: Sequence[Part]) -> list[tuple[Part, SlipwayError]]:
    """Remove checkpoints side by side; those that could not be removed, and why."""
    futures: list[tuple[Part, Future[None]]] = [
        (part, release.pool.submit(ecs_api.untag_resource, release.ecs, _arn(part), _keys(part))) for part in parts
    ]
    left = []
    for part, future in futures:
        try:
            future.result()
        except SlipwayError as error:
            left.append((part, error))
    return left


def _arn(part: Part) -> str:
    """Of the service whose checkpoint it is; "" where it is deleted or was never created."""
    if part.back and part.before and part.before.options is None:
        return ""
    # Where a service could not be created, `service` may be a deleted one of the same name.
    known = part.answer or (part.service if part.current is not None else None) or {}
    return str(known.get("serviceArn", ""))


def _keys(part: Part) -> list[str]:
    noted = {**(mark(part.before) if part.before else {}), **((part.current or {}).get("tags") or {})}
    return sorted(marks(noted))
