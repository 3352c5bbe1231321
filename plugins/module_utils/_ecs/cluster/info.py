# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_cluster_info does: read clusters."""

from __future__ import annotations

from ..._core.shapes import plain
from ..._core.types import Connection, Json, Result
from . import api
from .flow import PARTS
from .model import from_api, is_deleted


def run(connection: Connection) -> Result:
    """Reads the named clusters, or all of the region."""
    ecs, params = connection.client("ecs"), connection.params
    names = params["names"] if params["names"] is not None else api.list_clusters(ecs)
    answers = api.describe_clusters(ecs, names, (*PARTS, "STATISTICS"))
    return {"changed": False, "clusters": [_to_result(answer) for answer in answers if not is_deleted(answer)]}


def _to_result(answer: Json) -> Json:
    statistics = {item.get("name", ""): item.get("value", "") for item in answer.get("statistics") or ()}
    attachments = plain(answer.get("attachments") or [])
    status = answer.get("attachmentsStatus") or ""
    return {
        **from_api(answer),
        "statistics": statistics,
        "attachments": attachments,
        "attachments_status": status,
    }
