# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_status, and prints its result as a table or as JSON."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ansible import constants

from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, PrintingAction
from ansible_collections.slipway.aws.plugins.plugin_utils.status import BAD, BUSY, HEADING, QUIET, table

# Ansible's main process loads this file; its workers, which run the action, have no terminal. COLUMNS goes before it.
WIDTH = shutil.get_terminal_size((100, 24)).columns
COLOURS = {
    BAD: constants.COLOR_ERROR,
    BUSY: constants.COLOR_CHANGED,
    HEADING: constants.COLOR_HIGHLIGHT,
    QUIET: constants.COLOR_SKIP,
}


class ActionModule(PrintingAction):
    """Prints the status."""

    returned = "status"

    def lines(self, result: Json) -> Iterator[tuple[str, str | None]]:
        for line in table(result["status"], WIDTH):
            yield line.text, COLOURS.get(line.kind)
