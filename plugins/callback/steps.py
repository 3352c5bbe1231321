# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: steps
type: stdout
short_description: Ansible's default output, with task banners before long tasks, and each failure once
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - If skipped tasks are hidden, Ansible prints the banner of a task only after the task has ended. You then do not see
    what a run is waiting for, and the progress of M(slipway.aws.ecs_release) appears above the banner of its task.
  - This callback prints the banner before the task runs if the task cannot be skipped, shows progress or waits.
  - The reason of a failure is printed once, in the result, without the line breaks and quotes that YAML adds. With
    C(-v), Ansible's own error with the position in the playbook is printed first.
  - Of a play with the variable C(__slipway_quiet), such as that of the playbook C(slipway.aws.status), it prints
    failures alone, to the standard error output, so that programs can read what the play prints.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set it in the configuration with C(stdout_callback = slipway.aws.steps).
"""

from typing import Any

from ansible.plugins.callback.default import CallbackModule as Default

SHOW_PROGRESS = (
    *("acm_certificate_request", "auto_scaling_group", "ecs_capacity_provider", "ecs_cluster", "ecs_release"),
    *("ecs_service", "ecs_task_run", "service_discovery_namespace"),
)
# YAML wraps longer text.
LINE = 60
# A variable of plays.
QUIET = "__slipway_quiet"


class CallbackModule(Default):  # type: ignore[misc]  # Ansible has no types
    """The default callback, with earlier banners, and with each failure printed once."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "slipway.aws.steps"

    _display: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._full_display = self._display

    @property
    def _is_quiet(self) -> bool:
        return self._display is not self._full_display

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._display = FailuresOnly(self._full_display) if play.vars.get(QUIET) else self._full_display
        super().v2_playbook_on_play_start(play)

    def get_option(self, name: str, hostvars: Any = None) -> Any:
        return True if self._is_quiet and name == "display_failed_stderr" else super().get_option(name, hostvars)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        super().v2_playbook_on_task_start(task, is_conditional)
        shown = self._last_task_banner == task._uuid
        if not shown and (waits(task) or not (task.when or task.loop)):
            self._print_task_banner(task)

    def _handle_exception(self, result: Any, use_stderr: bool = False) -> None:
        """Print the reason of a failed module or action once. Ansible prints it as an error and in the result."""
        if self._display.verbosity == 0 and result.get("msg") and in_result(self._current_task_result):
            result.pop("exception", None)
        super()._handle_exception(result, use_stderr=use_stderr)

    def _dump_results(self, result: Any, *arguments: Any, **options: Any) -> str:
        """YAML wraps a long text and doubles its quotes, but not in a block, which a line break turns it into."""
        text = result.get("msg")
        if isinstance(text, str) and (len(text) > LINE or "'" in text) and self.get_option("result_format") == "yaml":
            result = {**result, "msg": f"{text}\n"}
        return str(super()._dump_results(result, *arguments, **options))


class FailuresOnly:
    """A display of what goes to the standard error output."""

    def __init__(self, display: Any) -> None:
        self._display = display

    def __getattr__(self, name: str) -> Any:
        return getattr(self._display, name)

    def banner(self, *_arguments: Any, **_options: Any) -> None:
        """Banners go to the standard output."""

    def display(self, message: str, *arguments: Any, stderr: bool = False, **options: Any) -> None:
        if stderr:
            self._display.display(message, *arguments, stderr=True, **options)


def in_result(task_result: Any) -> bool:
    """Whether a module or action returned the failure. Others have a position in a file to show."""
    event = getattr(getattr(task_result, "exception", None), "event", None)
    cause = getattr(getattr(event, "chain", None), "event", None)
    own = getattr(cause, "msg", None) in ("Module failed.", "Action failed.")
    return own and not getattr(event, "formatted_traceback", None)


def waits(task: Any) -> bool:
    """Whether a task may take so long that its banner has to be visible meanwhile."""
    ours = str(task.action).removeprefix("slipway.aws.")
    return ours in SHOW_PROGRESS or bool(task.until) or "Wait until" in str(task.name)
