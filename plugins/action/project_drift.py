# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_drift, prints its result as a list or as JSON, and writes the JUnit report."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils.drift import BAD, CHANGED, HEADING, QUIET, junit, listing

COLOURS = {
    BAD: constants.COLOR_ERROR,
    CHANGED: constants.COLOR_CHANGED,
    HEADING: constants.COLOR_HIGHLIGHT,
    QUIET: constants.COLOR_SKIP,
}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Prints the drift. With no_log nothing is printed."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result.update(self._execute_module(module_args=dict(self._task.args), task_vars=task_vars))
        if "drift" not in result:
            return result
        report = str(self._task.args.get("junit") or "")
        if report:
            path = Path(report).expanduser()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(junit(result["drift"]), encoding="utf-8")
        if not self._task.no_log:
            show(result["drift"], str(self._task.args.get("format") or "list"))
        # The callback slipway.aws.steps ends the run with it.
        return {**result, "slipway_exit_code": result["exit_code"]}


def show(drift: dict[str, t.Any], form: str) -> None:
    if form == "json":
        Display().display(json.dumps(drift, indent=2, ensure_ascii=False))
    elif form == "list":
        for line in listing(drift):
            Display().display(line.text, color=COLOURS.get(line.kind))
