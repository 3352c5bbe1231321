# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Register the task definitions of a release: all of them, or none."""

from __future__ import annotations

import functools

from ..._core.errors import SlipwayError
from ..._core.names import last
from ..task_definition import api as definition_api
from ..task_definition import flow as definitions
from ..task_definition.model import to_result
from .gather import gather
from .plan_flow import plan_part
from .state import Definition, Release


def _register(release: Release, check_mode: bool) -> None:
    """Register what differs: all revisions, or none when AWS refuses one. Then plan with their ARNs."""
    unique = {id(part.definition): part.definition for part in release.parts if part.definition}
    changed = [definition for definition in unique.values() if definition.draft.plan.changed]
    new = [definition for definition in changed if definition.current is None or definition.draft.is_new]
    # Equal revisions of another run are kept.
    registered: list[str] = []

    def register(definition: Definition) -> None:
        done = definitions.apply(
            release.ecs, definition.desired.name, definition.current, definition.draft, check_mode=check_mode
        )
        definition.view = done["task_definition"]
        if done["changed"] and any(definition is one for one in new):
            registered.append(definition.arn)

    def told(definition: Definition) -> str:
        return f"task_definition {definition.desired.name}"

    release.touched = bool(changed) and not check_mode
    try:
        gather(release.pool, register, new, told)
        gather(release.pool, register, [one for one in changed if one not in new], told)
    except SlipwayError as error:
        raise _deregister(release, registered, error) from error
    for definition in unique.values():
        if not definition.view and definition.current:
            definition.view = to_result(definition.current)
    for part in release.parts:
        plan_part(part, release.shapes)


def _deregister(release: Release, arns: list[str], cause: SlipwayError) -> SlipwayError:
    """Deregister what was registered before `cause`; that failure, with what became of them."""
    told = "No service was changed."
    try:
        gather(release.pool, functools.partial(definition_api.deregister_task_definition, release.ecs), arns, last)
    except SlipwayError as error:
        told += f" Revisions that no service runs are left, for they could not be deregistered: {error.msg}"
    return SlipwayError(cause.code, f"{cause.msg}\n{told}", cause.details)
