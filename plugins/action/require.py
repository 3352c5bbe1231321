# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluates conditions as ansible.builtin.assert does, and fails with an error code."""

from __future__ import annotations

import typing as t
from importlib import import_module

# Its name is a keyword of Python.
Assert: t.Any = import_module("ansible.plugins.action.assert").ActionModule


class ActionModule(Assert):  # type: ignore[misc]  # Ansible has no types
    """Adds the code to what the other action returns."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        given: dict[str, t.Any] = self._task.args
        unknown, missing = given.keys() - {"that", "fail_msg", "code"}, {"that", "fail_msg", "code"} - given.keys()
        if unknown or missing:
            return {"failed": True, "msg": _problem(sorted(unknown), sorted(missing))}
        # A task that is tried again has the same arguments.
        self._task.args = {"that": given["that"], "fail_msg": given["fail_msg"], "quiet": True}
        try:
            result: dict[str, t.Any] = super().run(tmp, task_vars)
        finally:
            self._task.args = given
        return {**result, "code": given["code"]} if result.get("failed") else result


def _problem(unknown: list[str], missing: list[str]) -> str:
    got = [*unknown, *(f"no {name}" for name in missing)]
    return f"require: expected that, fail_msg and code, got {', '.join(got)}. Correct the options."
