# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: steps
type: stdout
short_description: Print what a run changes, what it waits for, and what it has done at the end
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Prints one line for each task that changes something, with the items that it changes and the time that it takes.
    Tasks that change nothing or are skipped print nothing. Failures, warnings and messages of M(ansible.builtin.debug)
    are printed in full, each reason of a failure once.
  - While a task runs for more than three seconds, it shows the elapsed time and what the task waits for. On a terminal
    this is one line that is updated in place; in a log it is a line after 3, 10, 30 and 60 seconds, then each minute.
  - At the end, it prints one line for each role, the URLs of the services, and the duration of the run. In check mode
    it prints the plan instead, unless P(slipway.aws.plan#callback) is enabled, which prints it with the costs.
  - With C(-v), Ansible's default output replaces the lines of the tasks.
  - Of a failed module of this collection, it prints the single values of the result, such as the message and the error
    code. C(-v) adds lists and dictionaries.
  - With C(--diff), it prints the differences of what is updated or deleted. Those of new resources repeat the
    variables; C(-v) adds them.
  - If a result or a fact has a member C(slipway_exit_code), the run ends with the last one. A playbook sets it to 1 at
    its start and to 0 or 2 at its end, so that 1 stands for every failure; without it, Ansible returns 2 for most.
    Unless it is 0, other callbacks do not learn of the end of the run. A failed run never ends with 0.
  - Of a play with the variable C(__slipway_quiet), such as that of the playbook C(slipway.aws.status), it prints
    failures alone, to the standard error output, so that programs can read what the play prints.
  - URLs are those of each fact C(<role>_result) with a member C(urls), a dictionary of names and URLs.
  - Before the first task of a run, it loads the plugins that most tasks use. Otherwise the process that Ansible starts
    for a task would load them, each time.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set it in the configuration with C(stdout_callback = slipway.aws.steps).
"""

import functools
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from ansible import constants, context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as Default

from ansible_collections.slipway.aws.plugins.plugin_utils import plan, preload, run_lines
from ansible_collections.slipway.aws.plugins.plugin_utils.running_tasks import RunningTasks

# Modules that explain what they wait for.
SHOW_PROGRESS = (
    *("acm_certificate_request", "auto_scaling_group", "ec2_host_keys_info", "ec2_managed_node"),
    *("ecs_capacity_provider", "ecs_cluster"),
    *(
        "ecs_release",
        "ecs_schedule_group",
        "ecs_service",
        "ecs_service_deployment",
        "ecs_task_run",
        "service_discovery_namespace",
    ),
)
# YAML wraps longer text.
LINE = 60
# A variable of plays.
QUIET = "__slipway_quiet"
PLAN = "slipway.aws.plan"
OURS = "slipway.aws."
# Members of results that Ansible prints in other ways, or not at all.
ANSIBLES = ("exception", "warnings", "deprecations", "invocation", "diff")
MORE = "To see the full result, rerun with -v."
# Entry points that only read.
READERS = ("find", "preflight")
# They ask the user: nothing else may be written meanwhile.
PROMPTS = ("pause", "ansible.builtin.pause", "ansible.legacy.pause")


def safely(method: Callable[..., None]) -> Callable[..., None]:
    """If this output fails, Ansible's own replaces it for the rest of the run."""

    @functools.wraps(method)
    def safe(self: CallbackModule, *arguments: Any, **options: Any) -> None:
        if not self.is_broken:
            try:
                method(self, *arguments, **options)
                return
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.is_broken = True
                self._running.stop()
                self._display.warning(f"slipway.aws.steps failed, Ansible's default output replaces it: {error!r}")
        getattr(Default, method.__name__)(self, *arguments, **options)

    return safe


class CallbackModule(Default):  # type: ignore[misc]  # Ansible has no types
    """Prints changes, failures and what is waited for; with -v, what the default callback prints."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "slipway.aws.steps"

    _display: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._full_display = self._display
        self.is_broken = False
        self._begin()

    def _begin(self) -> None:
        self._start = time.monotonic()
        self._summary = run_lines.Summary()
        self._entries: list[plan.Entry] = []
        self._names: dict[str, str] = {}
        # Of the messages that are being printed.
        self._heading = ""
        # Of the items of a loop until it has ended, and of diffs until their task is printed, by task and host.
        self._items: dict[tuple[str, str], list[plan.Entry]] = {}
        self._diffs: dict[tuple[str, str], str] = {}
        terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._running = RunningTasks(self._full_display, terminal=terminal)

    @property
    def _brief(self) -> bool:
        return bool(self._display.verbosity == 0)

    @property
    def _is_quiet(self) -> bool:
        return self._display is not self._full_display

    def get_option(self, k: str, hostvars: Any = None) -> Any:
        return True if self._is_quiet and k == "display_failed_stderr" else super().get_option(k, hostvars)

    # The course of the run

    @safely
    def v2_playbook_on_start(self, playbook: Any) -> None:
        super().v2_playbook_on_start(playbook)
        self._begin()
        if self._brief:
            self._running.watch()

    @safely
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._display = FailuresOnly(self._full_display) if play.vars.get(QUIET) else self._full_display
        preload.for_play(play)
        super().v2_playbook_on_play_start(play)

    def _task_start(self, task: Any, prefix: str | None = None) -> None:
        """Of tasks and handlers. Ansible's own prints a banner."""
        self._heading = ""
        self._names[task._uuid] = str(task.name or task.action)
        if not self._brief or self.is_broken:
            super()._task_start(task, prefix)
            return
        self._task_type_cache[task._uuid] = prefix
        is_free = self._play.strategy.rpartition(".")[2] in ("free", "host_pinned")
        self._last_task_name = None if is_free else task.get_name().strip()

    @safely
    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        super().v2_runner_on_start(host, task)
        if task.action not in PROMPTS and not self._is_quiet:
            name = self._names.get(task._uuid, str(task.name))
            explains = str(task.action).removeprefix(OURS) in SHOW_PROGRESS
            self._running.begin(task._uuid, host.get_name(), _role(task), name, explains_itself=explains)

    @safely
    def v2_runner_on_ok(self, result: Any) -> None:
        seconds = self._end(result)
        changed = self._changed(result)
        self._role_of(result).changes.extend(changed)
        if not self._brief:
            super().v2_runner_on_ok(result)
            return
        self._handle_warnings_and_exception(result)
        if result.task.loop is None:
            self._print_message(result, Default.v2_runner_on_ok)
        self._print_changes(result, changed, seconds)

    @safely
    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._collect(result, self._item(result))
        if not self._brief:
            super().v2_runner_item_on_ok(result)
            return
        self._handle_warnings_and_exception(result)
        self._print_message(result, Default.v2_runner_item_on_ok)

    @safely
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        seconds = self._end(result)
        role = self._role_of(result)
        changed = self._items.pop(_key(result), [])
        role.changes.extend(changed)
        if not ignore_errors:
            role.failures.append(self._name(result))
        if self._brief:
            self._print_changes(result, changed, seconds)
        self._print_failure(result, functools.partial(super().v2_runner_on_failed, ignore_errors=ignore_errors))

    @safely
    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._print_failure(result, super().v2_runner_item_on_failed)

    @safely
    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._end(result)
        self._role_of(result).failures.append(self._name(result))
        super().v2_runner_on_unreachable(result)

    @safely
    def v2_runner_on_skipped(self, result: Any) -> None:
        self._end(result)
        if not self._brief:
            super().v2_runner_on_skipped(result)

    @safely
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        if not self._brief:
            super().v2_runner_item_on_skipped(result)

    @safely
    def v2_runner_retry(self, result: Any) -> None:
        attempt, attempts = result.result.get("attempts", 0) + 1, result.result.get("retries", 0)
        self._running.explain(result.task._uuid, f"attempt {attempt} of {attempts}")
        if not self._brief:
            super().v2_runner_retry(result)

    @safely
    def v2_runner_on_async_poll(self, result: Any) -> None:
        if not self._brief:
            super().v2_runner_on_async_poll(result)

    @safely
    def v2_runner_on_async_ok(self, result: Any) -> None:
        if not self._brief:
            super().v2_runner_on_async_ok(result)

    @safely
    def v2_playbook_on_include(self, included_file: Any) -> None:
        if not self._brief:
            super().v2_playbook_on_include(included_file)

    @safely
    def v2_on_file_diff(self, result: Any) -> None:
        if not self._brief:
            super().v2_on_file_diff(result)
            return
        # Ansible calls this for each item of a loop.
        parts = plan.of_existing(result.result.get("diff")) if result.result.get("changed") else []
        self._diffs[_key(result)] = self._diffs.get(_key(result), "") + self._get_diff(parts)

    @safely
    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._running.stop()
        super().v2_playbook_on_stats(stats)
        if _in_check_mode():
            self._print_plan()
        else:
            self._print_summary()
        self._display.display(f"\nFinished in {run_lines.duration(time.monotonic() - self._start)}.")
        # 0 is what Ansible returns unless something has failed.
        if self._summary.exit_code:
            raise SystemExit(self._summary.exit_code)

    # What results say

    def _end(self, result: Any) -> float:
        return self._running.end(result.task._uuid, result.host.get_name())

    def _name(self, result: Any) -> str:
        return self._names.get(result.task._uuid, str(result.task.name))

    def _role_of(self, result: Any) -> run_lines.Role:
        """The role of a result, which is read for what concerns the whole run."""
        self._summary.read(result.result)
        role = self._summary.role(plan.role_of(result.task), converges=_converges(result.task))
        role.skipped |= bool(result.result.get("slipway_skipped"))
        return role

    def _item(self, result: Any) -> str:
        return "hidden" if result.result.get("_ansible_no_log") else str(self._get_item_label(result.result))

    def _collect(self, result: Any, item: str) -> list[plan.Entry]:
        """What a result or an item of a loop has changed."""
        host = result.host.get_name()
        found = plan.of_task(result.task, host, self._name(result), item, result.result)
        self._entries += found
        changed = [entry for entry in found if entry.kind not in (plan.KEEP, plan.OBSOLETE)]
        self._items.setdefault(_key(result), []).extend(changed)
        return changed

    def _changed(self, result: Any) -> list[plan.Entry]:
        """What a task has changed, all items of a loop together."""
        if result.task.loop is None and not isinstance(result.task, TaskInclude):
            self._collect(result, "")
        return self._items.pop(_key(result), [])

    # What is printed of them

    def _print_changes(self, result: Any, changed: list[plan.Entry], seconds: float) -> None:
        diff = self._diffs.pop(_key(result), "")
        if not changed or (_in_check_mode() and not diff):
            return
        role, host = _role(result.task), result.host.get_name()
        for thing in run_lines.things(changed):
            line = f"{run_lines.title(role, host, thing)} … changed, {run_lines.duration(seconds)}"
            self._display.display(line, color=constants.COLOR_CHANGED)
        if diff:
            self._display.display(diff)

    def _print_failure(self, result: Any, usual: Callable[..., None]) -> None:
        has_more = self._brief and _shorten(result)
        usual(result)
        if has_more:
            self._display.display(MORE, stderr=self.get_option("display_failed_stderr"))

    def _print_message(self, result: Any, usual: Callable[..., None]) -> None:
        """A message of debug: text as it is, under the task's name; other data as usual. The plan has the rest."""
        is_planned = _in_check_mode() and result.result.get("changed")
        if result.task.action not in constants._ACTION_DEBUG or is_planned:
            return
        message = result.result.get("msg")
        lines = message if isinstance(message, list) else [message]
        if not all(isinstance(line, str) for line in lines):
            usual(self, result)
            return
        heading = run_lines.title(_role(result.task), result.host.get_name(), self._name(result))
        headings = [] if self._heading == heading else [heading]
        self._heading = heading
        self._display.display("\n".join([*headings, *(f"  {part}" for line in lines for part in line.splitlines())]))

    def _print_summary(self) -> None:
        for line in self._summary.lines():
            self._display.display(line)
        if urls := run_lines.aligned(self._summary.urls):
            self._display.display("\n" + "\n".join(urls))

    def _print_plan(self) -> None:
        if PLAN in constants.CALLBACKS_ENABLED:
            return
        self._display.banner("PLAN")
        for line in [*plan.listing(self._entries), plan.summary(self._entries)]:
            self._display.display(line)

    def _handle_exception(self, result: Any, use_stderr: bool = False) -> None:
        """Print the reason of a failed module or action once, and not with no_log. Ansible also prints an error."""
        is_hidden = result.get("_ansible_no_log") or "censored" in result
        if is_hidden or (self._brief and result.get("msg") and in_result(self._current_task_result)):
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


def _in_check_mode() -> bool:
    return bool(context.CLIARGS.get("check"))


def _key(result: Any) -> tuple[str, str]:
    return result.task._uuid, result.host.get_name()


def _role(task: Any) -> str:
    return plan.role_of(task) if task._role else ""


def _converges(task: Any) -> bool:
    """Whether a task belongs to a role that the run is for; others read what one needs, or validate its variables."""
    # Ansible validates the arguments of roles that are not selected by tags, too.
    if not task._role or plan.role_of(task) in READERS or task.action.endswith(".validate_argument_spec"):
        return False
    entry_point = (getattr(task._role, "_from_files", None) or {}).get("tasks", "main")
    return str(entry_point).removesuffix(".yml") not in READERS


def _shorten(result: Any) -> bool:
    """Leave only the single values of a failure of this collection, such as the message. Whether there was more."""
    action = str(getattr(result.task, "resolved_action", None) or result.task.action)
    members: dict[str, Any] = result.result
    if not action.startswith(OURS) or not isinstance(members.get("msg"), str) or "results" in members:
        return False
    more = [name for name, value in members.items() if isinstance(value, dict | list) and _is_own(name)]
    for name in more:
        del members[name]
    return bool(more)


def _is_own(name: str) -> bool:
    return name not in ANSIBLES and not name.startswith("_")
