# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: steps
type: stdout
short_description: Ansible's usual output, with the banner of a task before it runs, and each failure once
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Where skipped tasks are not shown, Ansible prints a task's banner only when it has ended. So nobody sees what a run
    waits for, and the progress of M(slipway.aws.ecs_release) stands above the banner of its task.
  - This prints the banner at once for each task that cannot be skipped, and for those that show progress or wait.
  - The reason of a failure is printed once, in the result, without line breaks and quotes that YAML adds. With C(-v),
    Ansible's own error with the place in the playbook comes first.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set as stdout in the configuration, C(stdout_callback = slipway.aws.steps).
"""

from typing import Any

from ansible.plugins.callback.default import CallbackModule as Default

SHOW_PROGRESS = (
    *("acm_certificate_request", "auto_scaling_group", "ecs_capacity_provider", "ecs_cluster", "ecs_release"),
    *("ecs_service", "ecs_task_run", "service_discovery_namespace"),
)
# Text that is longer would be wrapped.
LINE = 60


class CallbackModule(Default):  # type: ignore[misc]  # Ansible has no types
    """The default, but for the moment of a banner, and with each failure printed once."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "slipway.aws.steps"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        super().v2_playbook_on_task_start(task, is_conditional)
        shown = self._last_task_banner == task._uuid
        if not shown and (waits(task) or not (task.when or task.loop)):
            self._print_task_banner(task)

    def _handle_exception(self, result: Any, use_stderr: bool = False) -> None:
        """Ansible prints the reason of a failed module or action twice: as an error, and in the result that follows."""
        if self._display.verbosity == 0 and result.get("msg") and in_result(self._current_task_result):
            result.pop("exception", None)
        super()._handle_exception(result, use_stderr=use_stderr)

    def _dump_results(self, result: Any, *arguments: Any, **options: Any) -> str:
        """YAML wraps a long text and doubles its quotes, but not in a block, which a line break makes of it."""
        text = result.get("msg")
        if isinstance(text, str) and (len(text) > LINE or "'" in text) and self.get_option("result_format") == "yaml":
            result = {**result, "msg": f"{text}\n"}
        return str(super()._dump_results(result, *arguments, **options))


def in_result(task_result: Any) -> bool:
    """Whether a failure is what a module or action returned. Others have a place in a file to show."""
    event = getattr(getattr(task_result, "exception", None), "event", None)
    cause = getattr(getattr(event, "chain", None), "event", None)
    own = getattr(cause, "msg", None) in ("Module failed.", "Action failed.")
    return own and not getattr(event, "formatted_traceback", None)


def waits(task: Any) -> bool:
    """Whether a task can take so long that its name has to stand there meanwhile."""
    ours = str(task.action).removeprefix("slipway.aws.")
    return ours in SHOW_PROGRESS or bool(task.until) or "Wait until" in str(task.name)
