# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ecs_release and shows its progress, line by line."""

from __future__ import annotations

import atexit
import signal
import tempfile
import time
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import INTERRUPTED
from ansible_collections.slipway.aws.plugins.plugin_utils.follower import READ_EVERY, SEEN, Follower, lines_after
from ansible_collections.slipway.aws.plugins.plugin_utils.git import revision_of
from ansible_collections.slipway.aws.plugins.plugin_utils.task_lines import shower

# Seconds to wait for the last lines of an interrupted module.
LAST_LINES_SECONDS = 5.0
# The same for a module without any line yet: it handles signals before it changes anything.
FIRST_LINE_SECONDS = 1.0
FOLDER = "slipway-release-"
_LAST_WORD = "Interrupted."
NOTHING_CHANGED = "Interrupted. Nothing was changed."
CONTINUES = (
    "Interrupted. ECS continues the started deployments; this run no longer monitors them. To resume, rerun the same"
    " command. To roll back, run the playbook slipway.aws.rollback, or ecs_release with rollback=true."
)
# Signals that end a module which does not handle them, or not yet.
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM)


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Shows the lines of the file that the module writes its progress to."""

    _requires_connection = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("project") and not arguments.get("revision"):
            arguments["revision"] = revision_of(task_vars or {})
        # The file can be followed only on this machine. With no_log nothing is shown.
        if self._task.no_log or self._connection.transport != "local":
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
            return killed(result, None)
        with tempfile.TemporaryDirectory(prefix=FOLDER, dir=constants.DEFAULT_LOCAL_TMP) as folder:
            path = Path(folder, "progress")
            if arguments.get("progress"):
                path.symlink_to(Path(arguments["progress"]).expanduser().absolute())
            arguments["progress"] = str(path)
            with Follower(path, shower(self._task)) as follower:
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        return killed(result, follower.lines)


def killed(result: dict[str, t.Any], lines: list[str] | None) -> dict[str, t.Any]:
    """The result of a module. If a signal ended it, an explanation replaces the traceback.

    `lines` is its progress, None if unknown. The module writes the first line before it changes anything.
    """
    code = int(result.get("rc") or 0)
    if "code" in result or not result.get("failed") or (code - 128 if code > 0 else -code) not in SIGNALS:
        return result
    message = NOTHING_CHANGED if lines == [] else CONTINUES
    return {"failed": True, "changed": lines != [], "code": INTERRUPTED, "msg": message, "progress": lines or []}


def show_last_lines() -> None:
    """Show the last lines of an interrupted module.

    Ansible's worker, which runs the action, ends at once when the user presses Ctrl-C. The main process, which loaded
    this file too, ends later, and Ansible removes its temporary folder only after that.
    """
    start = time.monotonic()
    for seen in Path(constants.DEFAULT_LOCAL_TMP).glob(f"{FOLDER}*/{SEEN}"):
        lines: list[str] = []
        while time.monotonic() < start + (LAST_LINES_SECONDS if lines else FIRST_LINE_SECONDS):
            lines = lines_after(seen, "progress")
            if any(_LAST_WORD in line for line in lines):
                break
            time.sleep(READ_EVERY)
        interrupted = [number for number, line in enumerate(lines) if _LAST_WORD in line]
        message = lines[interrupted[0] :] if interrupted else [] if lines else [NOTHING_CHANGED]
        if message:
            Display().display("\n".join(f"  {line}" for line in message))


atexit.register(show_last_lines)
