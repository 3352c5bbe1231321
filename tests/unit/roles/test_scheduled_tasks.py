# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud runs scheduled tasks at their time, with the settings of their schedule."""

from __future__ import annotations

import datetime
import json
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ecs, eventbridge, scheduler

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
CLUSTER = "arn:aws:ecs:eu-central-1:000000000000:cluster/shop"
NETWORK = {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"]}}
TARGET: Json = {
    "Arn": CLUSTER,
    "RoleArn": "arn:aws:iam::000000000000:role/schedules",
    "EcsParameters": {
        "TaskDefinitionArn": "web:1",
        "TaskCount": 2,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": NETWORK,
        "Tags": [{"key": "slipway:project", "value": "shop"}],
    },
    "Input": json.dumps({"containerOverrides": [{"name": "web", "command": ["clean"]}]}),
}


class Cloud:
    """The emulator with the patch, called without HTTP, with a clock of the test's."""

    def __init__(self) -> None:
        self.now = time.time()

    def schedule(self, expression: str, **members: t.Any) -> None:
        body = {"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": TARGET, **members}
        assert scheduler._create_schedule("night", body)[0] == 200

    def tasks_after(self, seconds: float) -> list[Json]:
        """All tasks, that many seconds later."""
        self.now += seconds
        scheduler._tick_schedules()
        return list(ecs._tasks.values())


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    modules = (ecs, eventbridge, scheduler)
    kept, actions = [dict(vars(one)) for one in modules], dict(ecs._ACTION_MAP)
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import scheduled_tasks  # type: ignore[import-not-found]

        found = Cloud()
        patch.setattr(ecs, "_get_docker", lambda: None)
        scheduled_tasks.scheduled_tasks(scheduler, eventbridge, ecs, lambda: found.now)
        ecs._create_cluster({"clusterName": "shop"})
        containers = [{"name": "web", "image": "web", "memory": 64}]
        ecs._dispatch_action("RegisterTaskDefinition", {"family": "web", "containerDefinitions": containers})
        yield found
        ecs.reset()
        scheduler.reset()
    for one, names in zip(modules, kept, strict=True):
        vars(one).update(names)
    ecs._ACTION_MAP.update(actions)
    for name in ("scheduled_tasks", "emulator_patches"):
        sys.modules.pop(name, None)


def test_a_task_is_what_the_schedule_says(cloud: Cloud) -> None:
    cloud.schedule("rate(1 hour)")
    tasks = cloud.tasks_after(1)
    assert len(tasks) == 2
    for task in tasks:
        assert (task["startedBy"], task["launchType"]) == ("chronos-schedule/night", "FARGATE")
        assert task["overrides"]["containerOverrides"] == [{"name": "web", "command": ["clean"]}]
        assert task["tags"] == [{"key": "slipway:project", "value": "shop"}]


def test_a_rate_runs_at_once_and_then_each_period(cloud: Cloud) -> None:
    cloud.schedule("rate(1 hour)")
    assert [len(cloud.tasks_after(seconds)) for seconds in (1, 3500, 101, 10, 3600)] == [2, 2, 4, 4, 6]


def test_a_time_is_that_of_its_zone(cloud: Cloud) -> None:
    """An hour from now, in a zone 9 hours ahead."""
    there = datetime.datetime.fromtimestamp(cloud.now, datetime.UTC) + datetime.timedelta(hours=10)
    cloud.schedule(f"cron({there.minute} {there.hour} * * ? *)", ScheduleExpressionTimezone="Asia/Seoul")
    assert [len(cloud.tasks_after(seconds)) for seconds in (1, 3500, 130, 60, 23 * 3600, 3700)] == [0, 0, 2, 2, 2, 4]


def test_a_time_that_comes_once_runs_once(cloud: Cloud) -> None:
    there = datetime.datetime.fromtimestamp(cloud.now, datetime.UTC) + datetime.timedelta(hours=10)
    cloud.schedule(f"at({there:%Y-%m-%dT%H:%M:%S})", ScheduleExpressionTimezone="Asia/Seoul")
    assert [len(cloud.tasks_after(seconds)) for seconds in (3500, 200, 100_000)] == [0, 2, 2]


def test_what_is_disabled_or_over_does_not_run(cloud: Cloud) -> None:
    cloud.schedule("rate(1 hour)", State="DISABLED")
    assert cloud.tasks_after(7200) == []
    scheduler._delete_schedule("night", {})
    cloud.schedule("rate(1 hour)", StartDate=cloud.now + 1000, EndDate=cloud.now + 2000)
    assert [len(cloud.tasks_after(seconds)) for seconds in (900, 200, 7200)] == [0, 2, 2]


def test_a_task_that_cannot_be_started_stops_no_other_schedule(cloud: Cloud) -> None:
    cloud.schedule("rate(1 hour)", Target={**TARGET, "EcsParameters": {"TaskDefinitionArn": "none:1"}})
    body = {"ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": TARGET}
    scheduler._create_schedule("other", body)
    assert {task["startedBy"] for task in cloud.tasks_after(1)} == {"chronos-schedule/other"}
