# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of modules that wait. It shows what they wait for, and for how long."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import WAITING_FILE
from ansible_collections.slipway.aws.plugins.plugin_utils.follower import Follower
from ansible_collections.slipway.aws.plugins.plugin_utils.task_lines import shower

LINES_FILE = "lines"


class WaitingAction(NormalAction):  # type: ignore[misc]  # Ansible has no types
    """Runs the module of the same name, and shows the lines that it writes while it waits."""

    folder = "slipway-waiting-"

    def shower(self) -> t.Callable[[str], t.Any]:
        """What shows a line."""
        return shower(self._task)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        # The file can be followed only on this machine. With no_log nothing is shown.
        if self._task.no_log or self._task.async_val or self._connection.transport != "local":
            return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))
        given = self._task.environment
        with tempfile.TemporaryDirectory(prefix=self.folder, dir=constants.DEFAULT_LOCAL_TMP) as folder:
            path = Path(folder, LINES_FILE)
            self._task.environment = [*_listed(given), {WAITING_FILE: str(path)}]
            try:
                with Follower(path, self.shower()):
                    return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))
            finally:
                self._task.environment = given


def _listed(environment: t.Any) -> list[t.Any]:
    if environment is None:
        return []
    return environment if isinstance(environment, list) else [environment]
