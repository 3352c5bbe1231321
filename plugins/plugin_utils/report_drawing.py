# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pictures consist of: boxes, texts, marks and lines at their places; texts are measured, and wrap. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ansible_collections.slipway.aws.plugins.plugin_utils.report_topology import STATES

T = TypeVar("T")

# Sizes of text by their class in the style sheet, with the height of a line; bold ones are wider.
SIZES = {"title": (14, 20), "name": (12.5, 18), "note": (11, 16)}
BOLD = 1.14
# Widths of characters in DejaVu Sans and Verdana, the widest of the usual fonts, in parts of the font's size.
NARROW = dict.fromkeys("ijlI.,:;'|!()[]/ -", 0.4) | dict.fromkeys('ft"`*_?', 0.55)
WIDE = dict.fromkeys("mwMW%@#+<>=&^~", 1.0)
OTHER, CAPITAL, FOREIGN = 0.64, 0.8, 1.1
WIDTHS = NARROW | WIDE | dict.fromkeys("acekrsvxyz", 0.6) | dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ", CAPITAL)
# Where a name may be broken; what is longer than a line is broken anywhere.
BREAKS = re.compile(r"(?<=[-/._:@, ])")

SMALL = 8.0
RADII = {
    "region": 16,
    "vpc": 12,
    "zone": 10,
    "subnet": 8,
    "balancer": 10,
    "pill": 15,
    "card": 10,
    "idle": 10,
    "cluster": 10,
}
RADII |= {"chip": 6, "node": 6}


@dataclass
class Box:
    """A box inside another one; `parent` is that one's index, or -1."""

    kind: str
    x: float
    y: float
    width: float
    height: float = 0.0
    parent: int = -1
    link: str = ""
    title: str = ""

    @property
    def radius(self) -> int:
        return RADII[self.kind.split()[0]]


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    kind: str
    box: int


@dataclass(frozen=True)
class Mark:
    """A symbol of the style sheet: a state of a task, or an icon."""

    x: float
    y: float
    symbol: str
    box: int

    @property
    def is_state(self) -> bool:
        return self.symbol in STATES


@dataclass(frozen=True)
class Line:
    points: tuple[tuple[float, float], ...]

    @property
    def head(self) -> tuple[tuple[float, float], ...]:
        """The arrowhead: a triangle at the end."""
        (x0, _y0), (x, y) = self.points[-2:]
        if x0 == x:
            return ((x, y), (x - 4, y - 7), (x + 4, y - 7))
        return ((x, y), (x - 7, y - 4), (x - 7, y + 4))


@dataclass(frozen=True)
class Group:
    """A box with what is written and drawn in it, without the boxes in it."""

    box: Box
    labels: list[Label]
    marks: list[Mark]


@dataclass
class Drawing:
    width: float
    height: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def groups(self) -> list[Group]:
        """Boxes from the outside to the inside."""
        found = [Group(box, [], []) for box in self.boxes]
        for label in self.labels:
            found[label.box].labels.append(label)
        for mark in self.marks:
            found[mark.box].marks.append(mark)
        return found

    def open(self, kind: str, x: float, y: float, width: float, parent: int = -1) -> int:
        self.boxes.append(Box(kind, x, y, width, parent=parent))
        return len(self.boxes) - 1

    def close(self, box: int, bottom: float) -> float:
        self.boxes[box].height = bottom - self.boxes[box].y
        return bottom

    def text(self, box: int, x: float, y: float, width: float, text: str, kind: str) -> float:
        """Write text into a box, wrapped; returns where the next line begins."""
        for line in wrapped(text, width, kind):
            self.labels.append(Label(x, y + SIZES[kind.split()[0]][1] * 0.76, line, kind, box))
            y += SIZES[kind.split()[0]][1]
        return y


def width_of(text: str, kind: str) -> float:
    """At most so wide is the text, in whatever font."""
    return sum(_widths(text, kind))


def _widths(text: str, kind: str) -> Iterator[float]:
    style = kind.split()[0]
    size = SIZES[style][0] * (1.0 if style == "note" else BOLD)
    return (WIDTHS.get(letter, OTHER if letter.isascii() else FOREIGN) * size for letter in text)


def wrapped(text: str, width: float, kind: str) -> list[str]:
    """Lines that fit."""
    lines, used = [""], 0.0
    for part in BREAKS.split(text):
        if used + width_of(part.rstrip(), kind) > width and lines[-1]:
            lines.append("")
            used = 0.0
        for letter, size in zip(part, _widths(part, kind), strict=True):
            # A part that is longer than a line; spaces may stand at the end of one.
            if used + size > width and lines[-1] and letter != " ":
                lines.append("")
                used = 0.0
            lines[-1] += letter
            used += size
    return [line.strip() for line in lines if line.strip()] or [""]


class Place(NamedTuple):
    """Where a box may be: its upper left corner, its width, and the box around it."""

    x: float
    y: float
    width: float
    parent: int

    def inside(self, margin: float, y: float) -> Place:
        return Place(self.x + margin, y, self.width - 2 * margin, self.parent)


def grid(drawing: Drawing, items: Sequence[T], cell: Callable[[T, Place], float], place: Place, least: float) -> float:
    """Cells in columns of one width, row by row, each of which draws its item and returns its bottom."""
    columns = max(1, min(len(items), int((place.width + SMALL) // (least + SMALL))))
    each = (place.width - SMALL * (columns - 1)) / columns
    y = bottom = place.y
    for start in range(0, len(items), columns):
        first = len(drawing.boxes)
        row = items[start : start + columns]
        places = (Place(place.x + n * (each + SMALL), y, each, place.parent) for n in range(columns))
        bottom = max(cell(one, at) for one, at in zip(row, places, strict=False))
        for box in drawing.boxes[first:]:
            if box.parent == place.parent:
                box.height = bottom - box.y
        y = bottom + SMALL
    return bottom
