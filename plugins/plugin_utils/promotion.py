# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a stage gets from another one, as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Json = Mapping[str, Any]

DIGEST = 12


class Line(NamedTuple):
    """A line of the list, and whether its image changes."""

    text: str
    changed: bool = False


def lines(result: Json) -> list[Line]:
    """The origin, then a line for each container."""
    origin = result.get("promoted_from")
    found = [Line(f"Images of {origin_text(origin)}:")] if origin else []
    for one in result["containers"]:
        before, after = short(one["before"]), short(one["after"])
        changed = before != after
        text = f"{before} -> {after}" if changed else f"{after}, unchanged"
        found.append(Line(f"  {one['service']}, container {one['container']}: {text}", changed))
    return found


def origin_text(origin: Json) -> str:
    release = f", release {origin['release']}" if origin.get("release") is not None else ""
    return f"{origin['project']} in {origin['region']}, account {origin['account']}{release}"


def short(reference: str | None) -> str:
    """The repository and the beginning of the digest."""
    if not reference:
        return "none"
    path, _at, digest = reference.partition("@")
    return f"{path.rpartition('/')[2]}@{digest.removeprefix('sha256:')[:DIGEST]}"
