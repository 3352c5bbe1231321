# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ecs_service_logs, and shows each line at once, or all of them as JSON."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, print_json
from ansible_collections.slipway.aws.plugins.plugin_utils.waiting import WaitingAction

# Of the services, in the order in which they appear.
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright cyan", "bright green", "bright yellow")


class ActionModule(WaitingAction):
    """Ansible finds the plugin by this name."""

    folder = "slipway-logs-"

    def shower(self) -> t.Callable[[str], t.Any]:
        colours: dict[str, str] = {}

        def show(text: str) -> None:
            # The time, then the service and its container.
            service = text.split()[1].partition("/")[0] if len(text.split()) > 1 else ""
            colour = colours.setdefault(service, COLOURS[len(colours) % len(COLOURS)])
            Display().display(text.removeprefix("  "), color=colour)

        return show if self._task.args.get("format", "lines") == "lines" else lambda _text: None

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result = super().run(tmp, task_vars)
        if "lines" in result and self._task.args.get("format") == "json" and not self._task.no_log:
            print_json(result["lines"])
        return result
