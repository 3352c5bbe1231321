# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service in AWS's spelling: what AWS answers, and what a request of CreateService has, is as good as options."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import boto3
import pytest
import yaml
from ansible.module_utils.common.text.converters import to_text

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import option_names
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.definition_flow import from_definition

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]


@pytest.fixture
def request_of_aws(ecs: t.Any) -> Json:
    """A request of CreateService, in a cluster with the task definition."""
    ecs.create_cluster(clusterName="shop")
    for image in ("nginx:1", "nginx:2"):
        containers = [{"name": "web", "image": image, "memory": 64}]
        ecs.register_task_definition(family="web", networkMode="awsvpc", containerDefinitions=containers)
    ec2 = boto3.client("ec2")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]][:1]
    network = {"subnets": subnets, "securityGroups": groups, "assignPublicIp": "DISABLED"}
    return {
        "cluster": "shop",
        "serviceName": "web",
        "taskDefinition": "web:1",
        "desiredCount": 2,
        "launchType": "FARGATE",
        "schedulingStrategy": "REPLICA",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "tags": [{"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-name", "value": "old"}],
    }


def described(ecs: t.Any) -> Json:
    return dict(ecs.describe_services(cluster="shop", services=["web"], include=["TAGS"])["services"][0])


def test_a_request_of_aws_creates_the_service(run: RunModule, ecs: t.Any, request_of_aws: Json) -> None:
    for check, changed in ((True, True), (False, True), (True, False), (False, False)):
        result = run("ecs_service", check, definition=request_of_aws, wait=False)
        assert result.get("changed") is changed, result
    found = described(ecs)
    assert (found["desiredCount"], found["launchType"]) == (2, "FARGATE")
    assert {tag["key"]: tag["value"] for tag in found["tags"]} == {"team": "shop"}


@pytest.mark.parametrize("form", ["service", "answer", "answers", "result"])
def test_what_aws_and_the_module_return_is_no_change(
    run: RunModule, ecs: t.Any, request_of_aws: Json, form: str
) -> None:
    made = run("ecs_service", definition=request_of_aws, wait=False)
    found = described(ecs)
    forms = {
        "service": found,
        "answer": {"service": found},
        "answers": {"services": [found], "failures": []},
        "result": made["service"],
    }
    given = json.loads(json.dumps(forms[form], default=str))
    again = run("ecs_service", definition=given, wait=False)
    assert again["changed"] is False, again


def test_options_override_the_definition(run: RunModule, ecs: t.Any, request_of_aws: Json) -> None:
    run("ecs_service", definition=request_of_aws, wait=False)
    ecs.create_cluster(clusterName="other")
    changed = run("ecs_service", definition=request_of_aws, task_definition="web:2", desired_count=1, wait=False)
    assert set(changed["diff"]["after"]) == {"task_definition", "desired_count"}
    copied = run("ecs_service", cluster="other", definition=request_of_aws, name="copy", wait=False)
    assert copied["service"]["service_name"] == "copy"
    assert copied["service"]["cluster_arn"].endswith("cluster/other")


def test_what_a_definition_omits_is_left_as_it_is(run: RunModule, ecs: t.Any, request_of_aws: Json) -> None:
    run("ecs_service", definition=request_of_aws, wait=False)
    ecs.update_service(cluster="shop", service="web", desiredCount=5)
    without = {name: value for name, value in request_of_aws.items() if name != "desiredCount"}
    assert run("ecs_service", definition=without, wait=False)["changed"] is False
    assert described(ecs)["desiredCount"] == 5


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
def test_a_definition_in_a_file(run: RunModule, request_of_aws: Json, tmp_path: Path, dump: t.Any) -> None:
    path = tmp_path / "web"
    path.write_text(to_text(dump(request_of_aws)))
    assert run("ecs_service", definition_file=str(path), wait=False)["changed"]
    assert not run("ecs_service", definition_file=str(path), wait=False)["changed"]
    gone = run("ecs_service", definition_file=str(path), state="absent", force=True, wait=False)
    assert gone["changed"]


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"serviceName": "web", "desiredcount": 1}, "definition: unknown member 'desiredcount' (did you mean"),
        ({"serviceName": "web", "desiredCount": "many"}, "desired_count: expected a whole number"),
        ({"desiredCount": 1}, "name: expected a name, here or as serviceName in the definition, got none."),
        ({"services": []}, "definition: expected a dictionary with the members of one service."),
        ({"service": "web"}, "definition: expected a dictionary with the members of one service."),
    ],
)
def test_a_definition_that_is_none_is_refused(run: RunModule, calls: list[str], definition: Json, problem: str) -> None:
    failed = run("ecs_service", definition=definition, wait=False)
    assert failed["code"] == "invalid_option"
    assert problem in failed["msg"]
    assert calls == []


def test_a_release_takes_services_in_the_spelling_of_aws(run: RunModule, ecs: t.Any, request_of_aws: Json) -> None:
    run("ecs_service", definition=request_of_aws, wait=False)
    answered = json.loads(json.dumps(described(ecs), default=str))
    items = [{"name": "web", "definition": answered}]
    assert run("ecs_release", check=True, cluster="shop", services=items)["changed"] is False
    items = [{"name": "web", "definition": answered, "task_definition": "web:2"}]
    planned = run("ecs_release", check=True, cluster="shop", services=items)
    assert planned["changed"], planned


# What ECS answers, and takes in no request.


def test_every_member_of_a_request_is_an_option(ecs_model: t.Any) -> None:
    """And of an answer, each that a request has, too."""
    request, answer = ecs_model.operation_model("CreateService").input_shape, ecs_model.shape_for("Service")
    known, answered = set(option_names(request)), set(option_names(answer))
    elsewhere = {"clientToken", "tags", "role"}
    whole = {member: "x" for member in request.members if member not in elsewhere}
    found = from_definition(whole, known, answered)
    assert set(found) == set(SERVICE) - {"definition", "definition_file", "purge_tags", "force_new_deployment"} - {
        "role",
        "tags",
    } | {"name", "cluster"}
    answers = {member: "x" for member in answer.members if member not in {*elsewhere, "deployments"}}
    assert set(from_definition(answers, known, answered)) >= {"role", "cluster", "name", "load_balancers"}


def test_what_only_deployments_have_is_taken_from_the_primary_one(ecs_model: t.Any) -> None:
    known = set(option_names(ecs_model.operation_model("CreateService").input_shape))
    answered = set(option_names(ecs_model.shape_for("Service")))
    connect = {"enabled": True, "namespace": "shop"}
    deployments = [{"status": "ACTIVE"}, {"status": "PRIMARY", "serviceConnectConfiguration": connect}]
    found = from_definition({"serviceName": "web", "deployments": deployments}, known, answered)
    assert found == {"name": "web", "service_connect_configuration": connect}


def test_the_service_linked_role_is_not_requested(run: RunModule, request_of_aws: Json, sent: list[Json]) -> None:
    role = "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    run("ecs_service", definition={**request_of_aws, "roleArn": role}, wait=False)
    assert [request for request in sent if "role" in request] == []


@pytest.fixture
def sent(aws: None, monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    import botocore.client

    found: list[Json] = []
    call = botocore.client.BaseClient._make_api_call

    def kept(client: t.Any, operation: str, request: Json) -> t.Any:
        found.extend([request] if operation == "CreateService" else [])
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", kept)
    return found
