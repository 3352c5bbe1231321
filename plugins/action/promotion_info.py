# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module promotion_info, and prints which images a stage gets."""

from __future__ import annotations

from collections.abc import Iterator

from ansible import constants

from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, PrintingAction
from ansible_collections.slipway.aws.plugins.plugin_utils.promotion import lines

COLOURS = {True: constants.COLOR_CHANGED, False: None}


class ActionModule(PrintingAction):
    """Prints the images."""

    returned = "images"

    def lines(self, result: Json) -> Iterator[tuple[str, str | None]]:
        for line in lines(result):
            yield line.text, COLOURS[line.changed]
