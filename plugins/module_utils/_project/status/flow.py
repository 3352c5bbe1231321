# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a project once, and returns its status."""

from __future__ import annotations

import datetime

from ..._core.types import Connection, Result
from .. import details_flow, releases_flow, schedules_flow
from .model import status


def run(connection: Connection) -> Result:
    """The flow of project_status."""
    project = connection.params["project"]
    read = details_flow.run(connection.client, project)
    read = releases_flow.with_releases(connection.client("ssm"), project, read)
    read = schedules_flow.with_scheduled_tasks(connection.client("ecs"), read)
    endpoint = connection.params.get("endpoint_url") or ""
    return {"changed": False, "status": status(project, read, datetime.datetime.now(datetime.UTC), endpoint)}
