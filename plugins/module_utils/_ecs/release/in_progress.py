# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release is in progress or complete, as far as the checkpoints of its services show. No calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._core.error_codes import RELEASE_IN_PROGRESS
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..rollout.deployments import is_stable
from .state import Part


def by_run(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """The parts with a checkpoint, by the id of the release that wrote it."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        if part.before:
            found.setdefault(part.before.run.id if part.before.run else "", []).append(part)
    return found


def has_arrived(parts: Sequence[Part]) -> bool:
    """True when the account itself shows that the release of these checkpoints reached its goal on every service."""
    runs = [part.before.run for part in parts if part.before and part.before.run]
    if not runs or len(parts) < max(1, *(run.services for run in runs)):
        return False
    # Settings of target groups do not show whether tasks are healthy with them.
    if any(part.before.groups for part in parts if part.before):
        return False
    return all(
        is_stable(part.service or {}) and (part.service or {}).get("taskDefinition") == part.before.target
        for part in parts
        if part.before
    )


def refuse_other_release(parts: Sequence[Part], own: str, now: str) -> None:
    """Fail where another release is under way on these services, as far as the account can tell."""
    for name, others in by_run(parts).items():
        runs = [part.before.run for part in others if part.before and part.before.run]
        if name in ("", own) or any(run.state for run in runs) or now >= max(run.until for run in runs):
            continue
        same = all(part.before and part.desired.options.get("task_definition") == part.before.target for part in others)
        if same or has_arrived(others):
            continue
        run = max(runs, key=lambda run: run.until)
        to = ", ".join(f"{part.name} (to {last(part.before.target)})" for part in others if part.before)
        raise SlipwayError(
            RELEASE_IN_PROGRESS,
            f"Another release is in progress: {run.told}. It changes {to} and may take until {run.until}. Nothing was"
            " changed. Wait until it ends. If it was killed, rerun the same command to resume it, run the playbook"
            " slipway.aws.undo to roll it back, or set force=true (the role: ecs_app_force) to replace it.",
            {"release": {"id": run.id, "started": run.started, "until": run.until, "by": run.by}},
        )
