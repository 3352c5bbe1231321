# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_service as a whole, against moto. Its rollouts never progress, so they are judged elsewhere."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import boto3
import botocore.awsrequest
import botocore.client
import botocore.endpoint
import pytest
import yaml
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import CALL
from ansible_collections.slipway.aws.plugins.modules import ecs_service

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

UNKNOWN = {"awsvpcConfiguration": {"subnets": "unknown", "securityGroups": ["unknown"]}}
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"


def register(ecs: t.Any, image: str = "nginx:1") -> str:
    answer = ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "web", "image": image, "memory": 64, "portMappings": [{"containerPort": 80}]}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture
def cluster(ecs: t.Any) -> t.Any:
    """A cluster and a family of two revisions."""
    ecs.create_cluster(clusterName="shop")
    register(ecs)
    register(ecs, "nginx:2")
    return ecs


@pytest.fixture
def network(aws: None) -> Json:
    """Two subnets of the account's default network."""
    ec2 = boto3.client("ec2", region_name="eu-central-1")
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    groups = [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]][:1]
    return {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups, "assignPublicIp": "DISABLED"}}


@pytest.fixture
def web(run: Run, cluster: t.Any, network: Json, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`web(option=…)` runs the module on one service, without waiting unless asked to."""

    def service(check: bool = False, **options: t.Any) -> Json:
        return run("ecs_service", check, **{"cluster": "shop", "name": "web", "wait": False, **options})

    # moto does not know these.
    answers(monkeypatch, "ListServiceDeployments", lambda _request: {"serviceDeployments": []})
    made = service(task_definition="web:1", desired_count=2, launch_type="FARGATE", network_configuration=network)
    assert made.get("changed"), made
    return service


def described(ecs: t.Any) -> Json:
    return t.cast("Json", ecs.describe_services(cluster="shop", services=["web"], include=["TAGS"])["services"][0])


def answers(monkeypatch: pytest.MonkeyPatch, operation: str, answer: t.Any) -> None:
    """Let one operation be answered by `answer(request)` or by an error."""
    call = botocore.client.BaseClient._make_api_call

    def patched(client: t.Any, name: str, request: Json) -> t.Any:
        if name != operation:
            return call(client, name, request)
        if isinstance(answer, Exception):
            raise answer
        return answer(request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", patched)


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)


# S1: the peer compares seven members of thirty.


@pytest.mark.parametrize(
    "change",
    [
        {"deployment_configuration": {"maximumPercent": 150, "minimumHealthyPercent": 50}},
        {"deployment_configuration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}},
        {"network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-2"]}}},
        {"placement_constraints": [{"type": "distinctInstance"}]},
        {"placement_strategy": [{"type": "spread", "field": "instanceId"}]},
        {"capacity_provider_strategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]},
        {"service_registries": [{"registryArn": "arn:aws:servicediscovery:eu-central-1:1:service/srv-1"}]},
        {"platform_version": "1.4.0"},
        {"load_balancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}]},
        {"health_check_grace_period_seconds": 30},
        {"enable_execute_command": True},
        {"propagate_tags": "SERVICE"},
        {"desired_count": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_s1_every_member_is_compared_and_sent(web: Run, monkeypatch: pytest.MonkeyPatch, change: Json) -> None:
    sent: list[Json] = []
    before = web(check=True)["service"]

    def update(request: Json) -> Json:
        sent.append(request)
        return {"service": {"serviceName": "web", "serviceArn": before["service_arn"], "deployments": []}}

    answers(monkeypatch, "UpdateService", update)
    (name,) = change
    result = web(**change)
    assert result["changed"], result
    assert set(result["diff"]["before"]) | set(result["diff"]["after"]) == {name}
    assert len(sent) == 1


# S2: the peer says "changed" forever.


@pytest.mark.parametrize(
    "asked",
    [
        {"task_definition": "web:1"},
        {"task_definition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1"},
        {"desired_count": 2},
        {},
    ],
    ids=["family:revision", "ARN", "count", "everything left out"],
)
def test_s2_the_same_again_is_no_change(web: Run, asked: Json) -> None:
    result = web(**asked)
    assert (result["changed"], result["diff"]) == (False, {"before": {}, "after": {}})


def test_s2_the_same_network_in_another_order_is_no_change(web: Run, network: Json) -> None:
    vpc = network["awsvpcConfiguration"]
    assert not web(network_configuration={"awsvpcConfiguration": {"subnets": vpc["subnets"][::-1]}})["changed"]


def test_s2_a_family_is_its_latest_revision(web: Run, cluster: t.Any) -> None:
    assert web(task_definition="web")["changed"]
    assert described(cluster)["taskDefinition"].endswith("web:2")
    assert not web(task_definition="web")["changed"]


def test_s2_an_omitted_count_leaves_autoscaling_alone(web: Run, cluster: t.Any) -> None:
    cluster.update_service(cluster="shop", service="web", desiredCount=7)
    assert web(task_definition="web")["changed"]
    assert described(cluster)["desiredCount"] == 7


def test_s2_omitted_tags_stay(web: Run, cluster: t.Any) -> None:
    assert web(tags={"team": "shop"})["changed"]
    assert not web()["changed"]
    assert described(cluster)["tags"] == [{"key": "team", "value": "shop"}]


# S3


def test_s3_numbers_may_be_text(web: Run) -> None:
    balancer = {"targetGroupArn": GROUP, "containerName": "web", "containerPort": "80"}
    planned = web(check=True, load_balancers=[balancer], desired_count="2")
    assert planned["diff"]["after"]["load_balancers"][0]["containerPort"] == 80
    assert "desired_count" not in planned["diff"]["after"]


# S4


def test_s4_tags_change_in_place(web: Run, cluster: t.Any) -> None:
    web(tags={"team": "shop", "stage": "test"})
    result = web(tags={"team": "web"})
    assert result["diff"] == {
        "before": {"tags": {"team": "shop", "stage": "test"}},
        "after": {"tags": {"team": "web"}},
    }
    assert described(cluster)["tags"] == [{"key": "team", "value": "web"}]
    web(tags={"stage": "live"}, purge_tags=False)
    assert {tag["key"] for tag in described(cluster)["tags"]} == {"team", "stage"}


def test_s4_propagation_and_registries_change_in_place(web: Run) -> None:
    registries = [{"registryArn": "arn:aws:servicediscovery:eu-central-1:1:service/srv-1"}]
    assert web(check=True, propagate_tags="SERVICE", service_registries=registries)["changed"]


# S5


def test_s5_check_mode_on_an_empty_account_predicts_the_service(run: Run) -> None:
    result = run(
        "ecs_service", True, cluster="nowhere", name="web", task_definition="unknown", network_configuration=UNKNOWN
    )
    assert result["changed"]
    assert result["service"]["service_name"] == "web"
    assert result["service"]["desired_count"] == 1
    assert result["service"]["network_configuration"] == UNKNOWN


def test_s5_check_mode_takes_what_is_not_known_yet(run: Run, cluster: t.Any) -> None:
    result = run(
        "ecs_service", True, cluster="shop", name="new", task_definition="absent", network_configuration=UNKNOWN
    )
    assert result["changed"]
    assert result["service"]["task_definition"] == "unknown"


def test_s5_check_mode_predicts_what_a_real_run_leaves(web: Run, cluster: t.Any) -> None:
    change = {"task_definition": "web", "desired_count": 3, "tags": {"team": "shop"}}
    predicted = web(check=True, **change)
    assert described(cluster)["desiredCount"] == 2
    real = web(**change)
    assert predicted["diff"] == real["diff"]
    for name in change:
        assert predicted["service"][name] == real["service"][name]
    assert set(real["service"]) <= set(predicted["service"])


# S6


def test_s6_waits_after_create_and_update_and_returns_what_it_read(web: Run) -> None:
    result = web(wait=True, wait_timeout=0, task_definition="web")
    assert (result["failed"], result["code"], result["changed"]) == (True, "timeout", True)
    assert "Last state: 0/2 running" in result["msg"]
    assert result["failure"]["code"] == "timeout"
    assert result["service"]["service_name"] == "web"


def test_s6_a_rollout_that_still_runs_is_watched_without_a_change(web: Run) -> None:
    result = web(wait=True, wait_timeout=0)
    assert (result["failed"], result["code"], result["changed"]) == (True, "timeout", False)


def test_s6_a_failed_task_is_reported_with_its_reason(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arns = [f"arn:aws:ecs:eu-central-1:123456789012:task/shop/f{number}" for number in range(3)]
    first = described(cluster)["deployments"][0]
    tasks = [
        {
            "taskArn": arn,
            "startedBy": first["id"],
            "taskDefinitionArn": first["taskDefinition"],
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotPullContainerError: failed to resolve ref web:1: not found",
            "containers": [{"name": "web", "image": "nginx:1"}],
        }
        for arn in arns
    ]
    answers(monkeypatch, "ListTasks", lambda request: {"taskArns": arns if "STOPPED" in request.values() else []})
    answers(monkeypatch, "DescribeTasks", lambda _request: {"tasks": tasks})
    result = web(wait=True)
    assert result["code"] == "tasks_failing"
    assert result["failure"]["causes"] == ["image_missing"]
    assert "f0 (and 2 more with the same reason): CannotPullContainerError" in result["msg"]
    assert "What to do: The image does not exist. Push it" in result["msg"]


def test_s6_targets_that_answer_wrongly_fail_the_rollout_before_the_timeout(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    balancer = {"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}
    web(load_balancers=[balancer])
    deployment = described(cluster)["deployments"][0]
    address = {"type": "ElasticNetworkInterface", "details": [{"name": "privateIPv4Address", "value": "10.0.0.1"}]}
    task = {
        "taskArn": "arn:aws:ecs:eu-central-1:123456789012:task/shop/n1",
        "startedBy": deployment["id"],
        "taskDefinitionArn": deployment["taskDefinition"],
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "attachments": [address],
        "containers": [
            {"name": "web", "lastStatus": "RUNNING", "networkInterfaces": [{"privateIpv4Address": "10.0.0.1"}]}
        ],
    }
    health = {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [404]",
    }
    checks = {"HealthCheckProtocol": "HTTP", "HealthCheckPath": "/nope", "HealthCheckPort": "traffic-port"}
    times = {"HealthCheckIntervalSeconds": 1, "HealthCheckTimeoutSeconds": 1, "UnhealthyThresholdCount": 2}
    group = {"TargetGroupArn": GROUP, "TargetGroupName": "web", **checks, **times, "Matcher": {"HttpCode": "200"}}
    found = {"Target": {"Id": "10.0.0.1", "Port": 80}, "TargetHealth": health}
    running = {"taskArns": [task["taskArn"]]}
    answers(monkeypatch, "ListTasks", lambda request: {"taskArns": []} if "STOPPED" in request.values() else running)
    answers(monkeypatch, "DescribeTasks", lambda _request: {"tasks": [task], "failures": []})
    answers(monkeypatch, "DescribeTargetHealth", lambda _request: {"TargetHealthDescriptions": [found]})
    answers(monkeypatch, "DescribeTargetGroups", lambda _request: {"TargetGroups": [group]})
    result = web(wait=True, wait_timeout=30)
    assert (result["code"], result["failed"]) == ("health_check_failing", True), result["msg"]
    assert "health check HTTP GET /nope on the target's port: expected 200, got 404" in result["msg"]


def test_s6_what_may_not_be_read_is_said_and_the_rest_is_reported(web: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "ListServiceDeployments", denied("ListServiceDeployments"))
    result = web(wait=True, wait_timeout=0)
    assert result["code"] == "timeout"
    assert [text.split(" with ")[0] for text in result["failure"]["unread"]] == ["AWS answered ListServiceDeployments"]
    assert "Could not be read: AWS answered ListServiceDeployments" in result["msg"]


@pytest.mark.parametrize("operation", ["ListTasks", "DescribeTasks"])
def test_a_change_is_refused_at_once_where_tasks_may_not_be_read(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Without service deployments only tasks show whether the rollout has ended."""
    before = described(cluster)
    answers(monkeypatch, operation, denied(operation))
    result = web(wait=True, wait_timeout=600, task_definition="web:2")
    assert result["code"] == "access_denied"
    assert f"AWS answered {operation}" in result["msg"]
    assert described(cluster) == before
    assert web(task_definition="web:2")["changed"], "nobody waits for it"


def test_a_rollout_is_not_judged_without_permission_to_read_tasks(web: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "ListTasks", denied("ListTasks"))
    result = web(wait=True, wait_timeout=600)
    assert (result["code"], result["changed"]) == ("access_denied", False)
    assert "ECS continues the deployment of web" in result["msg"]


# A service that exists although it is to be created


def create_first(monkeypatch: pytest.MonkeyPatch, lost: bool = False, **members: t.Any) -> list[str]:
    """Another client creates the service right before this one does, with these members instead; the tokens sent.

    `lost`: it was this one's own attempt, whose answer was lost.
    """
    tokens: list[str] = []
    call = botocore.client.BaseClient._make_api_call

    def patched(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "CreateService":
            tokens.append(request["clientToken"])
            call(client, operation, {**request, **members})
            CALL.get().lost = lost
            raise error_of("Creation of service was not idempotent.")
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", patched)
    return tokens


def error_of(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "InvalidParameterException", "Message": message}}, "CreateService")


def test_a_lost_answer_of_create_service_ends_well(web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API without tokens rejects the retry of botocore. The service of the first try is the desired one."""
    tokens = create_first(monkeypatch, lost=True)
    result = web(name="other", task_definition="web:1", desired_count=1)
    assert (result.get("changed"), result["service"]["service_name"]) == (True, "other"), result
    assert len(tokens) == 1


def test_a_service_that_another_client_creates_meanwhile_is_updated(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_first(monkeypatch, taskDefinition="web:2")
    result = web(name="other", task_definition="web:1", desired_count=1)
    assert result.get("changed"), result
    assert result["diff"]["before"]["task_definition"].endswith(":2")
    (other,) = cluster.describe_services(cluster="shop", services=["other"])["services"]
    assert (other["status"], other["taskDefinition"].rpartition("/")[2]) == ("ACTIVE", "web:1")


def test_a_service_that_another_client_creates_meanwhile_is_never_deleted(
    web: Run, cluster: t.Any, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_first(monkeypatch, schedulingStrategy="DAEMON")
    result = web(name="other", task_definition="web:1", scheduling_strategy="REPLICA", recreate=True)
    assert result.get("failed"), result
    assert "got one that another client created in the meantime" in result["msg"]
    assert "DeleteService" not in calls
    assert cluster.describe_services(cluster="shop", services=["other"])["services"][0]["status"] == "ACTIVE"


def test_a_service_of_a_run_seconds_ago_that_reads_do_not_show_is_no_change(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"name": "other", "task_definition": "web:1", "desired_count": 1}
    assert web(**asked)["changed"]
    hidden, refused = ["first", "second"], error_of("Creation of service was not idempotent.")
    call = botocore.client.BaseClient._make_api_call

    def stale(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "CreateService":
            raise refused
        if operation == "DescribeServices" and hidden:
            hidden.pop()
            return {"services": [], "failures": [{"arn": name, "reason": "MISSING"} for name in request["services"]]}
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", stale)
    result = web(**asked)
    assert (result.get("changed"), hidden) == (False, []), result


def test_the_same_request_has_the_same_token_until_its_service_is_deleted(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: list[str] = []

    def refuse(request: Json) -> Json:
        tokens.append(request["clientToken"])
        raise ClientError({"Error": {"Code": "ServerException", "Message": "no"}}, "CreateService")

    with monkeypatch.context() as refused:
        answers(refused, "CreateService", refuse)
        for count in (1, 1, 2):
            web(name="other", task_definition="web:1", desired_count=count)
        web(name="other", task_definition="web:1", desired_count=1, client_token="mine")
    assert web(name="other", task_definition="web:1", desired_count=1)["changed"]
    web(name="other", state="absent", force=True)
    with monkeypatch.context() as refused:
        answers(refused, "CreateService", refuse)
        web(name="other", task_definition="web:1", desired_count=1)
    first, again, differs, own, later = tokens
    assert first == again
    assert len({first, differs, own, later}) == 4
    assert own == "mine"
    assert all(33 <= ord(character) <= 126 for character in first)
    assert len(first) <= 36


def test_a_token_of_a_deleted_service_is_not_taken_for_success(web: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where AWS does not show the deleted service any more, but still remembers its token."""
    created: list[str] = []

    def remembered(request: Json) -> Json:
        created.append(request["clientToken"])
        deleted = {"serviceName": "other", "status": "INACTIVE", "createdAt": "2026-01-01"}
        return {"service": deleted if len(created) == 1 else {**deleted, "status": "ACTIVE", "createdAt": "2026-01-02"}}

    answers(monkeypatch, "CreateService", remembered)
    assert web(name="other", task_definition="web:1")["service"]["status"] == "ACTIVE"
    assert len(set(created)) == 2
    created.clear()
    refused = web(name="other", task_definition="web:1", client_token="mine")
    assert (refused["code"], created) == ("conflict", ["mine"])
    assert "Rerun with another client_token" in refused["msg"]


# S7, S8


def test_s7_a_service_is_deleted_and_again_is_no_change(web: Run, cluster: t.Any, calls: list[str]) -> None:
    assert web(check=True, state="absent")["changed"]
    assert described(cluster)["status"] == "ACTIVE"
    deleted = web(state="absent", wait=True)
    assert deleted["changed"], deleted
    assert calls.index("UpdateService") < calls.index("DeleteService")
    again = web(state="absent", wait=True)
    assert not again["changed"]
    assert not web(check=True, state="absent")["changed"]


def test_s7_an_inactive_service_of_the_same_name_is_no_obstacle(web: Run) -> None:
    web(state="absent")
    assert web(task_definition="web")["changed"]
    assert not web(task_definition="web")["changed"]


def test_s7_a_draining_service_is_waited_for(web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draining = {**described(cluster), "status": "DRAINING"}
    states = [draining, draining, {**draining, "status": "INACTIVE"}]
    answers(monkeypatch, "DescribeServices", lambda _request: {"services": [states.pop(0)], "failures": []})
    created = {**draining, "status": "ACTIVE"}
    answers(monkeypatch, "CreateService", lambda _request: {"service": created})
    assert web(task_definition="web")["changed"]
    assert states == []


def test_s7_a_service_that_never_stops_draining_is_a_timeout(
    web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draining = {**described(cluster), "status": "DRAINING"}
    answers(monkeypatch, "DescribeServices", lambda _request: {"services": [draining], "failures": []})
    result = web(state="absent", wait=True, wait_timeout=0)
    assert (result["failed"], result["code"]) == (True, "timeout")
    assert result["service"]["status"] == "DRAINING"


def test_s8_a_failure_without_a_reason_is_an_error_of_its_own(web: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "DescribeServices", lambda _request: {"services": [], "failures": [{"arn": "x"}]})
    assert web()["code"] == "aws_error"


def test_s8_access_denied_is_never_not_found(web: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "DescribeServices", denied("DescribeServices"))
    assert web(state="absent")["code"] == "access_denied"
    assert web(check=True)["code"] == "access_denied"


def test_s8_a_missing_cluster_and_a_missing_task_definition_are_reported(run: Run, web: Run) -> None:
    assert run("ecs_service", cluster="nowhere", name="web", task_definition="web")["code"] == "not_found"
    assert web(task_definition="absent")["code"] == "not_found"
    assert run("ecs_service", cluster="shop", name="new")["code"] == "invalid_option"


# S9


def test_s9_throttling_is_retried(web: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    respond = botocore.endpoint.Endpoint._get_response
    throttled: list[str] = []

    def answer(endpoint: t.Any, request: t.Any, operation: t.Any, context: Json) -> t.Any:
        http, parsed = respond(endpoint, request, operation, context)[0] or (None, None)
        if operation.name == "UpdateService" and len(throttled) < 3:
            throttled.append(operation.name)
            parsed = {
                "Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"},
                "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}},
            }
            http = botocore.awsrequest.AWSResponse("", 400, {}, None)
        return (http, parsed), None

    monkeypatch.setattr(botocore.endpoint.Endpoint, "_get_response", answer)
    # Not the sleep of the whole process: the module waits, too.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))
    result = web(desired_count=3)
    assert result.get("changed"), result
    assert len(throttled) == 3
    assert described(cluster)["desiredCount"] == 3


# S10


def test_s10_a_service_moves_between_launch_type_and_providers(web: Run, calls: list[str]) -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    planned = web(check=True, capacity_provider_strategy=spot)
    assert planned["diff"] == {
        "before": {},
        "after": {"capacity_provider_strategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]},
    }
    both = web(capacity_provider_strategy=spot, launch_type="FARGATE")
    assert (both["failed"], both["code"]) == (True, "invalid_option")
    assert "UpdateService" not in calls


def test_s10_what_cannot_change_is_refused_before_anything_is_touched(web: Run, calls: list[str]) -> None:
    result = web(launch_type="EC2", desired_count=5)
    assert (result["code"], result["immutable"]) == ("immutable", ["launch_type"])
    assert "UpdateService" not in calls


def test_s10_recreate_creates_it_again(web: Run, cluster: t.Any) -> None:
    result = web(launch_type="EC2", recreate=True)
    assert result["changed"], result
    service = described(cluster)
    assert (service["launchType"], service["desiredCount"]) == ("EC2", 2)
    assert not web(launch_type="EC2", recreate=True)["changed"]


def test_s10_settings_survive_when_the_new_service_is_refused(web: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "CreateService", denied("CreateService"))
    result = web(launch_type="EC2", recreate=True)
    assert result["code"] == "access_denied"
    assert "The old service web is deleted" in result["msg"]
    assert (result["request"]["launchType"], result["request"]["desiredCount"]) == ("EC2", 2)


# Names and ARNs


@pytest.mark.parametrize("shown", ["name", "arn"])
def test_a_namespace_is_the_same_by_name_and_by_arn(
    web: Run, ecs: t.Any, monkeypatch: pytest.MonkeyPatch, calls: list[str], shown: str
) -> None:
    cloud_map = boto3.client("servicediscovery")
    for name in ("shop", "other"):
        cloud_map.create_http_namespace(Name=name)
    arns = {found["Name"]: found["Arn"] for found in cloud_map.list_namespaces()["Namespaces"]}
    running = ecs.describe_services(cluster="shop", services=["web"])["services"][0]
    spelled = {"name": "shop", "arn": arns["shop"]}
    connect = {"enabled": True, "namespace": spelled[shown]}
    running["deployments"] = [{**running["deployments"][0], "serviceConnectConfiguration": connect}]
    answers(monkeypatch, "DescribeServices", lambda *_: {"services": [running], "failures": []})
    for text in spelled.values():
        assert not web(check=True, service_connect_configuration={"enabled": True, "namespace": text})["changed"]
    assert calls.count("GetNamespace") == 1
    for text in ("other", arns["other"]):
        assert web(check=True, service_connect_configuration={"enabled": True, "namespace": text})["changed"]


# S11


@pytest.mark.parametrize(
    "option",
    [
        {"service_connect_configuration": {"enabled": True, "namespace": "shop"}},
        {"availability_zone_rebalancing": "ENABLED"},
        {"volume_configurations": [{"name": "data", "managedEBSVolume": {"roleArn": "arn:aws:iam::1:role/x"}}]},
        {"vpc_lattice_configurations": [{"roleArn": "r", "targetGroupArn": "t", "portName": "http"}]},
        {"enable_ecs_managed_tags": True},
        {"monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}},
        {"deployment_configuration": {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10}}},
    ],
    ids=lambda option: next(iter(option)),
)
def test_s11_what_the_peer_does_not_know_is_known(web: Run, option: Json) -> None:
    planned = web(check=True, **option)
    assert set(planned["diff"]["after"]) == set(option)


def test_s11_a_wrong_member_is_refused_with_the_nearest_name(web: Run, calls: list[str]) -> None:
    result = web(deployment_configuration={"maximum_percent": 200})
    assert result["code"] == "invalid_option"
    assert (
        "deployment_configuration: unknown member 'maximum_percent' (did you mean 'maximumPercent'?)" in result["msg"]
    )
    assert calls == []


# The whole life of a service, each step in check mode and for real


@pytest.mark.witness("ecs_service")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_the_twelve_steps(run: Run, cluster: t.Any, network: Json) -> None:
    made = {"task_definition": "web:1", "desired_count": 1, "network_configuration": network, "tags": {"a": "b"}}
    changed = {**made, "task_definition": "web", "desired_count": 2, "tags": {"a": "c"}}

    def both(changes: bool, **options: t.Any) -> None:
        asked = {"cluster": "shop", "name": "web", "wait": False, **options}
        predicted, real = run("ecs_service", True, **asked), run("ecs_service", **asked)
        assert (predicted.get("changed"), real.get("changed")) == (changes, changes), real
        assert predicted["diff"] == real["diff"]
        for name in {"task_definition", "desired_count", "tags"} & set(options):
            assert predicted["service"][name] == real["service"][name]

    both(True, **made)
    both(False, **made)
    both(True, **changed)
    both(False, **changed)
    both(True, state="absent")
    both(False, state="absent")


EXAMPLES = [example["slipway.aws.ecs_service"] for example in yaml.safe_load(ecs_service.EXAMPLES)]


@pytest.mark.parametrize("options", EXAMPLES, ids=",".join)
def test_examples_are_taken(run: Run, web: Run, cluster: t.Any, options: Json) -> None:
    named = {"task_definition": "web"} if "task_definition" in options else {}
    result = run("ecs_service", True, **{**options, **named})
    assert result.get("changed"), result


# The rest


def test_forcing_a_deployment_is_a_change(web: Run, cluster: t.Any) -> None:
    before = described(cluster)["deployments"]
    result = web(force_new_deployment=True)
    assert result["changed"]
    assert result["diff"]["after"] == {"force_new_deployment": True}
    assert described(cluster)["deployments"] != before


def test_a_run_without_changes_makes_one_call(web: Run, calls: list[str]) -> None:
    assert not web(task_definition="web:1")["changed"]
    assert calls == ["DescribeServices"]


def test_the_service_linked_role_of_a_new_account_is_waited_for(
    run: Run, cluster: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [1, 2]
    message = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
    create = botocore.client.BaseClient._make_api_call

    def call(client: t.Any, name: str, request: Json) -> t.Any:
        if name == "CreateService" and refusals:
            refusals.pop()
            raise ClientError({"Error": {"Code": "InvalidParameterException", "Message": message}}, name)
        return create(client, name, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    made = run("ecs_service", cluster="shop", name="web", task_definition="web", wait=False)
    assert made["changed"], made
