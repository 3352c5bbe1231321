# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tasks of a project's schedules beside the project."""

from __future__ import annotations

from .._core.errors import SlipwayError
from .._core.types import Client, Json
from .kinds import ecs_api
from .model import action_of, unknown
from .status.schedules import clusters_of


def with_scheduled_tasks(ecs: Client, read: Json) -> Json:
    """The project with the tasks of the last hour. Without the permission, they are one more unknown.

    Where there are no schedules, no call.
    """
    try:
        tasks = [task for cluster in clusters_of(read) for task in ecs_api.recent_tasks(ecs, cluster)]
    except SlipwayError as error:
        action = action_of("ecs", str(error.details.get("operation", "")))
        return {**read, "unknown": [*read["unknown"], unknown("schedule group", "ecs_app", action, error)]}
    return {**read, "scheduled_tasks": tasks}
