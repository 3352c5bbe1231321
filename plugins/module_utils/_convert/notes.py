# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a conversion leaves out, or has to be completed by hand. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from .._core.types import Json


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
            yield {"place": ", ".join(places), "reason": reason, "advice": advice}


def template(expression: str) -> Json:
    """A value that Ansible templates, in the form that the module inventory_files takes."""
    return {"__template__": expression}


def jinja_text(text: str) -> str:
    """A part of a template that stands for itself."""
    return f"{{{{ {text!r} }}}}" if "{{" in text or "{%" in text or "{#" in text else text


def without_empty(members: t.Mapping[str, t.Any]) -> Json:
    return {name: value for name, value in members.items() if value is not None and value not in ([], {})}
