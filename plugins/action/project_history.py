# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_history, and prints its result as a table or as JSON."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.action.project_status import COLOURS, WIDTH
from ansible_collections.slipway.aws.plugins.plugin_utils.history import table


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Prints the history. With no_log nothing is printed."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        given = dict(self._task.args)
        result.update(self._execute_module(module_args=given, task_vars=task_vars))
        if "history" in result and not self._task.no_log:
            show(result["history"], str(given.get("format") or "table"), int(given.get("limit") or 20))
        return result


def show(history: dict[str, t.Any], form: str, limit: int) -> None:
    if form == "json":
        Display().display(json.dumps(history, indent=2, ensure_ascii=False))
    elif form == "table":
        for line in table(history, WIDTH, limit):
            Display().display(line.text, color=COLOURS.get(line.kind))
