# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_prune, and prints what it deletes and keeps as a list or as JSON."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils.prune import listing


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Prints the result. With no_log nothing is printed."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        given = dict(self._task.args)
        result.update(self._execute_module(module_args=given, task_vars=task_vars))
        if "deleted" in result and not self._task.no_log:
            show(result, str(given.get("format") or "list"), self._task.check_mode)
        return result


def show(result: dict[str, t.Any], form: str, check_mode: bool) -> None:
    if form == "json":
        members = {name: result[name] for name in ("deleted", "kept")}
        Display().display(json.dumps(members, indent=2, ensure_ascii=False))
    elif form == "list":
        for line in listing(result, check_mode):
            Display().display(line)
