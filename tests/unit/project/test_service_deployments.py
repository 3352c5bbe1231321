# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the last deployment of each service ended, which no emulator lists: AWS's answers are added to those of moto."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
OURS = [{"key": "slipway:project", "value": "ours"}]
FORGOTTEN = "service-3"


@pytest.fixture
def described(aws: None, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The deployments that each call requests. Every service has one, and AWS has forgotten one of them."""
    requested: list[list[str]] = []
    call = botocore.client.BaseClient._make_api_call

    def answered(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "DescribeServiceDeployments":
            arns = request["serviceDeploymentArns"]
            requested.append(arns)
            kept = [arn for arn in arns if FORGOTTEN not in arn]
            return {
                "serviceDeployments": [
                    {"serviceDeploymentArn": arn, "status": "ROLLBACK_SUCCESSFUL", "statusReason": "tasks failed"}
                    for arn in kept
                ],
                "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in kept],
            }
        answer = call(client, operation, request)
        for one in answer["services"] if operation == "DescribeServices" else ():
            one["currentServiceDeployment"] = one["serviceArn"].replace(":service/", ":service-deployment/") + "/1"
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answered)
    return requested


@pytest.mark.witness("project_status")
def test_deployments_are_read_many_at_a_time_and_one_may_be_forgotten(
    run: RunModule, described: list[list[str]]
) -> None:
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName="ours", tags=OURS)
    container = {"name": "web", "image": "web", "memory": 64}
    ecs.register_task_definition(family="web", containerDefinitions=[container], tags=OURS)
    for number in range(12):
        name = f"service-{number}"
        ecs.create_service(cluster="ours", serviceName=name, taskDefinition="web", desiredCount=0, tags=OURS)
    status = run("project_status", project="ours", format="none")["status"]
    assert [len(arns) for arns in described] == [12]
    outcomes = {one["name"]: one["release"]["outcome"] for one in status["services"]}
    assert outcomes.pop(FORGOTTEN) != "rolled_back"
    assert set(outcomes.values()) == {"rolled_back"}
    assert "tasks failed" in status["services"][0]["problems"][0]
