# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follows a file that a module writes lines to, while the module runs."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import leave_stopping_to_main_thread

# How often the file is looked at, in seconds.
LOOK = 0.2
# Beside the file: how much of it was there before.
SEEN = "seen"


class Follower:
    """Shows each line that is added to a file, until the block ends."""

    def __init__(self, path: Path, show: t.Callable[[str], t.Any]) -> None:
        self._path = path
        self._show = show
        self.lines: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        # What others wrote into it before is no news.
        self._seen = path.stat().st_size if path.exists() else 0
        path.with_name(SEEN).write_text(str(self._seen))

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        leave_stopping_to_main_thread()
        while not self._over.wait(LOOK):
            self._show_new()
        self._show_new()

    def _show_new(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._seen)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.lines.append(line.decode().rstrip())
                self._show(f"  {self.lines[-1]}")
                self._seen += len(line)
