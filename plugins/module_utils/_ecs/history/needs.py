# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the releases of a history need, so that services can be rolled back to them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.history import Entry
from ..._core.types import Json


def versions(entries: Sequence[Entry]) -> Iterator[tuple[str, Json]]:
    """What services ran before and after releases, each with the name of the release, the newest first."""
    for entry in reversed(entries):
        for service in (entry.record.services or {}).values():
            for version in (service["before"], service["after"]):
                if version:
                    yield f"release {entry.number}", version


def needed_revisions(entries: Sequence[Entry]) -> dict[str, str]:
    """The revisions that releases need, each with the newest release that does."""
    found: dict[str, str] = {}
    for release, version in versions(entries):
        found.setdefault(str(version["task_definition"]), f"{release} needs it")
    return found
