# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last release of each service of a project, by its history. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.history import ROLLED_BACK, Entry
from .._core.types import Json


def last_releases(entries: Iterable[Entry], *, lasting: bool = False) -> dict[str, Json]:
    """By cluster and service. With `lasting`, releases that were rolled back do not count, as they changed nothing."""
    found: dict[str, Json] = {}
    for entry in entries:
        record = entry.record
        if lasting and record.outcome == ROLLED_BACK:
            continue
        release = {
            "number": entry.number,
            "action": record.action,
            "to": record.to,
            "outcome": record.outcome,
            "code": record.code,
            "started": record.started,
            "ended": record.ended,
            "id": record.id,
            "by": record.host or record.by,
        }
        found |= {f"{record.cluster}/{name}": release for name in record.services or ()}
    return found
