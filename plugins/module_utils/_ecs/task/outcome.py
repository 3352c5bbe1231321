# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How one-off tasks ended, as data and as text. No calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._core.types import Json, Result
from ..rollout.diagnose import Evidence, diagnose
from ..rollout.render import render
from ..rollout.tasks import task_id

Logs = Mapping[tuple[str, str], Sequence[str]]


def is_over(task: Json) -> bool:
    return bool(task.get("lastStatus") == "STOPPED")


def exit_code(task: Json, container: str) -> int | None:
    """The exit code of the container; None if it never started."""
    codes = (item.get("exitCode") for item in task.get("containers") or () if item.get("name") == container)
    code = next(codes, None)
    return None if code is None else int(code)


def never_started(task: Json, container: str) -> bool:
    """Whether the container of a task that has stopped never ran, so that it has no log."""
    return exit_code(task, container) is None


def succeeded(task: Json, container: str) -> bool:
    return is_over(task) and exit_code(task, container) == 0


def to_result(task: Json, container: str, logs: Logs) -> Result:
    """A task as the modules return it."""
    return {
        "task_arn": task["taskArn"],
        "status": str(task.get("lastStatus") or ""),
        "exit_code": exit_code(task, container),
        "stop_code": str(task.get("stopCode") or ""),
        "stopped_reason": str(task.get("stoppedReason") or ""),
        "containers": [
            {"name": item.get("name", ""), "exit_code": item.get("exitCode"), "reason": str(item.get("reason") or "")}
            for item in task.get("containers") or ()
        ],
        "output": list(logs.get((task_id(task), container), ())),
    }


def headline(what: str, code: int | None, ended: bool) -> str:
    """What happened, in one sentence."""
    if not ended:
        return f"The task {what} timed out and was stopped."
    if code is None:
        return f"The task {what} did not start."
    return f"The command in a task {what} failed with exit code {code}."


def failure_of(tasks: Sequence[Json], definition: Json, logs: Logs, unread: Sequence[str]) -> Result:
    """Why the tasks failed, as data."""
    return diagnose(Evidence(service={}, tasks=tasks, task_definition=definition, logs=logs, unread=unread))


def explained(text: str, failure: Result) -> str:
    return render(text, failure)
