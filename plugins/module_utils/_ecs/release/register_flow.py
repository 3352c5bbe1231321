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
from .plan_flow import plan_service_release
from .rollouts import RunningRelease
from .state import Definition


def register(release: RunningRelease, check_mode: bool) -> None:
    """Register what differs: all revisions, or none if AWS rejects one. Then plan the services with their ARNs."""
    unique = {id(service.definition): service.definition for service in release.services if service.definition}
    changed = [definition for definition in unique.values() if definition.draft.plan.changed]
    new = [definition for definition in changed if definition.current is None or definition.draft.is_new]
    # Only those of this run. Equal revisions of another run are kept.
    registered: list[str] = []
    release.registered = registered

    def apply(definition: Definition) -> None:
        done = definitions.apply(
            release.ecs, definition.desired.name, definition.current, definition.draft, check_mode=check_mode
        )
        definition.result = done["task_definition"]
        if done["changed"] and any(definition is one for one in new):
            registered.append(definition.arn)

    def name(definition: Definition) -> str:
        return f"task_definition {definition.desired.name}"

    release.touched = bool(changed) and not check_mode
    try:
        gather(release.pool, apply, new, name)
        gather(release.pool, apply, [one for one in changed if one not in new], name)
    except SlipwayError as error:
        raise deregister(release, registered, error) from error
    for definition in unique.values():
        if not definition.result and definition.current:
            definition.result = to_result(definition.current)
    for service in release.services:
        plan_service_release(service, release.shapes)


def deregister(release: RunningRelease, arns: list[str], cause: SlipwayError) -> SlipwayError:
    """Deregister what was registered before `cause`. Returns that failure, with what happened to the revisions."""
    text = "No service was changed."
    try:
        gather(release.pool, functools.partial(definition_api.deregister_task_definition, release.ecs), arns, last)
    except SlipwayError as error:
        text += f" Revisions that no service runs could not be deregistered: {error.msg}"
    return SlipwayError(cause.code, f"{cause.msg}\n{text}", cause.details)
