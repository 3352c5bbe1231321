# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end of a release. No calls."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence


class Row(t.NamedTuple):
    """One service in the table."""

    name: str
    outcome: str
    before: str
    after: str
    running: str
    seconds: float


def table(rows: Sequence[Row]) -> list[str]:
    """The table as lines of text."""
    if not rows:
        return []
    lines = [("SERVICE", "OUTCOME", "BEFORE", "NOW", "RUNNING", "SECONDS")]
    lines += [
        (row.name, row.outcome, row.before or "-", row.after or "-", row.running or "-", f"{row.seconds:.0f}")
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
