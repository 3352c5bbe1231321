# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the history records of a release and of its services. No calls."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._core.history import FAILED, IN_PROGRESS, INTERRUPTED, OPEN, ROLLBACK_FAILED, ROLLED_BACK, SUCCEEDED, Entry
from ..._core.types import Json
from .result import service_after
from .state import ServiceRelease


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What a run is about to do: a release, or a rollback, `to` an earlier release if it restores one."""

    id: str
    action: t.Literal["release", "rollback"] = "release"
    to: int | None = None
    # The revision in git of what a rollback restores.
    revision: str = ""


def changing(services: Sequence[ServiceRelease]) -> list[ServiceRelease]:
    """The services that a release changes, those included that it completes for an unfinished one."""
    return [service for service in services if not service.kept and (service.changed or service.needs_checkpoint)]


def runs_before(service: ServiceRelease) -> str:
    """ARN of what a service ran before the release, and before the unfinished one that it resumes; empty for none."""
    current = str((service.current or {}).get("task_definition", ""))
    if service.checkpoint is None:
        return current
    if service.checkpoint.options is None:
        return ""
    return str(service.checkpoint.options.get("task_definition") or current)


def runs_after(service: ServiceRelease) -> str:
    """ARN of what a service runs now; empty if it was deleted or never created."""
    return str(service_after(service).get("task_definition") or "")


def services_before(services: Sequence[ServiceRelease], versions: Mapping[str, Json]) -> dict[str, Json]:
    """The services as they are recorded before the first of them is touched."""
    return {
        service.name: {
            "state": "in_progress",
            "before": versions[service.name],
            "after": {},
            **({"order": sorted(service.after)} if service.after else {}),
        }
        for service in services
    }


def services_after(
    recorded: Mapping[str, Json], services: Sequence[ServiceRelease], versions: Mapping[str, Json]
) -> dict[str, Json]:
    """The same at the end."""
    return {
        service.name: {**recorded[service.name], "state": service.state, "after": versions[service.name]}
        for service in services
        if service.name in recorded
    }


def outcome_of(services: Sequence[ServiceRelease], *, stopped: bool, failed: bool) -> str:
    """How a release ended, with its checkpoints removed or not."""
    states = {service.state for service in services}
    if stopped:
        return INTERRUPTED
    if "rollback_failed" in states or any(service.rollback and service.rollback.in_progress for service in services):
        return ROLLBACK_FAILED
    if not failed:
        return SUCCEEDED
    return ROLLED_BACK if any(service.rollback for service in services) else FAILED


def resumed(entries: Sequence[Entry], intent: Intent, runs: Sequence[str]) -> int | None:
    """The unfinished release that this one completes or rolls back: of the same ID, or one whose checkpoints it has."""
    ids = {intent.id, *runs} - {""}
    for entry in reversed(entries):
        if entry.record.outcome not in (*OPEN, IN_PROGRESS):
            continue
        if entry.record.id in ids and not any(one.record.resumes == entry.number for one in entries):
            return entry.number
    return None


def ended_runs(entries: Sequence[Entry]) -> set[str]:
    """IDs of releases that no run carries out any more, whatever their checkpoints say: this run has the lock."""
    return {entry.record.id for entry in entries if entry.record.outcome in (IN_PROGRESS, INTERRUPTED)}
