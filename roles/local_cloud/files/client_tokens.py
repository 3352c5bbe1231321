# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: RunTask starts tasks once for each client token and cluster.

The same request with the same token gets the same tasks, another request with it a conflict that names them.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]

# As the API reference describes it.
CONFLICT = (
    "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a"
    " different RunTask request."
)


def client_tokens(ecs: ModuleType) -> None:
    """Remember the request and the tasks of each token, as long as the emulator knows the tasks."""
    known: dict[tuple[str, str, str, str], tuple[Json, list[str]]] = {}

    @wrap(ecs, "_run_task")
    def run(original: Callable[..., Any], data: Json) -> Any:
        token = data.get("clientToken")
        if not token:
            return original(data)
        cluster = str(ecs._resolve_cluster_name(data.get("cluster", "default")))
        key = (ecs.get_account_id(), ecs.get_region(), cluster, token)
        with ecs.resource_lock("client-token", "/".join(key)):
            request, arns = known.get(key, ({}, []))
            tasks = [ecs._tasks[arn] for arn in arns if arn in ecs._tasks]
            if tasks and request != data:
                return ecs.error_response_json("ConflictException", CONFLICT, 400, {"resourceIds": arns})
            if tasks:
                return ecs.json_response({"tasks": [ecs._sanitize(task) for task in tasks], "failures": []})
            response = original(data)
            started = json.loads(response[2])
            if response[0] == 200 and not started.get("failures"):
                known[key] = (dict(data), [task["taskArn"] for task in started["tasks"]])
            return response
