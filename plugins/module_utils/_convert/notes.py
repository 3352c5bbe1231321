# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a conversion leaves out, or has to be completed by hand. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Sequence

from .._core.notes import Note
from .._core.types import Json

# As many services are named one by one.
_FEW = 4
_SERVICE = re.compile(r"services\.(?P<service>[^.]+)\.(?P<key>.+)")


class Notes:
    """Notes in the order in which they were made. The same reason at several places is one note."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], list[str]] = {}

    def add(self, place: str, reason: str, advice: str = "") -> None:
        places = self._places.setdefault((reason, advice), [])
        if place not in places:
            places.append(place)

    def __iter__(self) -> Iterator[Json]:
        for (reason, advice), places in self._places.items():
            yield Note(", ".join(_shortened(places)), reason, advice).to_result()


def _shortened(places: Sequence[str]) -> Iterator[str]:
    """The places; the same key of many services is one."""
    by_key: dict[str, list[str]] = {}
    for place in places:
        found = _SERVICE.fullmatch(place)
        by_key.setdefault(found["key"] if found else place, []).append(place)
    for key, same in by_key.items():
        yield from same if len(same) <= _FEW else [f"services.*.{key} ({len(same)} services)"]


def some_of(names: Sequence[str]) -> str:
    """A list of names that stays readable."""
    rest = len(names) - _FEW
    return ", ".join(names) if rest < 2 else f"{', '.join(names[:_FEW])} and {rest} others"


def without_empty(members: t.Mapping[str, t.Any]) -> Json:
    return {name: value for name, value in members.items() if value is not None and value not in ([], {})}
