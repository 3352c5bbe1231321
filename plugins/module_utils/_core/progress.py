# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines for people, kept for the result and, optionally, written to a file at once."""

from __future__ import annotations

import datetime

from .error_codes import INVALID_OPTION
from .errors import SlipwayError
from .waiting import Clock

# Seconds without a line after which one reports that work continues.
SILENCE = 30.0


class Progress:
    """`say` adds a line with the time of day; `silent_for` is the time since the last one."""

    def __init__(self, path: str | None, clock: Clock | None = None) -> None:
        self.lines: list[str] = []
        self._now = (clock or Clock()).now
        self._said = self._now()
        try:
            self._file = open(path, "a", encoding="utf-8") if path else None  # noqa: SIM115
        except OSError as error:
            raise SlipwayError(
                INVALID_OPTION, f"progress: expected a writable file, got {path}: {error.strerror}."
            ) from error

    def say(self, text: str) -> None:
        self._said = self._now()
        lines = [f"{datetime.datetime.now():%H:%M:%S}  {line}" for line in text.splitlines()]
        self.lines += lines
        if self._file:
            # At once, so that nobody reads half of it.
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()

    @property
    def silent_for(self) -> float:
        return self._now() - self._said
