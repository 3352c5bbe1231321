# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registers a revision, once.

RegisterTaskDefinition takes no token: after a lost answer it registers a second revision, and so does a run that starts
while reads do not show the last one yet. The number in AWS's answer shows it: between it and the newest revision that
was read there should be none.
"""

from __future__ import annotations

import functools
import typing as t

from ..._core.creating import persist, visible
from ..._core.error_codes import ACCESS_DENIED
from ..._core.errors import SlipwayError, answer_was_lost
from ..._core.types import Client, Json
from . import api
from .model import ACTIVE

Equal = t.Callable[[Json], bool]

# Seconds in which a read shows the revision before.
READ_SECONDS = 8.0
# Revisions between that are read, each of which is one call.
MOST_READ = 5


def register(ecs: Client, request: Json, newest: int | None, equal: Equal) -> tuple[Json, bool]:
    """The revision as AWS answers it, and whether this call registered it. `newest` is what was read last.

    An `equal` revision between is taken instead, and the new one deregistered.
    """
    family = request["family"]
    lost: list[bool] = []

    def call() -> Json:
        try:
            answer = api.register_task_definition(ecs, request)
        except SlipwayError as error:
            lost.append(error.lost)
            raise
        lost.append(answer_was_lost())
        return answer

    def read() -> Json | None:
        """After a refusal because others register at the same time: what they have registered."""
        found = api.describe_task_definition(ecs, family)
        return found if found and found["revision"] > (newest or 0) and equal(found) else None

    registered = persist(call, read)
    first = registered["revision"] - (2 if any(lost) else 1) if newest is None else newest
    before = _equal_between(ecs, family, first, registered["revision"], equal)
    if before is None or not _deregistered(ecs, registered):
        return registered, True
    return before, any(lost)


def _equal_between(ecs: Client, family: str, newest: int, registered: int, equal: Equal) -> Json | None:
    for number in range(registered - 1, max(newest, registered - 1 - MOST_READ), -1):
        name = f"{family}:{number}"
        if number == registered - 1:
            found = visible(functools.partial(api.describe_task_definition, ecs, name), timeout=READ_SECONDS)
        else:
            found = api.describe_task_definition(ecs, name)
        if found and found.get("status") == ACTIVE:
            return found if equal(found) else None
    return None


def _deregistered(ecs: Client, registered: Json) -> bool:
    try:
        api.deregister_task_definition(ecs, registered["taskDefinitionArn"])
    except SlipwayError as error:
        if error.code != ACCESS_DENIED:
            raise
        return False
    return True
