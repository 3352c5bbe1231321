# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll services back to what they ran at an earlier release: itself a release, of their former task definitions."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND, ROLLBACK_IMPOSSIBLE
from ..._core.errors import SlipwayError
from ..._core.history import SUCCEEDED, settled
from ..._core.history_api import read_history
from ..._core.names import last
from ..._core.types import Connection, Json, Result
from ..history.images_flow import image_problems
from ..history.target import PREVIOUS, Target, find_target
from ..service.members import Options
from ..service.model import exists
from ..task_definition import api as definition_api
from ..task_definition.model import ACTIVE
from .checkpoint import release_id
from .options_flow import services_of
from .order import reversed_order
from .plan_flow import find_services
from .record import Intent
from .rollouts import RunningRelease
from .state import ServiceRelease
from .table import counted
from .unfinished_flow import named, plan_unfinished, roll_back_unfinished

NOT_RESTORED = (
    "A rollback restores task definitions, with their images and environment variables. It does not restore settings",
    "of services and target groups, values of secrets, or data, such as the changes of a migration.",
)


def roll_back_to(release: RunningRelease, connection: Connection, start: Callable[..., Result]) -> Result:
    """Roll back to a release of the history; an unfinished release that is the last one, to what ran before it."""
    params = connection.params
    if not params["project"]:
        raise SlipwayError(INVALID_OPTION, "rollback_to: requires project, whose history contains the releases.")
    given = [service.name for service in release.services]
    target = _target(release, params)
    if target is None or (not target.rollback and _is_unfinished(release, connection, given)):
        release.services[:] = named(given)
        return roll_back_unfinished(release, connection)
    items = _items(release, connection, target, given)
    release.target = target.number
    release.progress.say("\n".join(_summary(target, items)))

    def renewed() -> list[ServiceRelease]:
        again = _target(release, params)
        return _services(release, connection, _items(release, connection, again, given) if again else [])

    release.services[:] = _services(release, connection, items)
    intent = Intent(
        id=release_id(release.cluster, items),
        action="rollback",
        to=target.number,
        revision="" if given else target.revision,
    )
    return start(release, connection, intent, renewed)


def _is_unfinished(release: RunningRelease, connection: Connection, given: Sequence[str]) -> bool:
    """Whether the last release is unfinished, so that what it has changed is what to roll back."""
    if connection.params["rollback_to"] != PREVIOUS:
        return False
    plan_unfinished(release, connection, given)
    return any(not service.kept for service in release.services)


def _target(release: RunningRelease, params: t.Mapping[str, t.Any]) -> Target | None:
    history = read_history(release.cloud.ssm, params["project"])
    return find_target(settled(history.entries, history.now), last(release.cluster), params["rollback_to"])


def _summary(target: Target, items: Sequence[Json]) -> list[str]:
    what = f"release {target.number}" if target.number is not None else "what ran before the first recorded release"
    if target.rollback and target.rollback.record.outcome == SUCCEEDED:
        number = target.rollback.number
        lines = [
            f"Release {number} is already a rollback to {what}. To roll back further, set a release number"
            " (rollback_to)"
        ]
    else:
        lines = [f"Rollback of {counted(len(items), 'service')} to {what}"]
    lines += [f"  {item['name']}: {item['task_definition']}" for item in items]
    return [*lines, *NOT_RESTORED]


def _services(release: RunningRelease, connection: Connection, items: list[Json]) -> list[ServiceRelease]:
    params = {**connection.params, "services": items}
    return services_of(connection._replace(params=params), release.ecs, release.shapes)


def _items(release: RunningRelease, connection: Connection, target: Target, given: Sequence[str]) -> list[Json]:
    """The services to release, each with its former revision. Fails if one or its image no longer exists."""
    names = sorted({*target.services, *given} if given else target.services)
    found = {name: answer for name, answer in find_services(release, names, False).items() if exists(answer)}
    unknown = [name for name in given if name not in found]
    if unknown:
        raise SlipwayError(NOT_FOUND, f"services: expected services of the cluster, got {', '.join(unknown)}.")
    versions = {name: target.services[name] for name in names if name in target.services and name in (given or names)}
    for name in [name for name in versions if name not in found]:
        release.progress.say(f"Not rolled back: {name}, because it was deleted since")
    for name in [name for name, version in versions.items() if name in found and not version.get("task_definition")]:
        release.progress.say(f"Not rolled back: {name}, because it was created since. It is not changed")
    wanted = {name: one for name, one in versions.items() if name in found and one.get("task_definition")}
    changed = {name: one for name, one in wanted.items() if not _runs(found[name], one)}
    _refuse_missing(release, connection, changed)
    order = reversed_order({name: version["order"] for name, version in wanted.items()})
    return [
        {"name": name, "task_definition": version["task_definition"], "after": sorted(order[name])}
        for name, version in wanted.items()
    ]


def _runs(service: Options, version: Json) -> bool:
    return last(service.get("taskDefinition")) == str(version["task_definition"])


def _refuse_missing(release: RunningRelease, connection: Connection, versions: t.Mapping[str, Json]) -> None:
    """Fail before anything is changed, with all that no longer exists."""
    problems = []
    for name, version in versions.items():
        revision = version["task_definition"]
        answer = definition_api.describe_task_definition(release.ecs, revision)
        if answer is None:
            problems.append(f"{name}: the revision {revision} no longer exists.")
        elif answer["status"] != ACTIVE:
            problems.append(f"{name}: the revision {revision} is deregistered ({answer['status']}).")
    images = {name: version["images"] or [] for name, version in versions.items()}
    problems += image_problems(release.cloud.ecr, images, connection.params["registry"])
    if problems:
        text = " ".join(problems)
        raise SlipwayError(ROLLBACK_IMPOSSIBLE, f"Cannot roll back: {text}", {"problems": problems})
