# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows which tasks are running and for how long: in place on a terminal, otherwise a line at growing intervals."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import threading
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import (
    LINES,
    leave_stopping_to_main_thread,
    next_line,
)
from ansible_collections.slipway.aws.plugins.plugin_utils.run_lines import duration, title, waited_for
from ansible_collections.slipway.aws.plugins.plugin_utils.task_lines import TaskLine, WaitingLine

# Seconds between two updates.
PAUSE = 0.25
# Back to the first column, and delete to the end of the line.
CLEAR = "\r\x1b[K"


@dataclass
class Running:
    """A task that runs on some hosts."""

    role: str
    name: str
    start: float
    hosts: set[str] = field(default_factory=set)
    due: float = LINES[0]
    """The seconds after which the next line about it is due."""
    detail: str = ""
    is_introduced: bool = False

    def __str__(self) -> str:
        host = next(iter(self.hosts)) if len(self.hosts) == 1 else f"{len(self.hosts)} hosts"
        return title(self.role, host, self.name)


class RunningTasks:
    """Tasks from their start to their end, and what is shown of them meanwhile."""

    def __init__(self, display: t.Any, *, terminal: bool, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._display = display
        self._terminal = terminal
        self._clock = clock
        self._tasks: dict[str, Running] = {}
        self._drawn = ""
        # The lock of Ansible's own output: nobody holds it while a worker is forked.
        self._lock = getattr(display, "_lock", None) or threading.RLock()
        self._process = os.getpid()
        self._print = display.display
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def watch(self) -> None:
        """From now on show them. Whatever else is displayed goes through here."""
        self._display.display = self._show
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive() and os.getpid() == self._process:
            self._thread.join()
        self._display.display = self._print
        self._clear()

    def begin(self, task: str, host: str, role: str, name: str, *, explains_itself: bool = False) -> None:
        """A task begins on a host. One that explains what it waits for is given time to."""
        with self._lock:
            due = LINES[1] if explains_itself else LINES[0]
            self._tasks.setdefault(task, Running(role, name, self._clock(), due=due)).hosts.add(host)

    def end(self, task: str, host: str) -> float:
        """The seconds that it took."""
        with self._lock:
            running = self._tasks.get(task)
            if running is None:
                return 0.0
            running.hosts.discard(host)
            if not running.hosts:
                del self._tasks[task]
                self._clear()
            return self._clock() - running.start

    def explain(self, task: str, detail: str) -> None:
        """What it waits for. The first explanation is shown at once."""
        with self._lock:
            if running := self._tasks.get(task):
                running.due = running.due if running.detail else 0.0
                running.detail = detail

    def _show(self, msg: str, *arguments: t.Any, **options: t.Any) -> None:
        """What replaces Display.display. In a worker that sends it to the main process."""
        if os.getpid() != self._process:
            self._print(msg, *arguments, **options)
            return
        with self._lock:
            running = self._tasks.get(msg.task) if isinstance(msg, TaskLine) else None
            if running and isinstance(msg, WaitingLine):
                self.explain(msg.task, waited_for(msg))
                return
            self._clear()
            if running:
                self._introduce(running)
            self._print(msg, *arguments, **options)
            if running:
                sys.stdout.flush()

    def _introduce(self, running: Running) -> None:
        """Print the title above a task's first line. Its lines say that it still runs."""
        if not running.is_introduced:
            self._print(str(running))
        running.is_introduced = True
        running.due = next_line(self._clock() - running.start)

    def _watch(self) -> None:
        leave_stopping_to_main_thread()
        while not self._over.wait(PAUSE):
            # Nothing that goes wrong here may end a run, or show more than once.
            try:
                self.show()
            except Exception:  # pylint: disable=broad-exception-caught
                return

    def show(self) -> None:
        """Show the tasks as they are now."""
        with self._lock:
            if self._terminal:
                self._draw()
            else:
                self._say()

    def _draw(self) -> None:
        if not self._tasks:
            return
        first, *others = sorted(self._tasks.values(), key=lambda one: one.start)
        more = f" (and {len(others)} more)" if others else ""
        text = self._text(first) + more
        line = text[: shutil.get_terminal_size().columns - 1]
        if line != self._drawn:
            self._write(f"{CLEAR}{line}")
            self._drawn = line

    def _say(self) -> None:
        for running in self._tasks.values():
            elapsed = self._clock() - running.start
            if elapsed >= max(running.due, LINES[0]):
                running.due = next_line(elapsed)
                self._print(self._text(running))
                sys.stdout.flush()

    def _text(self, running: Running) -> str:
        elapsed = self._clock() - running.start
        parts = [duration(int(elapsed))] if elapsed >= LINES[0] else []
        parts += [running.detail] if running.detail else []
        return f"{running} … {', '.join(parts)}".rstrip()

    def _clear(self) -> None:
        if self._drawn:
            self._drawn = ""
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
