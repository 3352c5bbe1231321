# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_task_definition_info does: read a task definition."""

from __future__ import annotations

from ..._core.types import Connection, Result
from . import api
from .flow import find
from .model import ACTIVE, INACTIVE, parse_name, to_result


def run(connection: Connection) -> Result:
    """Reads one task definition and, when asked, the numbers of the family's revisions."""
    ecs, params = connection.client("ecs"), connection.params
    name = parse_name(params["family"], params["revision"])
    found = find(ecs, name)
    result: Result = {"task_definitions": [to_result(found)] if found else []}
    if params["list_revisions"]:
        result["revisions"] = {
            status.lower(): [api.revision_of(arn) for arn in api.list_task_definitions(ecs, name.family, status)]
            for status in (ACTIVE, INACTIVE)
        }
    return {"changed": False, **result}
