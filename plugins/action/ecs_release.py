# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ecs_release and shows the lines of its progress as they come."""

from __future__ import annotations

import atexit
import tempfile
import threading
import time
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import leave_stopping_to_main_thread

# How often the file is looked at, in seconds.
LOOK = 0.2
# For how long an interrupted module may take to say where it stands.
LAST_WORDS = 5.0
FOLDER = "slipway-release-"
INTERRUPTED = "Interrupted."


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Follows the file that the module writes its progress to."""

    _requires_connection = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        # The module's file can be followed where it is written on this machine, and has to stay silent where asked.
        if self._task.no_log or self._connection.transport != "local":
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
            return result
        with tempfile.TemporaryDirectory(prefix=FOLDER, dir=constants.DEFAULT_LOCAL_TMP) as folder:
            path = Path(folder, "progress")
            if arguments.get("progress"):
                path.symlink_to(Path(arguments["progress"]).expanduser().absolute())
            arguments["progress"] = str(path)
            with Follower(path, Display().display):
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        return result


class Follower:
    """Shows each line that is added to a file, until the block ends."""

    def __init__(self, path: Path, show: t.Callable[[str], t.Any]) -> None:
        self._path = path
        self._show = show
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        # What others wrote into it before is no news.
        self._seen = path.stat().st_size if path.exists() else 0

    def __enter__(self) -> None:
        self._thread.start()

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
                self._show(f"  {line.decode().rstrip()}")
                self._seen += len(line)


def show_last_words() -> None:
    """Show what an interrupted module had to say.

    Ansible's worker, in which the action runs, ends at once when the user presses Ctrl-C. The main process, which has
    loaded this file too, ends later. Ansible removes its temporary folder only after that.
    """
    end = time.monotonic() + LAST_WORDS
    for path in Path(constants.DEFAULT_LOCAL_TMP).glob(f"{FOLDER}*/progress"):
        while path.exists() and time.monotonic() < end:
            lines = path.read_text().splitlines()
            words = [number for number, line in enumerate(lines) if INTERRUPTED in line]
            if words:
                Display().display("\n".join(f"  {line}" for line in lines[words[0] :]))
                break
            time.sleep(LOOK)


atexit.register(show_last_words)
