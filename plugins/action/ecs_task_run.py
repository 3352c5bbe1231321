# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ecs_task_run and shows the output of its tasks, and what became of them in an interrupted run."""

from __future__ import annotations

import atexit
import time
from pathlib import Path

from ansible import constants
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils.follower import READ_EVERY, SEEN, lines_after
from ansible_collections.slipway.aws.plugins.plugin_utils.waiting import LINES_FILE, WaitingAction

FOLDER = "slipway-task-"
# Seconds to wait for the last line of an interrupted module.
LAST_LINE_SECONDS = 5.0
_LAST_WORD = "  Interrupted. "


class ActionModule(WaitingAction):
    """Ansible finds the plugin by this name."""

    folder = FOLDER


def show_last_line() -> None:
    """Show what became of the tasks of an interrupted module. Ansible's worker, which shows all lines, ends at once."""
    end = time.monotonic() + LAST_LINE_SECONDS
    for seen in Path(constants.DEFAULT_LOCAL_TMP).glob(f"{FOLDER}*/{SEEN}"):
        found: list[str] = []
        while not found and time.monotonic() < end:
            found = [line for line in lines_after(seen, LINES_FILE) if _LAST_WORD in line]
            time.sleep(0 if found else READ_EVERY)
        for line in found:
            Display().display(f"  {line}")


atexit.register(show_last_line)
