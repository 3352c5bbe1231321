# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled tasks: what runs when, how the last run ended, and when the next one is due. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ..._core.names import last
from ..._core.schedules import next_run
from ..._core.types import Json
from .project import Project, moment_of, timestamp

# What AWS writes into startedBy of a task that a schedule starts, as users see it in DescribeTasks, and what the
# playbook run_schedule writes.
STARTED_BY = ("chronos-schedule/{}", "slipway/schedule/{}")
ENABLED, DISABLED, OVER = "enabled", "disabled", "over"


def clusters_of(read: Json) -> list[str]:
    """The clusters in which schedules of the project run tasks."""
    return sorted({cluster for group, one in _schedules(read) if (cluster := _target(one).get("Arn"))})


def schedules(project: Project) -> list[Json]:
    """The status of each schedule, as the module documents it."""
    return [_schedule(project, group, one) for group, one in _schedules(project.read)]


def _schedules(read: Json) -> Iterator[tuple[str, Json]]:
    for group in read["resources"]:
        if group["kind"] == "schedule group":
            yield from ((group["name"], one) for one in group["details"].get("schedules") or ())


def _target(schedule: Json) -> Json:
    return schedule.get("Target") or {}


def _definition(schedule: Json) -> str:
    return last((_target(schedule).get("EcsParameters") or {}).get("TaskDefinitionArn"))


def _schedule(project: Project, group: str, schedule: Json) -> Json:
    name, definition = schedule["Name"], _definition(schedule)
    following = _next(schedule, project.now)
    enabled = schedule.get("State") != "DISABLED"
    found = {
        "name": name,
        "group": group,
        "cluster": last(_target(schedule).get("Arn")),
        "schedule": schedule["ScheduleExpression"],
        "timezone": schedule.get("ScheduleExpressionTimezone") or "UTC",
        "state": DISABLED if not enabled else ENABLED if following else OVER,
        "task_definition": definition,
        "next_run": timestamp(following) if enabled else None,
        "last_run": _last_run(project, schedule),
    }
    return {**found, "problems": [*_problems(project, found)]}


def _next(schedule: Json, now: datetime.datetime) -> datetime.datetime | None:
    start, end = (moment_of(schedule.get(name)) for name in ("StartDate", "EndDate"))
    created = start or moment_of(schedule.get("CreationDate")) or now
    timezone = schedule.get("ScheduleExpressionTimezone") or "UTC"
    # A run at the very start counts.
    after = max(now, start - datetime.timedelta(seconds=1)) if start else now
    found = next_run(schedule["ScheduleExpression"], timezone, after, created)
    return None if found and end and found > end else found


def _last_run(project: Project, schedule: Json) -> Json | None:
    """The newest task that the schedule started. ECS forgets tasks about an hour after they stopped."""
    family = _definition(schedule).partition(":")[0]
    # AWS allows no dots where the playbook writes the name.
    names = {schedule["Name"], schedule["Name"].replace(".", "-")}
    started_by = [text.format(name) for text in STARTED_BY for name in names]
    tasks = [
        task
        for task in project.read.get("scheduled_tasks") or ()
        if task.get("startedBy") in started_by and last(task.get("taskDefinitionArn")).partition(":")[0] == family
    ]
    if not tasks:
        return None
    newest = max(tasks, key=lambda task: str(moment_of(task.get("createdAt"))))
    return {
        "task_arn": newest["taskArn"],
        "task_definition": last(newest.get("taskDefinitionArn")),
        "status": str(newest.get("lastStatus") or "").lower(),
        "started_at": timestamp(newest.get("startedAt") or newest.get("createdAt")),
        "stopped_at": timestamp(newest.get("stoppedAt")),
        "seconds_ago": project.age(newest.get("startedAt") or newest.get("createdAt")),
        "exit_code": _exit_code(newest, schedule),
        "reason": str(newest.get("stoppedReason") or ""),
    }


def _exit_code(task: Json, schedule: Json) -> int | None:
    """That of the container with a command of its own, or the only one; of several, the first that is not 0."""
    overrides = _target(schedule).get("Input") or {}
    overridden = overrides.get("containerOverrides") if isinstance(overrides, dict) else None
    names = [one.get("name") for one in overridden or () if one.get("command")]
    containers = [one for one in task.get("containers") or () if not names or one.get("name") in names]
    codes = [one.get("exitCode") for one in containers]
    if not codes or None in codes:
        return None
    return next((int(code) for code in codes if code), 0)


def _problems(project: Project, schedule: Json) -> Iterator[str]:
    run = schedule["last_run"]
    if run and run["status"] == "stopped" and run["exit_code"] != 0:
        how = "did not start" if run["exit_code"] is None else f"failed with exit code {run['exit_code']}"
        reason = f": {run['reason']}" if run["reason"] else ""
        yield f"The last run {how}{reason.rstrip('.')}."
    family = schedule["task_definition"].partition(":")[0]
    running = {last(one["details"].get("taskDefinition")) for one in project.of("service")}
    current = sorted(one for one in running if one.partition(":")[0] == family)
    if current and schedule["task_definition"] not in current:
        yield f"It runs {schedule['task_definition']}, but the service runs {', '.join(current)}. Rerun the release."
