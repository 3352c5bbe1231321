# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
type: aggregate
short_description: List what a run in check mode would create, update and delete, and what it would cost
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - At the end of a run in check mode, lists and counts what a real run would create, update and delete, role by role
    and as that run names it, and estimates what the variables of P(slipway.aws.ecs_network#role),
    P(slipway.aws.docker_instance#role), P(slipway.aws.ecs_load_balancer#role) and P(slipway.aws.ecs_app#role)
    cost a month.
  - Also lists what carries the project's tag and is no longer in a variable.
  - A change that a module predicts without saying whether the resource exists is listed as C(create or update).
  - With O(markdown), a run in check mode also writes the plan to a file, for instance for a comment on a pull request.
  - With O(exit_code), a run in check mode ends with V(0) if it would change nothing, with V(2) if it would change
    something, and with V(1) if it failed.
  - Prints nothing at the end of a real run. With O(report), both kinds of runs write their list to a file, so that they
    can be compared.
requirements:
  - Enabled with C(ANSIBLE_CALLBACKS_ENABLED=slipway.aws.plan), or in the configuration.
options:
  report:
    description: File to write the list to, as JSON.
    type: path
    env:
      - name: SLIPWAY_PLAN_REPORT
  markdown:
    description:
      - File to write the plan to, as Markdown, with the differences of what is updated if the run has C(--diff).
      - Values that modules mask, or that C(no_log) hides, are not in it.
    type: path
    version_added: 0.2.0
    env:
      - name: SLIPWAY_PLAN_MARKDOWN
  exit_code:
    description: Whether the exit code of a run in check mode says if there are changes.
    type: bool
    default: false
    version_added: 0.2.0
    env:
      - name: SLIPWAY_PLAN_EXIT_CODE
"""

import json
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.slipway.aws.plugins.plugin_utils import cost, plan, plan_markdown, role_defaults

NOTHING = 0
FAILED = 1
CHANGES = 2


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Collects the results of tasks, and the variables that decide what a site costs."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "slipway.aws.plan"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._entries: list[plan.Entry] = []
        self._names: dict[str, str] = {}
        self._variables: dict[str, Any] = {}
        self._play: Any = None
        # The differences of existing resources, by host and task; and the tasks that failed.
        self._differences: dict[tuple[str, str], str] = {}
        self._failures: list[str] = []

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        # Only now are the variables in a name filled in.
        self._names[task._uuid] = task.name

    def v2_runner_on_ok(self, result: Any) -> None:
        self._learn(result.host)
        if result.task.loop is None:
            self._note(result, "")

    def v2_runner_item_on_ok(self, result: Any) -> None:
        hidden = result.result.get("_ansible_no_log")
        self._note(result, "hidden" if hidden else str(self._get_item_label(result.result)))

    def v2_on_file_diff(self, result: Any) -> None:
        """Ansible calls this for each item of a loop."""
        if not self.get_option("markdown") or result.result.get("_ansible_no_log"):
            return
        parts = plan.of_existing(result.result.get("diff")) if result.result.get("changed") else []
        if parts:
            key = result.host.get_name(), self._names.get(result.task._uuid, result.task.name)
            self._differences[key] = self._differences.get(key, "") + self._get_diff(parts)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            name = self._names.get(result.task._uuid, result.task.name)
            hidden = result.result.get("_ansible_no_log")
            self._failures.append(f"{name}: {'hidden' if hidden else result.result.get('msg', '')}")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._failures.append(f"{result.host.get_name()}: unreachable")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        changes = [entry.identity() for entry in self._entries if entry.kind not in (plan.KEEP, plan.OBSOLETE)]
        if report := self.get_option("report"):
            Path(report).write_text(json.dumps(changes, indent=1))
        if not context.CLIARGS.get("check"):
            return
        complete = not stats.failures and not stats.dark
        self._show(complete=complete)
        if markdown := self.get_option("markdown"):
            Path(markdown).write_text(self._markdown(complete=complete), encoding="utf-8")
        if self.get_option("exit_code"):
            raise SystemExit(FAILED if not complete else CHANGES if changes else NOTHING)

    def _markdown(self, *, complete: bool) -> str:
        return plan_markdown.document(
            plan_markdown.title_of(role_defaults.resolved(self._variables, plan_markdown.TITLE)),
            self._entries,
            self._differences,
            failures=[] if complete else self._failures or ["see the log of the run"],
            costs=cost.report(self._settings(), cost.prices()) if complete else [],
        )

    def _note(self, result: Any, item: str) -> None:
        name = self._names.get(result.task._uuid, result.task.name)
        self._entries += plan.of_task(result.task, result.host.get_name(), name, item, result.result)

    def _learn(self, host: Any) -> None:
        """Variables of the play, with the defaults of its roles."""
        if self._play is not None and host.get_name() == plan.HERE:
            self._variables |= self._play.get_variable_manager().get_vars(play=self._play, host=host)
            self._play = None

    def _settings(self) -> dict[str, Any]:
        images = self._variables.get("container_image_images")
        # Not templated: it is only compared with an empty list.
        return {**role_defaults.resolved(self._variables, cost.VARIABLES), cost.BUILDS: images != []}

    def _show(self, *, complete: bool) -> None:
        self._display.banner("PLAN")
        for line in plan.listing(self._entries):
            self._display.display(line)
        self._display.display(plan.summary(self._entries))
        if not complete:
            self._display.display("The plan is incomplete: it ends where the run failed.")
            return
        self._display.banner("COST")
        for line in cost.report(self._settings(), cost.prices()):
            self._display.display(line)
