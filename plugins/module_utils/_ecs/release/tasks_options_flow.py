# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of pre-deploy and post-deploy tasks, validated before anything is changed."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ..._core.shapes import input_shape, problems_of
from ..._core.types import Connection, Json
from ..arguments import RELEASE_TASK, SERVICE_TASK
from ..limits import NAME, NAME_RULE, refuse, twice
from ..task.model import merged_overrides, override_problems
from ..task.options_flow import as_text, environment_problems
from .deploy_tasks import DeployTask, When
from .options_flow import checked
from .state import ServiceRelease

_OPTIONS: tuple[When, ...] = ("pre_deploy", "post_deploy")


def tasks_of(connection: Connection, ecs: t.Any, services: Sequence[ServiceRelease]) -> list[DeployTask]:
    """The tasks of the release, then those of its services, in this order for each of the two moments."""
    shape = input_shape(ecs, "RunTask").members["overrides"]
    tasks: list[DeployTask] = []
    problems: list[str] = []
    for when in _OPTIONS:
        given = list(_given(connection.params, when))
        for place, item, service in given:
            task, wrong = _task(when, item, service)
            wrong += [] if task is None else _problems(task, shape, services)
            tasks += [] if task is None else [task]
            problems += [f"{place}: {problem}" for problem in wrong]
        names = [str(item.get("name")) for _place, item, _service in given]
        problems += [
            f"{when}_tasks: expected each name once, got {name} {names.count(name)} times." for name in twice(names)
        ]
    refuse(problems)
    return tasks


def _given(params: Mapping[str, t.Any], when: When) -> Iterator[tuple[str, Json, str | None]]:
    """Where a task is given, its options, and the service that has it."""
    option = f"{when}_tasks"
    for number, item in enumerate(params.get(option) or ()):
        yield f"{option}[{number}]{_named(item)}", item, None
    for service in params.get("services") or ():
        for number, item in enumerate(service.get(option) or ()):
            name = str(service.get("name"))
            yield f"services, {name}: {option}[{number}]{_named(item)}", item, name


def _named(item: Json) -> str:
    return f" ({item['name']})" if item.get("name") else ""


def _task(when: When, item: Json, service: str | None) -> tuple[DeployTask | None, list[str]]:
    params, wrong = checked(item, SERVICE_TASK if service else RELEASE_TASK)
    if params is None:
        return None, wrong
    wrong = environment_problems(params["environment"])
    if not NAME.fullmatch(params["name"]):
        wrong.append(f"name: expected {NAME_RULE}, got {params['name']!r}.")
    if params["wait_timeout"] < 1:
        wrong.append(f"wait_timeout: expected 1 second or more, got {params['wait_timeout']}.")
    return DeployTask(
        when,
        params["name"],
        service or params["service"],
        params["container"],
        list(params["command"] or ()),
        as_text(params["environment"]),
        params["overrides"] or {},
        params["wait_timeout"],
    ), wrong


def _problems(task: DeployTask, shape: t.Any, services: Sequence[ServiceRelease]) -> list[str]:
    """What is wrong with a task of these services, as far as their options show it."""
    names = [service.name for service in services]
    problems = problems_of(shape, task.overrides, "overrides")
    if task.service not in names:
        return [*problems, f"service: expected one of the release ({', '.join(names)}), got '{task.service}'."]
    definition = definition_of(next(service for service in services if service.name == task.service))
    if not definition or problems:
        return problems
    containers = [str(one.get("name")) for one in definition["containerDefinitions"]]
    if task.container and task.container not in containers:
        problems.append(f"container: expected one of {', '.join(containers)}, got '{task.container}'.")
    elif task.container is None and len(containers) > 1 and (task.command or task.environment):
        essential = [one for one in definition["containerDefinitions"] if one.get("essential", True)]
        if len(essential) != 1:
            problems.append(f"container: expected one of {', '.join(containers)}, got none.")
    merged = merged_overrides(task.overrides, task.container or containers[0], task.command, task.environment)
    return problems + (override_problems(task.overrides, definition) if merged else [])


def definition_of(service: ServiceRelease) -> Json:
    """The containers of a service whose task definition is an option of the release; empty for any other."""
    desired = service.desired_definition
    whole = {**(desired.document or {}), **desired.options} if desired else {}
    containers = whole.get("container_definitions")
    return {"containerDefinitions": containers} if containers else {}
