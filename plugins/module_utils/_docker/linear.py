# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Matching of patterns in a time that grows with the path alone, however many stars a pattern has.

Python's expressions try one way after the other, which takes exponential time; Docker's (Go's) follow all ways at once.
So does this: each place in the pattern is a bit, and one character of the path moves all bits.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

# The parts of an expression that stands for a pattern of a .dockerignore file.
_PART = re.compile(r"(?P<folders>\(\.\*/\)\?)|(?P<one>\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|.)(?P<star>\*?)", re.DOTALL)


def is_risky(expression: str) -> bool:
    """Whether Python's own way could take long: with one star only it cannot."""
    return expression.count("*") > 2 or expression.count("(.*/)?") > 1


@dataclass(frozen=True)
class _Place:
    """What a character has to be to leave a place or to stay there, and which places are free to skip to."""

    leave: re.Pattern[str] | None = None
    stay: re.Pattern[str] | None = None
    skip: tuple[int, ...] = ()


class LinearPattern:
    """A translated pattern; `search` is as that of re.Pattern, without a place where it matched."""

    def __init__(self, expression: str) -> None:
        self._places = _places_of(expression.removeprefix("^").removesuffix(r"\Z"))
        self._end = 1 << len(self._places)
        self._skips = [(1 << here, place.skip) for here, place in enumerate(self._places) if place.skip]
        self._moves = functools.cache(self._moves_for)

    def search(self, path: str) -> bool:
        states = self._closed(1)
        for character in path:
            leave, stay = self._moves(character)
            states = self._closed(((states & leave) << 1) | (states & stay))
            if not states:
                return False
        return bool(states & self._end)

    def _moves_for(self, character: str) -> tuple[int, int]:
        """The places that this character leads on from, and those where it may be repeated."""
        leave = stay = 0
        for here, place in enumerate(self._places):
            leave |= bool(place.leave and place.leave.fullmatch(character)) << here
            stay |= bool(place.stay and place.stay.fullmatch(character)) << here
        return leave, stay

    def _closed(self, states: int) -> int:
        """With the places that are reached without a character; they only lead forward, so one pass is enough."""
        for bit, skip in self._skips:
            if states & bit:
                for distance in skip:
                    states |= bit << distance
        return states


def _places_of(expression: str) -> list[_Place]:
    places: list[_Place] = []
    for part in _PART.finditer(expression):
        if part["folders"]:
            # Either none, or any characters up to a slash.
            places += [_Place(skip=(1, 2)), _Place(leave=re.compile("/"), stay=re.compile("."))]
        elif part["star"]:
            places.append(_Place(stay=re.compile(part["one"]), skip=(1,)))
        else:
            places.append(_Place(leave=re.compile(part["one"])))
    return places
