# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a release, validated."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.target_groups import ARGUMENTS as SETTINGS
from ..._core.types import Connection
from ..arguments import SERVICE, TASK_DEFINITION, TASK_DEFINITION_RULES
from ..limits import problems_of, refuse
from ..service.definition_flow import with_definition
from ..service.limits import relation_problems
from ..service.members import Options
from ..service.model import DesiredService, Shapes
from ..service.options import desired_of
from ..task_definition import flow as definitions
from ..task_definition.flow import secret_warnings
from ..task_definition.model import DesiredTaskDefinition
from ..task_definition.problems import definition_problems
from .gather import raise_all
from .order import wrong_order
from .state import ServiceRelease

ITEM: dict[str, dict[str, t.Any]] = {
    **SERVICE,
    "name": {"type": "str", "required": True, "aliases": ["service", "service_name"]},
    "after": {"type": "list", "elements": "str", "default": []},
    "initial_count": {"type": "int"},
    "task_definition": {"type": "raw"},
    "pre_deploy_tasks": {"type": "list", "elements": "dict"},
    "post_deploy_tasks": {"type": "list", "elements": "dict"},
}
# What AnsibleModule takes beside the options.
ITEM_RULES: dict[str, t.Any] = {"mutually_exclusive": [("definition", "definition_file")]}


def services_of(connection: Connection, ecs: t.Any, shapes: Shapes) -> list[ServiceRelease]:
    """The services of the release, with validated options. All invalid options are reported at once."""
    errors: list[tuple[str, SlipwayError]] = []
    services: list[ServiceRelease] = []
    for number, given in enumerate(connection.params["services"] or (), 1):
        what = f"services, {given.get('name') or number}"
        try:
            services.append(_service(given, ecs, shapes, connection))
        except SlipwayError as error:
            errors.append((what, error))
    raise_all(errors)
    names = [service.name for service in services]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"services, {name}: expected each name once, got it {names.count(name)} times." for name in twice]
    problems += wrong_order({service.name: service.after for service in services})
    if problems:
        raise SlipwayError(INVALID_OPTION, "\n".join(problems), {"problems": problems})
    return services


def _service(given: dict[str, t.Any], ecs: t.Any, shapes: Shapes, connection: Connection) -> ServiceRelease:
    check_mode, plain = connection.check_mode, connection.params.get("plain_values")
    params = with_definition(ecs, _checked(given, ITEM, ITEM_RULES), shapes)
    params["tags"] = tagging.checked(params["tags"])
    definition = params["task_definition"]
    problems: list[str] = []
    own = None
    if isinstance(definition, dict):
        own, problems = problems_of(lambda: _definition(definition, ecs, check_mode, plain))
        definition = None
    params["task_definition"] = None if definition is None else str(definition)
    desired, wrong = problems_of(lambda: desired_of(params, shapes, check_mode))
    problems += wrong
    if own and own.document is not None:
        whole = {**own.document, **own.options}
        problems += definition_problems(whole)
        problems += relation_problems(desired.options if desired else {}, whole)
    count = params["initial_count"]
    if count is not None and count < 0:
        problems.append(f"initial_count: expected 0 or more, got {count}.")
    refuse(problems)
    return ServiceRelease(
        params["name"],
        frozenset(params["after"]),
        t.cast(DesiredService, desired),
        own,
        count,
        secret_warnings(own) if own else [],
    )


def _definition(
    definition: dict[str, t.Any], ecs: t.Any, check_mode: bool, plain: list[str] | None
) -> DesiredTaskDefinition:
    checked = _checked(definition, TASK_DEFINITION, TASK_DEFINITION_RULES)
    checked["tags"] = tagging.checked(checked["tags"], "task_definition.tags")
    return definitions.desired_of(ecs, {**checked, "plain_values": plain}, check_mode)


def _checked(given: dict[str, t.Any], spec: dict[str, t.Any], rules: dict[str, t.Any]) -> dict[str, t.Any]:
    """Options, validated as Ansible validates those of a module: names, types, choices."""
    checked = ArgumentSpecValidator(spec, **rules).validate(given)
    if checked.error_messages:
        raise SlipwayError(INVALID_OPTION, " ".join(f"{message}." for message in checked.error_messages))
    return dict(checked.validated_parameters)


def checked(given: dict[str, t.Any], spec: dict[str, t.Any]) -> tuple[dict[str, t.Any] | None, list[str]]:
    """Validated options, or None, and what is wrong with them."""
    return problems_of(lambda: _checked(given, spec, {}))


def target_groups_of(connection: Connection) -> dict[str, Options]:
    """The desired settings of target groups by ARN, validated."""
    desired: dict[str, Options] = {}
    for arn, given in (connection.params["target_groups"] or {}).items():
        try:
            checked = _checked(given, SETTINGS, {})
        except SlipwayError as error:
            raise SlipwayError(error.code, f"target_groups, {arn}: {error.msg}", error.details) from error
        desired[arn] = {name: value for name, value in checked.items() if value is not None}
    return desired
