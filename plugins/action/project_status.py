# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_status, and prints its result as a table or as JSON."""

from __future__ import annotations

import json
import shutil
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils.status import BAD, BUSY, HEADING, QUIET, table

# Ansible's main process loads this file; its workers, which run the action, have no terminal. COLUMNS goes before it.
WIDTH = shutil.get_terminal_size((100, 24)).columns
COLOURS = {
    BAD: constants.COLOR_ERROR,
    BUSY: constants.COLOR_CHANGED,
    HEADING: constants.COLOR_HIGHLIGHT,
    QUIET: constants.COLOR_SKIP,
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Prints the status. With no_log nothing is printed."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result.update(self._execute_module(module_args=dict(self._task.args), task_vars=task_vars))
        if "status" in result and not self._task.no_log:
            show(result["status"], str(self._task.args.get("format") or "table"))
        return result


def show(status: dict[str, t.Any], form: str) -> None:
    if form == "json":
        Display().display(json.dumps(status, indent=2, ensure_ascii=False))
    elif form == "table":
        for line in table(status, WIDTH):
            Display().display(line.text, color=COLOURS.get(line.kind))
