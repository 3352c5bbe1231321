# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_drift, prints its result as a list or as JSON, and writes the JUnit report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ansible import constants

from ansible_collections.slipway.aws.plugins.plugin_utils.drift import BAD, CHANGED, HEADING, QUIET, junit, listing
from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, PrintingAction

COLOURS = {
    BAD: constants.COLOR_ERROR,
    CHANGED: constants.COLOR_CHANGED,
    HEADING: constants.COLOR_HIGHLIGHT,
    QUIET: constants.COLOR_SKIP,
}


class ActionModule(PrintingAction):
    """Prints the drift."""

    returned = "drift"

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result = super().run(tmp, task_vars)
        if "drift" not in result:
            return result
        report = str(self._task.args.get("junit") or "")
        if report:
            path = Path(report).expanduser()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(junit(result["drift"]), encoding="utf-8")
        # The callback slipway.aws.steps ends the run with it.
        return {**result, "slipway_exit_code": result["exit_code"]}

    def lines(self, result: Json) -> Iterator[tuple[str, str | None]]:
        for line in listing(result["drift"]):
            yield line.text, COLOURS.get(line.kind)
