# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follows a file that a module writes lines to while it runs."""

from __future__ import annotations

import signal
import threading
import typing as t
from pathlib import Path

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import leave_stopping_to_main_thread

# Seconds between two reads of the file.
READ_EVERY = 0.2
# A second file contains the size that it had before.
SEEN = "seen"
# Seconds that a signal waits until the current line is shown.
LINE_SECONDS = 1.0
STOPPING = (signal.SIGINT, signal.SIGTERM)


def lines_after(seen: Path, name: str) -> list[str]:
    """The lines that this run has added to the file of that name next to a file of seen sizes."""
    path = seen.with_name(name)
    return path.read_bytes()[int(seen.read_text()) :].decode().splitlines() if path.exists() else []


class Follower:
    """Shows each line that is added to a file, until the block ends."""

    def __init__(self, path: Path, show: t.Callable[[str], t.Any]) -> None:
        self._path = path
        self._show = show
        self.lines: list[str] = []
        self._over = threading.Event()
        self._showing = threading.Lock()
        self._handlers: dict[signal.Signals, t.Any] = {}
        self._thread = threading.Thread(target=self._follow, daemon=True)
        # Skip what it contained before.
        self._seen = path.stat().st_size if path.exists() else 0
        path.with_name(SEEN).write_text(str(self._seen))

    def __enter__(self) -> Follower:
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._stop) for number in STOPPING}
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: t.Any) -> None:
        """Finish the current line first.

        A worker that ends within it keeps the lock of Ansible's queue, and the main process would wait for it forever.
        """
        self._showing.acquire(timeout=LINE_SECONDS)
        handler = self._handlers[signal.Signals(number)]
        signal.signal(number, handler)
        if callable(handler):
            handler(number, frame)
        else:
            signal.raise_signal(number)

    def _follow(self) -> None:
        leave_stopping_to_main_thread()
        while not self._over.wait(READ_EVERY):
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
                with self._showing:
                    self._show(f"  {self.lines[-1]}")
                self._seen += len(line)
