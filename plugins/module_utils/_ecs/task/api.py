# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks: one typed function for each call."""

from __future__ import annotations

import typing as t

from ..._core.answers import described, raise_failures
from ..._core.errors import SlipwayError, aws_call, aws_find, bad_answer
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

TASKS_BATCH = 100


@aws_call
def run_tasks(ecs: Client, request: Json) -> list[Json]:
    """The started tasks. If AWS started only some of them, the error has these under `started`."""
    answer = ecs.run_task(**request)
    try:
        raise_failures("RunTask", answer)
    except SlipwayError as error:
        error.details["started"] = [task["taskArn"] for task in answer.get("tasks") or ()]
        raise
    tasks = [dict(task) for task in answer["tasks"]]
    if len(tasks) != request.get("count", 1):
        raise bad_answer("RunTask", f"{request.get('count', 1)} tasks or the failures", f"{len(tasks)} tasks")
    return tasks


@aws_call
def stop_task(ecs: Client, cluster: str, arn: str, reason: str) -> None:
    ecs.stop_task(cluster=cluster, task=arn, reason=reason)


@aws_call
def list_tasks(ecs: Client, cluster: str, **filters: str) -> list[str]:
    """ARNs of tasks; `filters` are those of ListTasks, such as family, serviceName, desiredStatus."""
    return pages(ecs, "list_tasks", "taskArns", cluster=cluster, **filters)


@aws_call
def describe_tasks(ecs: Client, cluster: str, names: Items, include: Items = ()) -> list[Json]:
    """The tasks that exist, of those named."""
    found: list[Json] = []
    for batch in batches(names, TASKS_BATCH):
        answer = ecs.describe_tasks(cluster=cluster, tasks=batch, include=list(include))
        found += described("DescribeTasks", answer, "tasks", "taskArn", batch)
    return found


class LogEvents(t.NamedTuple):
    """Lines of a log stream, and the token with which the next read continues."""

    lines: list[str]
    token: str


@aws_find
def log_events(logs: Client, group: str, stream: str, token: str) -> LogEvents:
    """The lines after those of the last read, oldest first. None if the stream does not exist yet."""
    start = {"nextToken": token} if token else {}
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **start)
    lines = [str(event["message"]).rstrip("\r\n") for event in answer.get("events") or ()]
    return LogEvents(lines, str(answer.get("nextForwardToken") or token))
