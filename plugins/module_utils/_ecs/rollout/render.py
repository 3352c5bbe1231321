# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the reasons of a failed rollout as text. No calls."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.types import Json
from .tasks import STOPPED_BY_REQUEST

_EXIT_CODES = {
    126: "the command cannot be executed",
    127: "the command was not found",
    137: "killed, often because it ran out of memory",
    139: "segmentation fault",
    143: "terminated by a signal",
}


def render(headline: str, failure: Json) -> str:
    """What happened, why, and what to do, as text."""
    lines = [headline]
    for task in failure["tasks"]:
        lines += _task_lines(task)
    for target in failure["targets"]:
        check = f" ({target['check']})" if target["check"] else ""
        lines.append(f"Target {target['target']} is {target['state']}: {target['reason']}{check}")
    lines += [f"Event: {event}" for event in failure["events"]]
    lines += [f"What to do: {advice}" for advice in failure["advice"]]
    lines += [f"Could not be read: {gap}" for gap in failure["unread"]]
    return "\n".join(lines)


def _task_lines(task: Json) -> Iterable[str]:
    more = f" (and {task['alike'] - 1} more with the same reason)" if task["alike"] > 1 else ""
    reason = task["stopped_reason"] or task["stop_code"] or f"is {task['status']}"
    yield f"Task {task['id']}{more}: {reason}"
    for container in task["containers"]:
        facts = []
        if container["exit_code"] is not None:
            # Whoever stops a task kills what does not end in time.
            asked = task["stop_code"] == STOPPED_BY_REQUEST
            meaning = "" if asked else _EXIT_CODES.get(container["exit_code"])
            facts.append(f"exit code {container['exit_code']}" + (f" ({meaning})" if meaning else ""))
        if container["reason"]:
            facts.append(container["reason"])
        if container["health"] == "UNHEALTHY":
            facts.append("health check failed")
        if facts or container["log"]:
            yield f"  Container {container['name']}: {', '.join(facts) or 'no exit code'}"
        for line in container["log"]:
            yield f"    | {line}"
