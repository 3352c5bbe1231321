# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_service_info: services read, and their rollouts checked in one look."""

from __future__ import annotations

import typing as t

import botocore.client
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cloud import Cloud
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import info as service_info_flow
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import (
    Json,
    container,
    deployment,
    service,
    service_deployment,
    stopped,
    task,
)

Run = t.Callable[..., Json]


class Recorded:
    """A client that answers with what was recorded."""

    def __init__(self, tasks: list[Json], deployments: list[Json], services: t.Sequence[Json] = ()) -> None:
        self.tasks = {item["taskArn"]: item for item in tasks}
        self.deployments = deployments
        self.services = {item["serviceName"]: item for item in services}

    def describe_services(self, services: list[str], **_request: t.Any) -> Json:
        return {"services": [self.services[name] for name in services], "failures": []}

    def get_paginator(self, _operation: str) -> Recorded:
        return self

    def paginate(self, **request: str) -> list[Json]:
        arns = [
            arn for arn, item in self.tasks.items() if item["desiredStatus"] == request.get("desiredStatus", "RUNNING")
        ]
        return [{"taskArns": arns}]

    def describe_tasks(self, tasks: list[str], **_request: str) -> Json:
        return {"tasks": [self.tasks[arn] for arn in tasks]}

    def list_service_deployments(self, **_request: str) -> Json:
        return {"serviceDeployments": self.deployments}

    def describe_service_deployments(self, **_request: str) -> Json:
        return {"serviceDeployments": self.deployments}

    def describe_task_definition(self, **_request: str) -> Json:
        return {"taskDefinition": {"containerDefinitions": []}}


def check(answer: Json, *, tasks: t.Sequence[Json] = (), deployments: t.Sequence[Json] = ()) -> Json:
    client = Recorded(list(tasks), list(deployments))
    return service_info_flow.check(Cloud(lambda _name, _region="": client), "shop", answer)


RUNNING = [task("n1"), task("n2")]
FAILED = [stopped(f"f{number}") for number in range(3)]


def test_a_service_that_runs_is_up_to_date_in_one_look() -> None:
    assert check(service(), tasks=RUNNING)["state"] == "succeeded"
    assert check(service(), deployments=[service_deployment("SUCCESSFUL")])["state"] == "succeeded"


def test_a_running_rollout_is_in_progress() -> None:
    rolling = service(deployment(2, rolloutState="IN_PROGRESS", runningCount=0), deployment(1, status="ACTIVE"))
    found = check(rolling, tasks=RUNNING)
    assert (found["state"], found["code"]) == ("in_progress", "")
    assert found["progress"] == "0/2 running"
    assert "failure" not in found


def test_a_rollout_that_was_rolled_back_is_reported_as_failed() -> None:
    found = check(service(), tasks=RUNNING, deployments=[service_deployment("ROLLBACK_SUCCESSFUL")])
    assert (found["state"], found["code"]) == ("failed", "rolled_back")


def test_a_service_that_succeeded_once_and_fails_now_is_reported_as_failing() -> None:
    broken = service(deployment(1, runningCount=0), runningCount=0)
    found = check(broken, tasks=FAILED, deployments=[service_deployment("SUCCESSFUL")])
    assert (found["state"], found["code"]) == ("failed", "tasks_failing")
    assert found["failure"]["causes"] == ["container_exited"]


def test_failed_tasks_of_a_rollout_in_progress_are_reported_too() -> None:
    rolling = service(deployment(1, rolloutState="IN_PROGRESS", runningCount=0), runningCount=0)
    found = check(rolling, tasks=[FAILED[0], task("n1", lastStatus="PENDING")])
    assert found["state"] == "in_progress"
    assert found["failure"]["failed_task_count"] == 1


def test_rollouts_and_tasks_are_returned_on_request() -> None:
    image = {"image": "shop/web:1", "imageDigest": "sha256:1"}
    client = Recorded([task("n1", healthStatus="HEALTHY", containers=[container("n1", **image)])], [], [service()])
    params = {"cluster": "shop", "names": ["web"], "network": False, "rollouts": False, "tasks": False}

    def service_result(**options: bool) -> Json:
        connection = Connection(lambda _name, _region="": client, params | options, True)
        found: Json = service_info_flow.run(connection)["services"][0]
        return found

    assert not {"network", "rollout", "tasks"} & set(service_result())
    # Nothing can be wrong with the network of tasks without a network interface or a load balancer.
    assert service_result(network=True)["network"] == {"causes": [], "advice": [], "unread": []}
    both = service_result(rollouts=True, tasks=True)
    assert both["rollout"]["state"] == "in_progress"
    assert both["tasks"] == [
        {
            "task_arn": task("n1")["taskArn"],
            "task_definition": task("n1")["taskDefinitionArn"],
            "last_status": "RUNNING",
            "health_status": "HEALTHY",
            "containers": [
                {"name": "web", "last_status": "RUNNING", "image": "shop/web:1", "image_digest": "sha256:1"}
            ],
        }
    ]


# As a module


@pytest.fixture
def shop(ecs: t.Any) -> t.Any:
    ecs.create_cluster(clusterName="shop")
    container = {"name": "web", "image": "nginx", "memory": 64}
    ecs.register_task_definition(family="web", containerDefinitions=[container])
    for number in range(12):
        ecs.create_service(
            cluster="shop",
            serviceName=f"web{number:02}",
            taskDefinition="web",
            desiredCount=1,
            tags=[{"key": "number", "value": str(number)}],
        )
    return ecs


def test_all_services_of_a_cluster_in_batches_of_ten(run: Run, shop: t.Any, calls: list[str]) -> None:
    found = run("ecs_service_info", cluster="shop")
    assert [item["service_name"] for item in found["services"]] == [f"web{number:02}" for number in range(12)]
    assert found["services"][3]["tags"] == {"number": "3"}
    assert calls.count("DescribeServices") == 2


@pytest.mark.witness("ecs_service_info")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_named_services_and_what_does_not_exist(run: Run, shop: t.Any) -> None:
    found = run("ecs_service_info", cluster="shop", names=["web01", "absent"])
    assert [item["service_name"] for item in found["services"]] == ["web01"]
    assert run("ecs_service_info", cluster="nowhere")["services"] == []
    assert run("ecs_service_info", cluster="shop", names=[])["services"] == []
    assert not found["changed"]


def test_what_may_not_be_read_is_no_empty_cluster(run: Run, shop: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_client: t.Any, operation: str, _request: Json) -> t.NoReturn:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", denied)
    assert run("ecs_service_info", cluster="shop")["code"] == "access_denied"
