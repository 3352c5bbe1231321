# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what exists beside the names that variables ask for, and returns what of it is the project's."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError, aws_call
from ..._core.tags import PROJECT, belongs_to
from ..._core.types import Connection, Result
from ..kinds import base_api
from . import api, model

# The variable that lets roles delete what is listed.
SWITCH = "slipway_prune"


@aws_call
def _read_kind(kind: api.Kind, scope: api.Scope) -> list[base_api.Found]:
    return list(kind.read(scope))


def run(connection: Connection) -> Result:
    params = connection.params
    kinds = _kinds(params["keep"])
    account = base_api.Account({kind.client: connection.client(kind.client) for kind in kinds}, params["project"])
    # As the role ecs_app names it.
    group = f"{params['project']}.{params['group']}" if params["group"] else params["project"]
    scope = api.Scope(account, params["cluster"] or "", params["namespace"] or "", params["keep"], group)
    found, unread = _read(kinds, scope)
    if "task definition" in found and "service" in found:
        found["task definition"] += _families_of_obsolete_services(found, scope)
    rules = model.Rules(
        {PROJECT: params["project"]}, params["group"], params["keep"], params["released"], params["delete_full"]
    )
    entries = model.obsolete(found, rules)
    message = [one for one in entries if one["kept_because"] or not params["prune"]]
    lines = [model.summary(message, {kind.name: kind.variable for kind in kinds}, SWITCH), *unread]
    return {"changed": False, "obsolete": entries, "warnings": [line for line in lines if line]}


def _kinds(keep: t.Mapping[str, t.Any]) -> list[api.Kind]:
    unknown = sorted(set(keep) - {kind.name for kind in api.KINDS})
    if unknown or "service" not in keep:
        known = ", ".join(kind.name for kind in api.KINDS)
        problem = f"got {', '.join(unknown)}" if unknown else "got no names of services"
        raise SlipwayError(
            INVALID_OPTION, f"keep: expected names by kind, service among them, {problem}. Known: {known}."
        )
    return [kind for kind in api.KINDS if kind.name in keep]


def _read(kinds: t.Sequence[api.Kind], scope: api.Scope) -> tuple[dict[str, list[base_api.Found]], list[str]]:
    """What there is by kind, and a sentence for each kind that could not be read: no reason to fail a release."""

    def read(kind: api.Kind) -> list[base_api.Found] | SlipwayError:
        try:
            return _read_kind(kind, scope)
        except SlipwayError as error:
            # The cluster, in check mode.
            return [] if error.code == NOT_FOUND else error

    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        answers = dict(zip((kind.name for kind in kinds), pool.map(read, kinds), strict=True))
    found = {name: answer for name, answer in answers.items() if not isinstance(answer, SlipwayError)}
    unread = [
        f"Obsolete resources of the kind {name} could not be read: {answer.msg}"
        for name, answer in answers.items()
        if isinstance(answer, SlipwayError)
    ]
    return found, unread


@aws_call
def _families_of_obsolete_services(
    found: t.Mapping[str, list[base_api.Found]], scope: api.Scope
) -> list[base_api.Found]:
    """Families that go with their service, whatever they are called. Where no service is obsolete, no call."""
    ours = [one for one in found["service"] if belongs_to(one.tags, scope.account.project)]
    obsolete_services = [one for one in ours if one.name not in scope.keep["service"]]
    named = {name for one in obsolete_services for name in model.families_in(one.uses)}
    return list(api.some_families(scope, sorted(named - {one.name for one in found["task definition"]})))
