# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ecs_service_deployment, shows what it waits for, and asks before it continues a deployment."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import NO_ANSWER
from ansible_collections.slipway.aws.plugins.plugin_utils.waiting import WaitingAction

ANSWERS = {"continue": False, "rollback": True}


class ActionModule(WaitingAction):
    """Ansible finds the plugin by this name."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        given = self._task.args
        seconds = given.get("ask_timeout")
        if seconds is None or given.get("state") != "continued" or self._task.check_mode:
            return super().run(tmp, task_vars)
        self._task.check_mode = True
        try:
            found = super().run(tmp, task_vars)
        finally:
            self._task.check_mode = False
        if found.get("failed") or not found.get("changed"):
            return found
        answer = ask([one for one in found["deployments"] if one["paused"]], int(seconds))
        if answer not in ANSWERS:
            return {
                **found,
                "changed": False,
                "failed": True,
                "code": NO_ANSWER,
                "msg": unanswered(answer, int(seconds)),
            }
        self._task.args = {**given, "rollback": ANSWERS[answer]}
        return super().run(tmp, task_vars)


def ask(paused: list[dict[str, t.Any]], seconds: int) -> str:
    """What the user answers; nothing if there is no terminal, or no answer in time."""
    lines = [f"{one['service']} is {one['paused']}." for one in paused]
    question = f"Type continue or rollback, then press Enter, within {seconds} s:"
    try:
        answer: bytes = Display().prompt_until("\n".join([*lines, question]), seconds=seconds)
    except (AnsiblePromptInterrupt, AnsiblePromptNoninteractive):
        return ""
    return answer.decode(errors="replace").strip().lower()


def unanswered(answer: str, seconds: int) -> str:
    got = f"got {answer!r}" if answer else f"got none within {seconds} s"
    return (
        f"The pause: expected the answer continue or rollback, {got}. The deployments are still paused. Rerun at a"
        " terminal, or set rollback instead of ask_timeout; for the playbook, -e continue_answer=continue."
    )
