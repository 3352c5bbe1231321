# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker follows its queue from no task to one and back, and keeps the number of its tasks across releases."""

from __future__ import annotations

import typing as t

import boto3
import docker
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import WORK, Json, Shop
from ansible_collections.slipway.aws.tests.integration.processes import await_that

pytestmark = pytest.mark.slow
# An alarm of target tracking waits for 15 minutes, which the local cloud shortens.
STOPPED = 240
SETTINGS = [{"name": "containerInsights", "value": "enabled"}]


class Worker:
    """A service without tasks, and its queue."""

    def __init__(self, shop: Shop, ecs: t.Any, network: Json) -> None:
        self.shop, self.ecs, self.network = shop, ecs, network
        self.engine, self.sqs = docker.from_env(), boto3.client("sqs")
        self.url = self.sqs.create_queue(QueueName=shop.name)["QueueUrl"]

    def release(self, version: str) -> Json:
        container = self.shop.container(*WORK, environment=[{"name": "VERSION", "value": version}])
        definition = {"family": self.shop.name, "network_mode": "awsvpc", "container_definitions": [container]}
        worker = {"name": "worker", "initial_count": 0, "network_configuration": self.network}
        services = [{**worker, "task_definition": definition}]
        return self.shop.run("ecs_release", cluster=self.shop.name, services=services, wait_timeout=60)

    def scale(self, **options: t.Any) -> Json:
        worker: Json = {
            "name": "worker",
            "min_capacity": 0,
            "max_capacity": 3,
            "queue": {"name": self.shop.name, "messages_per_task": 10},
        }
        return self.shop.run("ecs_service_scaling", cluster=self.shop.name, services=[{**worker, **options}])

    def counts(self) -> tuple[int, int]:
        (service,) = self.ecs.describe_services(cluster=self.shop.name, services=["worker"])["services"]
        return service["desiredCount"], service["runningCount"]

    def versions(self) -> list[str]:
        """What the running containers are."""
        arns = self.ecs.list_tasks(cluster=self.shop.name, serviceName="worker")["taskArns"]
        found = [
            one
            for arn in arns
            for one in self.engine.containers.list(filters={"label": f"com.amazonaws.ecs.task-arn={arn}"})
        ]
        settings = [setting for one in found for setting in one.attrs["Config"]["Env"]]
        return [one.partition("=")[2] for one in settings if one.startswith("VERSION=")]

    def empty(self) -> None:
        for one in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", ()):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=one["ReceiptHandle"])

    def state(self) -> str:
        scaling = boto3.client("application-autoscaling")
        resource = f"service/{self.shop.name}/worker"
        found = scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId=resource)["ScalingActivities"]
        return f"{self.counts()}, {[one['Cause'] for one in found]}"


@pytest.fixture
def worker(shop: Shop, ecs: t.Any, network: Json) -> t.Iterator[Worker]:
    assert shop.run("ecs_cluster", name=shop.name, settings=SETTINGS)["changed"]
    made = Worker(shop, ecs, network)
    yield made
    shop.run("ecs_service_scaling", cluster=shop.name, services=[{"name": "worker", "state": "absent"}])
    made.sqs.delete_queue(QueueUrl=made.url)


def test_a_worker_starts_with_a_message_and_stops_without(worker: Worker) -> None:
    assert worker.release("1")["changed"]
    assert worker.scale()["changed"]
    assert worker.scale()["changed"] is False
    assert (worker.counts(), worker.versions()) == ((0, 0), [])

    # A release of a service without tasks ends, and starts none.
    assert worker.release("2")["changed"]
    assert worker.counts() == (0, 0)

    worker.sqs.send_message(QueueUrl=worker.url, MessageBody="order")
    await_that(lambda: worker.counts() == (1, 1), worker.state)
    assert worker.versions() == ["2"]

    # What scaling has set, a release keeps.
    assert worker.release("3")["changed"]
    assert (worker.counts(), worker.versions()) == ((1, 1), ["3"])

    worker.empty()
    await_that(lambda: worker.counts() == (0, 0), worker.state, limit=STOPPED)
    assert worker.versions() == []
    alarms = boto3.client("cloudwatch")
    assert alarms.describe_alarms(AlarmNamePrefix=f"StepScaling-service/{worker.shop.name}/")["MetricAlarms"]
    worker.scale(state="absent")
    assert alarms.describe_alarms(AlarmNamePrefix=f"StepScaling-service/{worker.shop.name}/")["MetricAlarms"] == []
