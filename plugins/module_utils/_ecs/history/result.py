# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history as data. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from ..._core.history import Entry, outcome_of
from ..._core.types import Json

# Of this form.
VERSION = 1


def result_of(project: str, entries: Sequence[Entry], problems: Mapping[int, str], now: datetime.datetime) -> Json:
    """The releases of a project, newest first."""
    resumed_by = {entry.record.resumes: entry.number for entry in entries if entry.record.resumes is not None}
    return {
        "version": VERSION,
        "project": project,
        "read_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "releases": [
            {
                **_release(entry, outcome_of(entry, entries, now)),
                "resumed_by": resumed_by.get(entry.number),
                "problem": problems.get(entry.number),
            }
            for entry in reversed(entries)
        ],
    }


def _release(entry: Entry, outcome: str) -> Json:
    record = entry.record
    return {
        "number": entry.number,
        "action": record.action,
        "to": record.to,
        "resumes": record.resumes,
        "outcome": outcome,
        "code": record.code or None,
        "started_at": record.started or None,
        "ended_at": record.ended or None,
        "seconds": record.seconds,
        "renewed_at": f"{entry.modified.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "by": record.by or None,
        "host": record.host or None,
        "revision": record.revision or None,
        "promoted_from": record.promoted_from or None,
        "cluster": record.cluster or None,
        "services": None if record.services is None else [_service(name, one) for name, one in record.services.items()],
    }


def _service(name: str, service: Json) -> Json:
    return {
        "name": name,
        "state": service["state"],
        "before": _version(service["before"]),
        "after": _version(service["after"]),
    }


def _version(version: Json) -> Json | None:
    """A version; None if the service did not exist, or is not known to have ended."""
    if not version:
        return None
    images = version["images"]
    names = ("container", "image", "digest")
    return {
        "task_definition": version["task_definition"],
        "images": None if images is None else [dict(zip(names, image, strict=True)) for image in images],
    }
