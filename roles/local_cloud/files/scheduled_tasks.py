# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: a schedule of EventBridge Scheduler runs tasks of ECS, at the time of the zone that it names.

The emulator calls queues, topics and functions, and takes each time for UTC. AWS calls RunTask with the EcsParameters
of the target, and with its Input as overrides. A rate without a start begins at once.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

Neither retries nor dead-letter queues: a task that cannot be started is a line in the cloud's log.
"""

from __future__ import annotations

import datetime
import json
import logging
import re
import time
import zoneinfo
from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]
UTC = datetime.UTC
AT = re.compile(r"at\((.+)\)")
# What AWS writes into startedBy, as users see it in DescribeTasks.
STARTED_BY = "chronos-schedule/{}"
# Members of RunTask as EcsParameters calls them.
PARAMETERS = {
    "taskDefinition": "TaskDefinitionArn",
    "count": "TaskCount",
    "launchType": "LaunchType",
    "capacityProviderStrategy": "CapacityProviderStrategy",
    "platformVersion": "PlatformVersion",
    "placementConstraints": "PlacementConstraints",
    "placementStrategy": "PlacementStrategy",
    "group": "Group",
    "propagateTags": "PropagateTags",
    "enableECSManagedTags": "EnableECSManagedTags",
    "enableExecuteCommand": "EnableExecuteCommand",
    "tags": "Tags",
}
logger = logging.getLogger("scheduler")


def run_request(target: Json, name: str) -> Json:
    """What AWS calls RunTask with."""
    parameters = target["EcsParameters"]
    request = {member: parameters[ours] for member, ours in PARAMETERS.items() if parameters.get(ours) is not None}
    network = (parameters.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    if network:
        members = {member[0].lower() + member[1:]: value for member, value in network.items()}
        request["networkConfiguration"] = {"awsvpcConfiguration": members}
    overrides = json.loads(target["Input"]) if target.get("Input") else {}
    return {**request, "cluster": target["Arn"], "overrides": overrides, "startedBy": STARTED_BY.format(name)}


class Due:
    """Which schedules are due, on a clock that tests can replace. `last` are the times of the last runs."""

    def __init__(self, scheduler: ModuleType, eventbridge: ModuleType) -> None:
        self.scheduler, self.eventbridge = scheduler, eventbridge
        self.last: dict[Any, float] = {}

    def is_due(self, key: Any, schedule: Json, now: float) -> bool:
        start, end = (self.scheduler._to_epoch(schedule.get(name)) for name in ("StartDate", "EndDate"))
        if schedule.get("State") != "ENABLED" or (start and now < start) or (end and now > end):
            return False
        expression, zone = schedule["ScheduleExpression"], self.zone(schedule)
        if at := AT.fullmatch(expression):
            moment = datetime.datetime.fromisoformat(at[1]).replace(tzinfo=zone)
            return key not in self.last and now >= moment.timestamp()
        period = self.eventbridge._parse_rate_seconds(expression)
        if period is not None:
            return key not in self.last or now - self.last[key] >= period
        fields = self.eventbridge._parse_cron_fields(expression)
        before = self.last.get(key, schedule["CreationDate"])
        following = fields and self.eventbridge._cron_next_fire(fields, datetime.datetime.fromtimestamp(before, zone))
        return bool(following) and now >= following.timestamp()

    @staticmethod
    def zone(schedule: Json) -> datetime.tzinfo:
        name = schedule.get("ScheduleExpressionTimezone") or "UTC"
        return UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def scheduled_tasks(
    scheduler: ModuleType, eventbridge: ModuleType, ecs: ModuleType, clock: Callable[[], float] = time.time
) -> None:
    """Start the tasks of each schedule that is due."""
    due = Due(scheduler, eventbridge)

    @wrap(eventbridge, "_invoke_target")
    def invoke(original: Callable[..., Any], target: Json, event: Json, rule: Json, *args: Any) -> Any:
        # A rule of EventBridge has `Targets`.
        if "Target" in rule and ":ecs:" in target.get("Arn", "") and target.get("EcsParameters"):
            return start(ecs, target, rule["Name"])
        return original(target, event, rule, *args)

    @wrap(scheduler, "_tick_schedules")
    def tick(_original: Callable[..., Any]) -> None:
        now = clock()
        for key, schedule in list(scheduler._schedules._data.items()):
            account, region, _name = key
            if not due.is_due(key, schedule, now):
                continue
            due.last[key] = now
            with ecs.request_scope(account, region):
                eventbridge._invoke_target(schedule["Target"], event_of(schedule, account, region), schedule)
            if AT.fullmatch(schedule["ScheduleExpression"]) and schedule.get("ActionAfterCompletion") == "DELETE":
                scheduler._schedules._data.pop(key, None)

    @wrap(scheduler, "_delete_schedule")
    def delete(original: Callable[..., Any], name: str, query: Json) -> Any:
        """One that is created again has not run."""
        key = (ecs.get_account_id(), ecs.get_region(), f"{query.get('groupName', 'default')}/{name}")
        due.last.pop(key, None)
        return original(name, query)


def start(ecs: ModuleType, target: Json, name: str) -> None:
    """A target that cannot be called is no reason not to run other schedules."""
    try:
        status, _headers, body = ecs._run_task(run_request(target, name))
    except Exception:
        logger.exception("Schedule %s", name)
        return
    if status != 200 or json.loads(body).get("failures"):
        logger.warning("Schedule %s: RunTask answered %s: %s", name, status, body)


def event_of(schedule: Json, account: str, region: str) -> Json:
    """For targets that are no tasks: what the emulator hands to them."""
    own = {"Source": "aws.scheduler", "DetailType": "Scheduled Event", "Detail": "{}", "Account": account}
    return {**own, "Region": region, "Time": time.time(), "EventId": schedule["Name"], "Resources": [schedule["Arn"]]}
