# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A one-off task: the request, and how its end is reported. No container runs here."""

from __future__ import annotations

import signal
import time
import typing as t
from pathlib import Path

import boto3
import botocore.client
import pytest
from moto.moto_api import state_manager

from ansible_collections.slipway.aws.plugins.module_utils._core import creating, waiting
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import check_options, to_options
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import api as service_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task import api as task_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task import run_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task.model import (
    chosen_container,
    merged_overrides,
    runs_as,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task.model import request as request_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task.outcome import exit_code

Json = dict[str, t.Any]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}
SERVICE: Json = {
    "taskDefinition": "arn:td:3",
    "networkConfiguration": NETWORK,
    "launchType": "FARGATE",
    "platformVersion": "LATEST",
}


def request(cluster: str, service: Json, container: str, command: list[str] | None, **given: t.Any) -> Json:
    return request_of(cluster, service, given, merged_overrides(None, container, command, None))


def test_the_task_is_as_those_of_the_service() -> None:
    asked = request("shop", SERVICE, "web", ["true"])
    assert asked["networkConfiguration"] == NETWORK
    assert (asked["taskDefinition"], asked["launchType"]) == ("arn:td:3", "FARGATE")
    assert asked["overrides"] == {"containerOverrides": [{"name": "web", "command": ["true"]}]}


def test_a_capacity_provider_takes_the_place_of_the_launch_type() -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    asked = request("shop", {**SERVICE, "capacityProviderStrategy": strategy}, "web", ["true"])
    assert asked["capacityProviderStrategy"] == strategy
    assert "launchType" not in asked


EBS = {"roleArn": "arn:aws:iam::1:role/ebs", "sizeInGiB": 10, "filesystemType": "xfs"}
TAGS = [{"key": "slipway:project", "value": "shop"}]
MARKS = [{"key": "slipway:checkpoint", "value": "x"}, {"key": "aws:cloudformation:stack-name", "value": "x"}]
# What a service has, and what RunTask takes of it.
KEPT: Json = {
    "placementConstraints": [{"type": "distinctInstance"}],
    "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
    "enableECSManagedTags": True,
    "enableExecuteCommand": True,
    "platformVersion": "1.4.0",
}


@pytest.fixture
def run_task_shape(ecs_model: t.Any) -> t.Any:
    return ecs_model.operation_model("RunTask").input_shape


@pytest.mark.parametrize(
    ("members", "expected", "absent"),
    [
        (KEPT, KEPT, ["propagateTags", "tags"]),
        ({"propagateTags": "TASK_DEFINITION", "tags": TAGS}, {"propagateTags": "TASK_DEFINITION"}, ["tags"]),
        ({"propagateTags": "SERVICE", "tags": [*TAGS, *MARKS]}, {"tags": TAGS}, ["propagateTags"]),
        ({"propagateTags": "NONE", "tags": TAGS}, {}, ["propagateTags", "tags"]),
        (
            {"deployments": [{"status": "PRIMARY", "volumeConfigurations": [{"name": "v", "managedEBSVolume": EBS}]}]},
            {"volumeConfigurations": [{"name": "v", "managedEBSVolume": EBS}]},
            [],
        ),
        (
            {
                "taskSets": [
                    {"status": "ACTIVE", "taskDefinition": "old"},
                    {"status": "PRIMARY", "taskDefinition": "new"},
                ]
            },
            {"taskDefinition": "new", "networkConfiguration": NETWORK},
            [],
        ),
        ({"enableECSManagedTags": False}, {}, ["enableECSManagedTags", "placementStrategy", "volumeConfigurations"]),
    ],
    ids=["settings", "tags of definition", "tags of service", "no tags", "volumes", "task set", "nothing"],
)
def test_the_task_has_what_the_services_tasks_have(
    members: Json, expected: Json, absent: list[str], run_task_shape: t.Any
) -> None:
    asked = request("shop", runs_as({**SERVICE, **members}), "web", None)
    assert {name: asked.get(name) for name in expected} == expected
    assert not set(absent) & set(asked)
    assert check_options(run_task_shape, to_options(asked), strict=True)
    assert "overrides" not in asked


@pytest.mark.parametrize("propagates", ["SERVICE", "TASK_DEFINITION"])
def test_a_volume_gets_the_services_tags_on_request(propagates: str) -> None:
    own = [{"key": "a", "value": "b"}]
    item = {"resourceType": "volume", "propagateTags": propagates, "tags": own}
    volume = {"name": "v", "managedEBSVolume": {**EBS, "tagSpecifications": [item]}}
    asked = request("shop", runs_as({**SERVICE, "tags": TAGS, "volumeConfigurations": [volume]}), "web", None)
    (made,) = asked["volumeConfigurations"][0]["managedEBSVolume"]["tagSpecifications"]
    assert made == (item if propagates == "TASK_DEFINITION" else {"resourceType": "volume", "tags": [*own, *TAGS]})


def test_the_only_container_need_not_be_named() -> None:
    both = {"containerDefinitions": [{"name": "django"}, {"name": "nginx"}]}
    assert chosen_container({"containerDefinitions": [{"name": "django"}]}, None) == "django"
    assert chosen_container(both, "nginx") == "nginx"
    for wrong in (None, "apache"):
        with pytest.raises(SlipwayError, match="expected one of django, nginx"):
            chosen_container(both, wrong)


def test_a_container_that_never_started_has_no_exit_code() -> None:
    task = {"containers": [{"name": "web"}, {"name": "log", "exitCode": 0}]}
    assert (exit_code(task, "web"), exit_code(task, "log")) == (None, 0)


@pytest.fixture
def service(ecs: t.Any) -> str:
    ec2 = boto3.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}
    ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition="web",
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    return "web"


def run_task(run: t.Any, **options: t.Any) -> Json:
    return t.cast("Json", run("ecs_task_run", **{"cluster": "shop", "command": ["true"], **options}))


def test_run_task_requests_what_the_service_has(service: str, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Placement, managed tags, tags and volumes, as DescribeServices answers them on AWS."""
    volumes = [{"name": "v", "managedEBSVolume": EBS}]
    extra = {"propagateTags": "SERVICE", "tags": [*TAGS, *MARKS], "deployments": [{"status": "PRIMARY"}]}
    extra["deployments"][0]["volumeConfigurations"] = volumes
    asked: list[Json] = []
    call = botocore.client.BaseClient._make_api_call

    def answer(client: t.Any, operation: str, request: Json) -> Json:
        if operation == "RunTask":
            asked.append(request)
            return {"tasks": [], "failures": [{"arn": "x", "reason": "AGENT"}]}
        answered = t.cast("Json", call(client, operation, request))
        for one in answered.get("services", ()):
            one.update({**KEPT, **extra})
        return answered

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
    assert run_task(run, service=service)["failed"]
    wanted = {**KEPT, "tags": TAGS, "volumeConfigurations": volumes}
    assert {name: asked[0].get(name) for name in wanted} == wanted
    assert "propagateTags" not in asked[0]


def test_a_task_needs_a_service_or_a_task_definition(run: t.Any, calls: list[str]) -> None:
    assert "one of the following is required: service, task_definition" in run_task(run)["msg"]
    assert calls == []


def test_the_command_can_be_the_definitions_own(service: str, ecs: t.Any, run: t.Any) -> None:
    state_manager.set_transition("ecs::task", {"progression": "immediate"})
    try:
        result = run("ecs_task_run", cluster="shop", service=service)
    finally:
        state_manager.unset_transition("ecs::task")
    (task,) = ecs.describe_tasks(cluster="shop", tasks=[result["task_arn"]])["tasks"]
    assert not task.get("overrides", {}).get("containerOverrides")


@pytest.mark.parametrize("reason", ["RESOURCE:MEMORY", "Capacity is unavailable at this time. Please try again later"])
def test_missing_capacity_is_waited_for(
    service: str, run: t.Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reason: str
) -> None:
    """AWS reports it inside a successful answer."""
    monkeypatch.setattr(creating, "PAUSE", 0.1)
    monkeypatch.setattr(waiting, "LINES", (0.05, 60.0))
    monkeypatch.setenv(waiting.WAITING_FILE, str(tmp_path / "waiting"))
    call, refusals = botocore.client.BaseClient._make_api_call, iter(range(2))

    def answer(client: t.Any, operation: str, request: Json) -> Json:
        if operation == "RunTask" and next(refusals, None) is not None:
            return {"tasks": [], "failures": [{"arn": "x", "reason": reason}]}
        return t.cast("Json", call(client, operation, request))

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
    state_manager.set_transition("ecs::task", {"progression": "immediate"})
    try:
        result = run_task(run, service=service)
    finally:
        state_manager.unset_transition("ecs::task")
    assert result.get("exit_code") == 0, result
    assert reason in (tmp_path / "waiting").read_text()


def test_a_service_that_runs_nothing_yet_is_reported(service: str, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"serviceName": service, "status": "ACTIVE", "deploymentController": {"type": "EXTERNAL"}}
    monkeypatch.setattr(service_api, "describe_services", lambda *_args, **_options: [empty])
    result = run_task(run, service=service)
    assert (result["code"], "expected a service with a task definition" in result["msg"]) == ("not_found", True)


def test_check_mode_starts_nothing(service: str, run: t.Any, calls: list[str]) -> None:
    assert run_task(run, service=service, check=True)["changed"]
    assert "RunTask" not in calls


def test_failures_have_codes(service: str, run: t.Any, calls: list[str]) -> None:
    assert run_task(run, service="nobody")["code"] == "not_found"
    assert run_task(run, service=service, container="nobody")["code"] == "invalid_option"
    assert "RunTask" not in calls


def test_a_task_that_does_not_end_is_stopped(
    service: str, run: t.Any, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_flow, "STOP_SECONDS", 0.1)
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 100})
    try:
        result = run_task(run, service=service, wait_timeout=1)
    finally:
        state_manager.unset_transition("ecs::task")
    assert (result["code"], "timed out and was stopped" in result["msg"]) == ("timeout", True)
    assert calls.count("StopTask") == 1


@pytest.mark.witness("ecs_task_run")
def test_a_task_that_ends_is_reported_with_its_exit_code(service: str, run: t.Any) -> None:
    state_manager.set_transition("ecs::task", {"progression": "immediate"})
    try:
        result = run_task(run, service=service)
    finally:
        state_manager.unset_transition("ecs::task")
    assert (result["changed"], result["exit_code"], result["output"]) == (True, 0, [])


LOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/web", "awslogs-stream-prefix": "ecs"}}
FAILED = {"name": "web", "lastStatus": "STOPPED", "exitCode": 3}
NEVER_STARTED = {"name": "web", "lastStatus": "STOPPED", "reason": "CannotPullContainerError: no such image"}


@pytest.fixture
def logging(service: str, ecs: t.Any) -> t.Any:
    """The client of the logs that the service's container writes to."""
    definition = {"name": "web", "image": "web", "memory": 64, "logConfiguration": LOGS}
    ecs.register_task_definition(family="web", containerDefinitions=[definition])
    ecs.update_service(cluster="shop", service=service, taskDefinition="web")
    client = boto3.client("logs")
    client.create_log_group(logGroupName="/web")
    return client


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (
            FAILED,
            (3, ["no such table"], "The command in a task with the settings of service web failed with exit code 3."),
        ),
        (NEVER_STARTED, (None, [], "The task with the settings of service web did not start.")),
    ],
)
def test_a_task_that_fails_is_reported_with_its_reason(
    logging: t.Any,
    run: t.Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    container: Json,
    expected: tuple[int, list[str], str],
) -> None:
    monkeypatch.setenv(waiting.WAITING_FILE, str(tmp_path / "waiting"))

    def ended(_ecs: t.Any, _cluster: str, arns: list[str]) -> list[Json]:
        place = {"logGroupName": "/web", "logStreamName": f"ecs/web/{arns[0].rpartition('/')[2]}"}
        logging.create_log_stream(**place)
        logging.put_log_events(**place, logEvents=[{"timestamp": int(time.time() * 1000), "message": "no such table"}])
        return [{"taskArn": arns[0], "lastStatus": "STOPPED", "containers": [container]}]

    monkeypatch.setattr(task_api, "describe_tasks", ended)
    result = run_task(run, service="web")
    code, output, said = expected
    assert (result["code"], result["exit_code"], result["output"]) == ("task_failed", code, output)
    assert result["msg"].startswith(said)
    assert all(line in result["msg"] for line in output)
    # At once, while the module runs.
    shown = (tmp_path / "waiting").read_text() if output else ""
    assert [line[10:] for line in shown.splitlines()] == [f"| {line}" for line in output]


@pytest.mark.usefixtures("logging")
def test_output_that_never_comes_is_not_waited_for_without_end(run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_flow, "LOG_SECONDS", 0.1)
    state_manager.set_transition("ecs::task", {"progression": "immediate"})
    try:
        result = run_task(run, service="web")
    finally:
        state_manager.unset_transition("ecs::task")
    assert (result["exit_code"], result["output"]) == (0, [])


@pytest.fixture
def ends_at_once() -> t.Iterator[None]:
    state_manager.set_transition("ecs::task", {"progression": "immediate"})
    yield
    state_manager.unset_transition("ecs::task")


@pytest.mark.usefixtures("service", "ends_at_once")
def test_any_task_definition_runs_without_a_service(run: t.Any, ecs: t.Any) -> None:
    subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    options: Json = {
        "task_definition": "web:1",
        "launch_type": "FARGATE",
        "network_configuration": {"awsvpcConfiguration": {"subnets": [subnet]}},
        "environment": {"DAY": 7},
        "overrides": {"containerOverrides": [{"name": "web", "environment": [{"name": "A", "value": "1"}], "cpu": 64}]},
        "count": 2,
        "tags": {"team": "shop"},
        "started_by": "night",
    }
    predicted, result = run_task(run, check=True, **options), run_task(run, **options)
    assert (predicted["changed"], predicted["tasks"]) == (True, [])
    arns = [task["task_arn"] for task in result["tasks"]]
    assert (len({*arns}), result["task_arn"]) == (2, arns[0])
    assert sorted(ecs.list_tasks(cluster="shop", startedBy="night")["taskArns"]) == sorted(arns)
    (task, _other) = ecs.describe_tasks(cluster="shop", tasks=arns, include=["TAGS"])["tasks"]
    variables = [{"name": "A", "value": "1"}, {"name": "DAY", "value": "7"}]
    override = {"name": "web", "command": ["true"], "environment": variables, "cpu": 64}
    assert (task["overrides"]["containerOverrides"], task["tags"]) == ([override], [{"key": "team", "value": "shop"}])


def test_other_capacity_replaces_all_of_the_services(run_task_shape: t.Any) -> None:
    asked = request("shop", {**SERVICE, **KEPT}, "web", None, capacityProviderStrategy=[{"capacityProvider": "spot"}])
    assert not {"launchType", "platformVersion", "placementStrategy", "placementConstraints"} & set(asked)
    assert asked["networkConfiguration"] == NETWORK
    assert check_options(run_task_shape, to_options(asked), strict=True)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"service": "web", "count": 11}, "count: expected 1 to 10, got 11."),
        ({"service": "web", "client_token": "a b"}, "client_token: expected 1 to 64 ASCII characters"),
        ({"service": "web", "environment": {"A": [1]}}, "environment.A: expected a string, an integer or a boolean"),
        ({"service": "web", "overrides": {"cpus": "1"}}, "unknown member 'cpus' (did you mean 'cpu'?)"),
        (
            {"service": "web", "overrides": {"containerOverrides": [{"name": "app"}]}},
            "overrides.containerOverrides[0].name: expected one of web, got 'app'.",
        ),
        (
            {"service": "web", "launch_type": "EC2", "capacity_provider_strategy": [{"capacityProvider": "spot"}]},
            "launch_type: expected none together with capacity_provider_strategy",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_options_start_nothing(run: t.Any, calls: list[str], options: Json, said: str) -> None:
    result = run_task(run, **options)
    assert (result["code"], said in result["msg"]) == ("invalid_option", True), result["msg"]
    assert "RunTask" not in calls


@pytest.mark.usefixtures("ends_at_once")
def test_the_same_client_token_runs_once(service: str, run: t.Any, calls: list[str]) -> None:
    first, second = (run_task(run, service=service, client_token="import-1") for _ in range(2))
    assert (first["changed"], second["changed"]) == (True, False)
    assert (second["task_arn"], second["exit_code"]) == (first["task_arn"], 0)
    assert calls.count("RunTask") == 1
    assert run_task(run, service=service, client_token="import-2")["task_arn"] != first["task_arn"]


def test_a_signal_that_comes_with_the_answer_stops_the_started_task(
    service: str, run: t.Any, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = task_api.run_tasks

    def interrupted(*arguments: t.Any) -> list[Json]:
        started = answer(*arguments)
        signal.raise_signal(signal.SIGINT)
        return started

    monkeypatch.setattr(task_api, "run_tasks", interrupted)
    result = run_task(run, service=service)
    assert (result["code"], calls.count("StopTask")) == ("interrupted", 1)
    assert f"The tasks that this run started were stopped: {result['task_arn']}." in result["msg"]


def test_credentials_that_expire_leave_the_task_and_the_message_says_so(
    service: str, run: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = SlipwayError("no_credentials", "expired")

    def fail(*_arguments: t.Any) -> t.NoReturn:
        raise expired

    monkeypatch.setattr(task_api, "describe_tasks", fail)
    monkeypatch.setattr(task_api, "stop_task", fail)
    result = run_task(run, service=service)
    name = result["task_arn"].rpartition("/")[2]
    assert result["code"] == "no_credentials"
    assert result["msg"] == f"expired Task {name} was not stopped and may still be running: expired"


def test_if_not_all_tasks_start_the_others_are_stopped(
    service: str, run: t.Any, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = botocore.client.BaseClient._make_api_call

    def partly(client: t.Any, operation: str, request: Json) -> Json:
        answered = t.cast("Json", call(client, operation, request))
        if operation == "RunTask":
            answered.update(tasks=answered["tasks"][:1], failures=[{"arn": "x", "reason": "AGENT"}])
        return answered

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", partly)
    result = run_task(run, service=service, count=2)
    assert (result["code"], "AGENT" in result["msg"]) == ("aws_error", True)
    (arn,) = result["started"]
    (task,) = ecs.describe_tasks(cluster="shop", tasks=[arn])["tasks"]
    assert task["desiredStatus"] == "STOPPED"


def test_without_waiting_the_task_is_returned_as_it_starts(service: str, run: t.Any, calls: list[str]) -> None:
    result = run_task(run, service=service, wait=False)
    assert (result["changed"], len(result["tasks"])) == (True, 1)
    assert "DescribeTasks" not in calls
