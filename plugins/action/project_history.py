# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_history, and prints its result as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.slipway.aws.plugins.action.project_status import COLOURS, WIDTH
from ansible_collections.slipway.aws.plugins.plugin_utils.history import table
from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, PrintingAction


class ActionModule(PrintingAction):
    """Prints the history."""

    returned = "history"

    def lines(self, result: Json) -> Iterator[tuple[str, str | None]]:
        for line in table(result["history"], WIDTH, int(self._task.args.get("limit") or 20)):
            yield line.text, COLOURS.get(line.kind)
