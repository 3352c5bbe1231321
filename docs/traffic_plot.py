# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws which version answered requests, second by second, as an SVG: traffic_plot.py measured.json plot.svg

The measured file is JSON with `rows`, one for each request (seconds since the start, listener, version, status), and
`stages`, one for each second (seconds, status, lifecycle stage, weight of the new version).
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 860, 300, 50, 40, 40
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#e45756")
# Requests of so many seconds are one column.
COLUMN = 2


def shares(rows: list[list[Any]]) -> dict[int, Counter[str]]:
    """The versions that answered on the production listener, by column."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for seconds, listener, version, _status in rows:
        if listener == "production":
            found[int(seconds // COLUMN)][str(version)] += 1
    return found


def drawn(measured: dict[str, Any]) -> str:
    columns = shares(measured["rows"])
    versions = sorted({version for counted in columns.values() for version in counted})
    last = max(columns)
    scale = (WIDTH - LEFT - 10) / (last + 1)
    depth = HEIGHT - TOP - BOTTOM
    parts = [text(LEFT, 16, "Requests on the production listener by version, in percent")]
    for number, counted in sorted(columns.items()):
        below = 0.0
        for place, version in enumerate(versions):
            share = counted[version] / sum(counted.values())
            y = TOP + depth * (1 - below - share)
            size = f'width="{scale + 0.3:.1f}" height="{depth * share:.1f}"'
            parts.append(f'<rect x="{LEFT + number * scale:.1f}" y="{y:.1f}" {size} fill="{COLOURS[place % 4]}"/>')
            below += share
    parts += [text(LEFT - 8, TOP + depth * (1 - one / 100) + 4, str(one), "end") for one in (0, 50, 100)]
    seconds = range(0, (last + 1) * COLUMN, 20)
    parts += [text(LEFT + one / COLUMN * scale, HEIGHT - 22, f"{one} s", "middle") for one in seconds]
    for place, version in enumerate(versions):
        parts.append(
            f'<rect x="{LEFT + place * 90}" y="{HEIGHT - 14}" width="10" height="10" fill="{COLOURS[place % 4]}"/>'
        )
        parts.append(text(LEFT + 15 + place * 90, HEIGHT - 5, version))
    parts += stage_lines(measured["stages"], scale)
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">{"".join(parts)}</svg>\n'


def stage_lines(stages: list[list[Any]], scale: float) -> list[str]:
    """Where the weight that AWS shows changed."""
    found, before = [], None
    for seconds, _status, _stage, weight in stages:
        if weight is not None and weight != before and before is not None:
            x = LEFT + seconds / COLUMN * scale
            found.append(f'<path d="M{x:.1f} {TOP} V{HEIGHT - BOTTOM}" stroke="#333" stroke-dasharray="3"/>')
            found.append(text(x + 3, TOP - 6, f"weight {weight:g}"))
        before = before if weight is None else weight
    return found


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="11" text-anchor="{anchor}">{words}</text>'
    )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.write_text(drawn(json.loads(source.read_text())))
