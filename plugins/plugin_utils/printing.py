# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module and prints what it returned, for people or for programs."""

from __future__ import annotations

import json
import typing as t
from abc import abstractmethod
from collections.abc import Iterable

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

Json = dict[str, t.Any]


class PrintingAction(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """The module has an option `format`: json, none, or anything else for lines. With no_log nothing is printed."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    # The member that a result has only if the module succeeded.
    returned: t.ClassVar[str]

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        result.update(self._execute_module(module_args=dict(self._task.args), task_vars=task_vars))
        form = self._task.args.get("format")
        if self.returned in result and form != "none" and not self._task.no_log:
            if form == "json":
                print_json(self.content(result))
            else:
                for text, colour in self.lines(result):
                    Display().display(text, color=colour)
        return result

    def content(self, result: Json) -> t.Any:
        """What the format json prints."""
        return result[self.returned]

    @abstractmethod
    def lines(self, result: Json) -> Iterable[tuple[str, str | None]]:
        """What people read: lines and their colours."""


def print_json(content: t.Any) -> None:
    """For programs, which read standard output."""
    Display().display(json.dumps(content, indent=2, ensure_ascii=False))
