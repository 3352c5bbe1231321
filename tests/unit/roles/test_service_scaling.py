# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services on the local cloud scale by the depth of a queue, and at set times. Minutes pass when a test says so, and
tasks are the emulator's own: no container runs."""

from __future__ import annotations

import datetime
import inspect
import json
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling import queue as model

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, sqs
from ministack.services import ecs as emulator

Json = dict[str, t.Any]

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
PATCHES = ("application_autoscaling", "service_scaling", "scaling_decisions", "metric_math", "emulator_patches")
TARGET: Json = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/worker",
    "ScalableDimension": "ecs:service:DesiredCount",
}
WORKER: Json = {"name": "worker", "queue": {"name": "orders", "messages_per_task": 10}, "scale_in_cooldown": 120}


class Cloud:
    """The emulator with the patches, called without HTTP: a worker, its queue, and a clock."""

    def __init__(self, patches: t.Any, scaler: t.Any) -> None:
        self.patches, self.scaler, self.scaling = patches, scaler, scaler.scaling
        self.scaling.now = lambda: self.now
        # A Monday.
        self.now = datetime.datetime(2026, 11, 30, 12, 0, 30, tzinfo=datetime.UTC).timestamp()
        self.url = ""

    def prepare(self, insights: str = "enabled") -> None:
        self.ecs("CreateCluster", settings=[{"name": "containerInsights", "value": insights}])
        container = {"name": "worker", "image": "worker:1", "versionConsistency": "disabled"}
        self.ecs("RegisterTaskDefinition", family="worker", containerDefinitions=[container])
        self.ecs("CreateService", serviceName="worker", taskDefinition="worker", desiredCount=0)
        self.url = str(sqs._act_create_queue({"QueueName": "orders"}, "")["QueueUrl"])

    def ecs(self, operation: str, **members: t.Any) -> Json:
        status, _headers, body = emulator._finalize_ecs_response(emulator._dispatch_action(operation, members))
        assert status == 200, body
        return dict(json.loads(body))

    def call(self, operation: str, **members: t.Any) -> Json:
        return dict(self.patches.OPERATIONS[operation](self.scaling, {**TARGET, **members}))

    def scale(self, least: int = 0, most: int = 5, **options: t.Any) -> None:
        """As the module sets it."""
        worker = {**WORKER, "min_capacity": least, **options}
        self.call("RegisterScalableTarget", MinCapacity=least, MaxCapacity=most)
        arns = {}
        for name, policy in model.policies(worker, "default").items():
            kind = "TargetTracking" if "TargetValue" in policy else "Step"
            configuration = {f"{kind}ScalingPolicyConfiguration": policy}
            put = self.call("PutScalingPolicy", PolicyName=name, PolicyType=f"{kind}Scaling", **configuration)
            arns[name] = put["PolicyARN"]
        for name, alarm in model.alarms(worker, "default").items():
            put = {**alarm, "AlarmName": name, "AlarmActions": [arns[one] for one in alarm["AlarmActions"]]}
            cloudwatch._put_metric_alarm({}, put, False, True)

    def send(self, count: int) -> None:
        for number in range(count):
            sqs._act_send_message({"MessageBody": str(number)}, self.url)

    def receive(self, count: int, *, delete: bool = True) -> None:
        for _number in range(count):
            for one in sqs._collect_msgs(sqs._get_q(self.url), 1, 3600):
                handle = next(reversed(one["receipt_handles"])) if "receipt_handles" in one else one["receipt_handle"]
                if delete:
                    sqs._act_delete_message({"ReceiptHandle": handle}, self.url)

    def count(self) -> int:
        return int(self.ecs("DescribeServices", services=["worker"])["services"][0]["desiredCount"])

    def minutes(self, number: int) -> list[int]:
        """How many tasks are desired after each of so many minutes."""
        found = []
        for _minute in range(number):
            self.now += 60
            self.scaler.look()
            found.append(self.count())
        return found


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    kept = {module: dict(vars(module)) for module in (emulator, cloudwatch)}
    handlers, patterns = dict(app.SERVICE_HANDLERS), dict(router.SERVICE_PATTERNS)
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import application_autoscaling as patches  # type: ignore[import-not-found]

        made = Cloud(patches, patches.application_autoscaling(app, router, 60.0, emulator, cloudwatch, sqs))
        patch.setattr(emulator, "_get_docker", lambda: None)
        yield made
        for module in (emulator, cloudwatch, sqs):
            module.reset()
    for module, names in kept.items():
        vars(module).update(names)
    app.SERVICE_HANDLERS.clear()
    app.SERVICE_HANDLERS.update(handlers)
    router.SERVICE_PATTERNS.clear()
    router.SERVICE_PATTERNS.update(patterns)
    for name in PATCHES:
        sys.modules.pop(name, None)


def test_a_message_starts_a_worker_and_an_empty_queue_stops_it(cloud: Cloud) -> None:
    cloud.prepare()
    cloud.scale()
    assert cloud.minutes(3) == [0, 0, 0]
    cloud.send(1)
    assert cloud.minutes(3) == [0, 1, 1]
    cloud.receive(1)
    # Below the target for 15 minutes, in one of which the worker was starting.
    passed = cloud.minutes(18)
    assert (passed[:12], passed[-1]) == ([1] * 12, 0)


def test_workers_follow_the_backlog_between_their_limits(cloud: Cloud) -> None:
    cloud.prepare()
    cloud.scale()
    cloud.send(40)
    assert cloud.minutes(6)[-1] == 4
    cloud.send(100)
    assert cloud.minutes(9)[-1] == 5
    # Fewer tasks would keep the target, but only if it is missed for 15 minutes.
    cloud.receive(125)
    assert cloud.minutes(20)[-1] == 2


def test_a_worker_that_processes_the_last_message_is_not_stopped(cloud: Cloud) -> None:
    cloud.prepare()
    cloud.scale()
    cloud.send(1)
    cloud.minutes(3)
    cloud.receive(1, delete=False)
    assert cloud.minutes(30)[-1] == 1


def test_without_container_insights_nothing_stops(cloud: Cloud) -> None:
    """Target tracking has no data."""
    cloud.prepare("disabled")
    cloud.scale()
    cloud.send(1)
    assert cloud.minutes(2)[-1] == 1
    states = {one["StateValue"] for name, one in cloudwatch._alarms.items() if name.startswith("TargetTracking-")}
    assert states == {"INSUFFICIENT_DATA"}


def test_a_schedule_stops_the_worker_at_night(cloud: Cloud) -> None:
    cloud.prepare()
    cloud.scale(least=2)
    assert cloud.count() == 2
    night = {"MinCapacity": 0, "MaxCapacity": 0}
    cloud.call(
        "PutScheduledAction",
        ScheduledActionName="night",
        Schedule="cron(0 22 * * ? *)",
        Timezone="Asia/Seoul",
        ScalableTargetAction=night,
    )
    cloud.call(
        "PutScheduledAction",
        ScheduledActionName="morning",
        Schedule="at(2026-12-01T06:00:00)",
        Timezone="Asia/Seoul",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 5},
    )
    # It is 21:00:30 in Seoul.
    assert cloud.minutes(59)[-1] == 2
    assert cloud.minutes(1) == [0]
    cloud.send(3)
    assert cloud.minutes(5)[-1] == 0
    cloud.now += 8 * 3600
    assert cloud.minutes(1) == [2]


def test_limits_and_what_belongs_to_a_target(cloud: Cloud) -> None:
    cloud.prepare()
    cloud.scale(least=1)
    assert cloud.count() == 1
    policies = cloud.call("DescribeScalingPolicies")["ScalingPolicies"]
    assert [len(one["Alarms"]) for one in policies] == [2]
    assert [one["Cause"] for one in cloud.call("DescribeScalingActivities")["ScalingActivities"]] == [
        "minimum capacity was set to 1"
    ]
    cloud.call("DeregisterScalableTarget")
    assert cloud.call("DescribeScalingPolicies") == {"ScalingPolicies": []}
    assert [name for name in cloudwatch._alarms if name.startswith("TargetTracking-")] == []
    with pytest.raises(cloud.patches.Refused, match="No scalable target registered for service namespace: ecs"):
        cloud.call("DeregisterScalableTarget")
    with pytest.raises(cloud.patches.Refused, match="ECS service doesn't exist: service/default/other"):
        cloud.call("RegisterScalableTarget", ResourceId="service/default/other", MinCapacity=0, MaxCapacity=1)


@pytest.mark.parametrize(
    ("kind", "adjustment", "expected"),
    [("ChangeInCapacity", -1, 3), ("ExactCapacity", 7, 7), ("PercentChangeInCapacity", 10, 6)],
)
def test_steps(cloud: Cloud, kind: str, adjustment: int, expected: int) -> None:
    import scaling_decisions  # type: ignore[import-not-found]

    steps = [
        {"MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 0},
        {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": adjustment},
    ]
    configuration = {"AdjustmentType": kind, "StepAdjustments": steps, "MinAdjustmentMagnitude": 2}
    assert scaling_decisions.stepped(configuration, 4, 10.0) == expected


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 22 * * ? *", "2026-11-30T22:00", True),
        ("0 22 * * ? *", "2026-11-30T22:01", False),
        ("0/15 6-8 ? * MON-FRI *", "2026-11-30T07:45", True),
        ("0 6 ? * SUN,SAT 2026", "2026-11-30T06:00", False),
        ("0 6 1,30 NOV ? *", "2026-11-30T06:00", True),
    ],
)
def test_schedules(cloud: Cloud, expression: str, moment: str, expected: bool) -> None:
    import scaling_decisions

    assert scaling_decisions.matches(expression, datetime.datetime.fromisoformat(moment)) is expected


def test_the_emulator_lacks_what_is_patched() -> None:
    """Remove the patch once it has this."""
    assert "application-autoscaling" not in app.SERVICE_HANDLERS
    assert "application-autoscaling" not in iam_actions.SERVICE_TO_IAM_NAMESPACE
    assert "Metrics" not in inspect.getsource(cloudwatch._put_metric_alarm)
    assert "AWS/SQS" not in inspect.getsource(sqs)
