# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address and port that a program listens on, from what it logs at its start. No calls."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable

# Only such lines count. Others name addresses that the program connects to.
_STARTS = re.compile(
    r"\b(listen|serving|server (is )?running|running (on|at)|started|starting|ready on|bound to)", re.IGNORECASE
)
_ADDRESS = r"(?P<address>127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\]|::1?|\*)"
_PLACE = re.compile(
    rf"(?<![\w.]){_ADDRESS}:(?P<port>\d{{2,5}})\b"
    r"|\bport(?:s|\(s\))?\W{1,4}(?P<only>\d{2,5})\b"
    r"|\s:(?P<bare>\d{2,5})\b",
    re.IGNORECASE,
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


class Place(t.NamedTuple):
    """An address and port that a program listens on. The address is empty if the log names only a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}" if self.address else f"port {self.port}"


def places(lines: Iterable[str]) -> list[Place]:
    """All addresses that the log says the program listens on, in its order."""
    return [
        Place((found["address"] or "").lower(), int(found["port"] or found["only"] or found["bare"]))
        for line in lines
        if _STARTS.search(line)
        for found in _PLACE.finditer(line)
    ]


def other_places(lines: Iterable[str], port: int) -> list[Place]:
    """The addresses that the program listens on if a load balancer cannot reach any: another port, or loopback only.

    Empty if the log names none, or one that it can reach.
    """
    found = places(lines)
    if any(place.port == port and place.address not in LOOPBACK for place in found):
        return []
    return [place for place in found if place.port == port] or found
