# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command in a task of its own, which runs as a service's tasks do. No calls."""

from __future__ import annotations

import typing as t

from .._core.errors import INVALID_OPTION, SlipwayError

Json = t.Mapping[str, t.Any]
# Who started the task, in what AWS tells of it.
STARTED_BY = "slipway.aws.ecs_task_run"


def chosen_container(definition: Json, asked: str | None) -> str:
    """The container that gets the command: the one asked for, or the only one."""
    names = [container["name"] for container in definition.get("containerDefinitions") or ()]
    if asked in names or (asked is None and len(names) == 1):
        return asked or str(names[0])
    wrong = f"the task definition has no container '{asked}'" if asked else "the task definition has several"
    raise SlipwayError(INVALID_OPTION, f"container: {wrong}. Take one of {', '.join(names)}.")


def request(cluster: str, service: Json, container: str, command: t.Sequence[str]) -> dict[str, t.Any]:
    """RunTask as AWS wants it: what the service runs, where it runs it, with another command."""
    strategy = service.get("capacityProviderStrategy")
    members = {
        "cluster": cluster,
        "taskDefinition": service["taskDefinition"],
        "overrides": {"containerOverrides": [{"name": container, "command": list(command)}]},
        "networkConfiguration": service.get("networkConfiguration"),
        "capacityProviderStrategy": strategy,
        "launchType": None if strategy else service.get("launchType"),
        "platformVersion": service.get("platformVersion"),
        "propagateTags": "TASK_DEFINITION",
        "startedBy": STARTED_BY,
    }
    return {name: value for name, value in members.items() if value}


def is_over(task: Json) -> bool:
    return bool(task.get("lastStatus") == "STOPPED")


def exit_code(task: Json, container: str) -> int | None:
    """The exit code of the container; None when it never started."""
    codes = (item.get("exitCode") for item in task.get("containers") or () if item.get("name") == container)
    code = next(codes, None)
    return None if code is None else int(code)


def headline(service: str, code: int | None, ended: bool) -> str:
    """What happened, in a sentence."""
    if not ended:
        return f"The task beside service {service} did not end in time and was stopped."
    if code is None:
        return f"The task beside service {service} did not start."
    return f"The command in a task beside service {service} ended with exit code {code}."
