# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_task_definition does: read, compare, register at most once.

AWS never updates a revision but its tags, so this is not a `_core.resource`: a difference is another revision.
"""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.masking import secrets_in
from ..._core.names import home_of
from ..._core.shapes import check_options, input_shape, option_names, to_members
from ..._core.types import Client, Connection, Json, Result
from .. import api as ecs_api
from ..arguments import TASK_DEFINITION_MEMBERS
from ..limits import problems_of, refuse
from . import api
from .document_flow import read_document
from .model import (
    ACTIVE,
    INACTIVE,
    DesiredTaskDefinition,
    Draft,
    Name,
    draft,
    from_api,
    merged,
    parse_name,
    predict,
    tags_of,
    to_result,
)
from .problems import definition_problems
from .registration_flow import register
from .retention_flow import prune, retire, revisions, with_retired

Params = t.Mapping[str, t.Any]


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The family's definition is as desired: at most one revision is registered."""
    ecs, params, check_mode = connection.client("ecs"), connection.params, connection.check_mode
    if params["keep_revisions"] is not None and params["keep_revisions"] < 1:
        raise SlipwayError(INVALID_OPTION, f"keep_revisions: expected 1 or more, got {params['keep_revisions']}.")
    desired = desired_of(ecs, params, check_mode)
    current = find(ecs, desired.name)
    result = apply(ecs, desired.name, current, draft_revision(ecs, desired, current), check_mode)
    result["warnings"] = secret_warnings(desired)
    if params["keep_revisions"] is not None:
        prune(connection, result)
    return result


def desired_of(ecs: Client, params: Params, check_mode: bool) -> DesiredTaskDefinition:
    """What the options of a task definition ask for, each checked."""
    request = input_shape(ecs, "RegisterTaskDefinition")
    document, wrong = problems_of(lambda: read_document(ecs, params, check_mode))
    options, wrong_too = problems_of(
        lambda: check_options(
            request, params, skip=("family", "tags"), members=TASK_DEFINITION_MEMBERS, allow_unknown=check_mode
        )
    )
    refuse(wrong + wrong_too)
    tags = params["tags"] if params["tags"] is not None else tags_of(document or {})
    return DesiredTaskDefinition(_name(params, document), document, options or {}, tags, params["purge_tags"])


def secret_warnings(desired: DesiredTaskDefinition) -> list[str]:
    """What is requested and looks like a secret: it can be read wherever the task definition can be."""
    return [
        f"Task definition {desired.name.family}: {where.removeprefix('/container_definitions/')} looks like a"
        " secret. Anyone who can describe the task definition can read it, so use `secrets` instead."
        for where, _name in secrets_in({**(desired.document or {}), **desired.options})
    ]


def absent(connection: Connection) -> Result:
    """No revision of the family, or not the one named, is active; with `delete` none is left."""
    ecs, params, check_mode = connection.client("ecs"), connection.params, connection.check_mode
    name = _name(params, read_document(ecs, params, check_mode))
    active = revisions(ecs, name, ACTIVE)
    left = revisions(ecs, name, INACTIVE) if params["delete"] else []
    result: Result = {"deregistered": [], "deleted": []}
    retire(ecs, result, active, left, params["delete"], check_mode)
    return with_retired(result, {})


def find(ecs: Client, name: Name) -> Json | None:
    """A revision under the names of the result; of a bare family the newest active one."""
    answer = api.describe_task_definition(ecs, str(name))
    if answer and name.revision is None and answer.get("status") != ACTIVE:
        # AWS answers a family with its newest active revision; some emulators with the newest of all.
        newest = api.newest_task_definition(ecs, name.family, ACTIVE)
        answer = api.describe_task_definition(ecs, newest) if newest else None
    return from_api(answer) if answer else None


def draft_revision(ecs: Client, desired: DesiredTaskDefinition, current: Json | None) -> Draft:
    """The revision that is requested, beside the `current` one."""
    name, document = desired.name, desired.document
    if current is None and name.revision is not None:
        raise SlipwayError(NOT_FOUND, f"The task definition {name} does not exist.")
    names = option_names(input_shape(ecs, "RegisterTaskDefinition"))
    settable = {option: value for option, value in (current or {}).items() if option in names and option != "tags"}
    whole = {option: value for option, value in document.items() if option != "tags"} if document else document
    wanted = {**merged(settable, whole, desired.options), "family": name.family}
    if not wanted.get("container_definitions"):
        raise SlipwayError(
            INVALID_OPTION,
            f"container_definitions: expected at least one for the first revision of family {name.family}, got none.",
        )
    has_tags = (current or {}).get("tags") or {}
    tags = tagging.desired(has_tags, desired.tags, desired.purge_tags)
    has = {**settable, "tags": has_tags, "status": current["status"]} if current else None
    drafted = draft(has, wanted, tags, home_of((current or {}).get("arn")))
    if drafted.is_new:  # AWS has accepted what exists
        refuse(definition_problems(wanted))
    return drafted


def apply(ecs: Client, name: Name, current: Json | None, planned: Draft, check_mode: bool) -> Result:
    """Register the revision, or write its tags, or neither; check mode predicts the same answer."""
    if (current is None or planned.is_new) and not check_mode:
        after, is_ours = _register(ecs, name, current, planned)
        if not is_ours:  # a run just before registered it, which the read did not show
            return {"changed": False, "diff": {"before": {}, "after": {}}, "task_definition": to_result(after)}
    elif current is None or planned.is_new:
        after = predict(planned, _newest(ecs, name, current))
    else:
        if planned.plan.changed and not check_mode:
            ecs_api.change_tags(ecs, current["arn"], *tagging.changes(current["tags"], planned.tags))
        after = {**current, "tags": planned.tags}
    return {"changed": planned.plan.changed, "diff": planned.plan.diff, "task_definition": to_result(after)}


def _name(params: Params, document: Json | None) -> Name:
    return parse_name(params["family"] or (document or {}).get("family") or "", params["revision"])


def _register(ecs: Client, name: Name, current: Json | None, planned: Draft) -> tuple[Json, bool]:
    """The revision, and whether it is this run's."""
    request = to_members(input_shape(ecs, "RegisterTaskDefinition"), planned.request)
    tags = {name: text for name, text in planned.tags.items() if not name.startswith(tagging.RESERVED)}
    if tags:
        request["tags"] = tagging.to_list(tags)
    names = option_names(input_shape(ecs, "RegisterTaskDefinition"))

    def equal(answer: Json) -> bool:
        there = from_api(answer)
        has = {member: value for member, value in there.items() if member in names}
        return not draft({**has, "status": there["status"]}, planned.request, tags, home_of(there["arn"])).plan.changed

    # Of a revision that was named, others have come after it.
    newest = None if name.revision else (current or {}).get("revision", 0)
    registered, is_ours = register(ecs, request, newest, equal)
    found = from_api(registered)
    return {**found, "tags": found["tags"] if not is_ours else tags}, is_ours


def _newest(ecs: Client, name: Name, current: Json | None) -> str | None:
    """ARN of the family's newest revision, active or not; the newest active one of a bare family is `current`."""
    active = api.newest_task_definition(ecs, name.family, ACTIVE) if name.revision else (current or {}).get("arn")
    arns = [active, api.newest_task_definition(ecs, name.family, INACTIVE)]
    return max((arn for arn in arns if arn), key=api.revision_of, default=None)
