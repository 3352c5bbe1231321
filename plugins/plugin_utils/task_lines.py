# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines that a task displays while it runs. A callback knows by their types whose they are; others print them."""

from __future__ import annotations

import re
import typing as t

from ansible.utils.display import Display


class TaskLine(str):
    """A line of progress, and the identity of its task."""

    task = ""

    @classmethod
    def of(cls, task: str, text: str) -> t.Self:
        line = cls(text)
        line.task = task
        return line


class WaitingLine(TaskLine):
    """What a task waits for, and for how long already."""


# How lines begin, after the time of day, that only say that work continues.
WAITS = re.compile(r"\s*\d\d:\d\d:\d\d  (?:Waiting for |In progress: \d+ of )")


def shower(task: t.Any) -> t.Callable[[str], t.Any]:
    """A function that displays the lines of a task."""

    def show(text: str) -> None:
        kind = WaitingLine if WAITS.match(text) else TaskLine
        Display().display(kind.of(str(task._uuid), text))

    return show
