# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired services from the options of the module. What is wrong with them is a result, not a failure."""

from __future__ import annotations

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.types import Client, Connection, Json
from ..release.options_flow import services_of
from ..release.state import ServiceRelease
from ..service.limits import relation_problems
from ..service.model import Shapes
from ..service.read_flow import request_shapes
from ..task_definition import api as definition_api
from ..task_definition.model import from_api
from .checklist import FAIL, OK, Result, Service


def services(connection: Connection, ecs: Client) -> tuple[list[Service], list[Result]]:
    """The services, and what breaks a limit of AWS."""
    shapes = request_shapes(ecs)
    found: list[Service] = []
    results: list[Result] = []
    given = connection.params["services"] or []
    for number, one in enumerate(given):
        place = f"services[{number}] {one.get('name') or ''}".rstrip()
        # Their order is checked with all of them below.
        release, problems = _checked(connection, ecs, shapes, [{**one, "after": []}])
        if release:
            service, wrong = _service(ecs, place, release[0])
            problems += wrong
            found.append(service)
        own = [problem.removeprefix(f"services, {one.get('name') or 1}: ") for problem in problems]
        results += [Result("limits", place, FAIL, f"{place}, {problem}") for problem in own]
        if not problems:
            results.append(Result("limits", place, OK, f"{one.get('name')}: all members are within the limits of AWS"))
    if not any(one.state == FAIL for one in results):
        _release, problems = _checked(connection, ecs, shapes, given)
        results += [Result("limits", "services", FAIL, problem) for problem in problems]
    return found, results


def _checked(
    connection: Connection, ecs: Client, shapes: Shapes, given: list[Json]
) -> tuple[list[ServiceRelease], list[str]]:
    # As in check mode: what does not exist yet is unknown.
    asked = connection._replace(params={**connection.params, "services": given}, check_mode=True)
    try:
        return services_of(asked, ecs, shapes), []
    except SlipwayError as error:
        if error.code != INVALID_OPTION:
            raise
        return [], [str(one) for one in error.details.get("problems") or [error.msg]]


def _service(ecs: Client, place: str, release: ServiceRelease) -> tuple[Service, list[str]]:
    options = {**release.desired.options}
    if "desired_count" not in options and release.initial_count is not None:
        options["desired_count"] = release.initial_count
    own = release.desired_definition
    if own and own.document is not None:
        return Service(place, release.name, options, {**own.document, **own.options}), []
    name = str(own.name) if own else str(options.get("task_definition") or "")
    answer = definition_api.describe_task_definition(ecs, name) if name else None
    # Options change the newest revision of their family, or are the first one.
    definition = {**(from_api(answer) if answer else {}), **(own.options if own else {})}
    problems = list(relation_problems(options, definition)) if definition else []
    if name and not definition:
        problems = [
            f"task_definition: expected an existing task definition, got {name}. Register it, or correct the name."
        ]
    return Service(place, release.name, options, definition), problems
