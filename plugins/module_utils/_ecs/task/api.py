# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks: one typed function for each call."""

from __future__ import annotations

from ..._core.answers import described, raise_failures
from ..._core.errors import aws_call
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

TASKS_BATCH = 100


@aws_call
def run_task(ecs: Client, request: Json) -> Json:
    answer = ecs.run_task(**request)
    raise_failures("RunTask", answer)
    return dict(answer["tasks"][0])


@aws_call
def stop_task(ecs: Client, cluster: str, arn: str, reason: str) -> None:
    ecs.stop_task(cluster=cluster, task=arn, reason=reason)


@aws_call
def list_tasks(ecs: Client, cluster: str, **filters: str) -> list[str]:
    """ARNs of tasks; `filters` are those of ListTasks, such as family, serviceName, desiredStatus."""
    return pages(ecs, "list_tasks", "taskArns", cluster=cluster, **filters)


@aws_call
def describe_tasks(ecs: Client, cluster: str, names: Items) -> list[Json]:
    found: list[Json] = []
    for batch in batches(names, TASKS_BATCH):
        answer = ecs.describe_tasks(cluster=cluster, tasks=batch)
        found += described("DescribeTasks", answer, "tasks", "taskArn", batch)
    return found
