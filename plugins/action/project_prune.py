# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_prune, and prints what it deletes and keeps as a list or as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, PrintingAction
from ansible_collections.slipway.aws.plugins.plugin_utils.prune import listing


class ActionModule(PrintingAction):
    """Prints what is deleted and kept."""

    returned = "deleted"

    def content(self, result: Json) -> Json:
        return {name: result[name] for name in ("deleted", "kept")}

    def lines(self, result: Json) -> Iterator[tuple[str, str | None]]:
        for line in listing(result, self._task.check_mode):
            yield line, None
