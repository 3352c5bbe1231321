# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is pruned and what is kept, as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_MEGABYTE = 1_000_000


def listing(result: Json, check_mode: bool) -> list[str]:
    """A line for each thing that is deleted or kept, and one that sums up."""
    deleted = result["deleted"]
    verb = "would delete" if check_mode else "deleted"
    lines = [f"{verb}  {text}" for text in _deleted(deleted)]
    width = max(map(len, (verb, "kept")))
    lines += [f"{'kept':{width}}  {one['kind']} {one['name']}: {one['reason']}" for one in result["kept"]]
    counts = [
        _counted(len(deleted["releases"]), "release"),
        _counted(len(deleted["task_definitions"]), "task definition"),
        _counted(len(deleted["images"]), "image"),
    ]
    size = f", at most {deleted['bytes'] / _MEGABYTE:.0f} MB" if deleted["images"] else ""
    return [*lines, f"{verb[0].upper()}{verb[1:]} {', '.join(counts)}{size}; kept {len(result['kept'])}."]


def _deleted(deleted: Json) -> Iterator[str]:
    yield from (f"release {number} of the history" for number in deleted["releases"])
    yield from (f"task definition {name}" for name in deleted["task_definitions"])
    for one in deleted["images"]:
        tags = f" ({', '.join(one['tags'])})" if one["tags"] else ""
        yield f"image {one['repository']}@{one['digest']}{tags}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
