# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which release is in progress or complete, as far as the checkpoints of its services show. No calls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..._core.error_codes import RELEASE_IN_PROGRESS
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..rollout.deployments import is_stable
from .checkpoint import Run
from .state import ServiceRelease


def by_run(services: Iterable[ServiceRelease]) -> dict[str, list[ServiceRelease]]:
    """The services with a checkpoint, by the ID of the release that wrote it."""
    found: dict[str, list[ServiceRelease]] = {}
    for service in services:
        if service.checkpoint:
            found.setdefault(service.run.id if service.run else "", []).append(service)
    return found


def runs_of(services: Iterable[ServiceRelease]) -> list[Run]:
    """The releases that wrote the checkpoints of these services."""
    return [service.run for service in services if service.run]


def is_complete(services: Sequence[ServiceRelease]) -> bool:
    """Whether the account itself shows that the release of these checkpoints succeeded for every service."""
    runs = runs_of(services)
    if not runs or len(services) < max(1, *(run.services for run in runs)):
        return False
    # Settings of target groups do not show whether tasks are healthy with them.
    if any(service.checkpoint.groups for service in services if service.checkpoint):
        return False
    return all(
        is_stable(service.found or {}) and (service.found or {}).get("taskDefinition") == service.checkpoint.target
        for service in services
        if service.checkpoint
    )


def refuse_other_release(
    services: Sequence[ServiceRelease], own: str, now: str, ended: Collection[str] = frozenset()
) -> None:
    """Fail if another release of these services is in progress, as far as the account shows; none of `ended` is."""
    for run_id, others in by_run(services).items():
        runs = runs_of(others)
        if run_id in ("", own, *ended) or any(run.state for run in runs) or now >= max(run.until for run in runs):
            continue
        targets = {service.name: service.checkpoint.target for service in others if service.checkpoint}
        same = all(service.desired.options.get("task_definition") == targets[service.name] for service in others)
        if same or is_complete(others):
            continue
        run = max(runs, key=lambda run: run.until)
        changes = ", ".join(f"{name} (to {last(target)})" for name, target in targets.items())
        raise SlipwayError(
            RELEASE_IN_PROGRESS,
            f"Another release is in progress: {run}. It changes {changes} and times out at {run.until}. Nothing was"
            " changed. Wait until it ends. If it was killed, rerun the same command to resume it, run the playbook"
            " slipway.aws.rollback to roll it back, or set force=true (in the role: ecs_app_force) to replace it.",
            {"release": {"id": run.id, "started": run.started, "until": run.until, "by": run.by}},
        )
