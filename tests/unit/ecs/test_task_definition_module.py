# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_task_definition against moto, its options parsed for real."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ecs import ecs_backends

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

CONTAINER: Json = {
    "name": "web",
    "image": "web:1",
    "memory": 64,
    "command": ["serve", "--fast"],
    "entryPoint": ["sh", "-c"],
    "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:x:1:parameter/a"}],
    "portMappings": [{"containerPort": 80}],
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
    "dependsOn": [{"containerName": "db", "condition": "START"}],
}
DB: Json = {"name": "db", "image": "db:1", "memory": 64}
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
SERVER_SIDE = ("registered_at", "registered_by", "requires_attributes", "compatibilities", "arn")


def web(**changes: t.Any) -> Json:
    """The task definition of the tests, `changes` made in its first container."""
    return {
        "family": "web",
        "execution_role_arn": "arn:aws:iam::000000000000:role/execution",  # reads the secrets
        "volumes": [{"name": "data"}],
        "container_definitions": [{**CONTAINER, **changes}, DB],
    }


def active(ecs: t.Any, family: str = "web") -> list[int]:
    arns = ecs.list_task_definitions(familyPrefix=family, status="ACTIVE")["taskDefinitionArns"]
    return sorted(int(arn.rpartition(":")[2]) for arn in arns)


def predictable(result: Json) -> Json:
    definition = {name: value for name, value in result["task_definition"].items() if name not in SERVER_SIDE}
    return {**result, "task_definition": definition, "invocation": None}


# T1
@pytest.mark.parametrize(
    ("member", "value", "before", "after"),
    [
        (
            "environment",
            [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}],
            [{"name": "B", "value": "2"}],
            [{"name": "B", "value": "3"}],
        ),
        ("command", ["serve", "--slow"], ["serve", "--fast"], ["serve", "--slow"]),
        ("entryPoint", ["sh", "-e"], ["sh", "-c"], ["sh", "-e"]),
        (
            "secrets",
            [{"name": "KEY", "valueFrom": "arn:aws:ssm:x:1:parameter/b"}],
            [{"name": "KEY", "valueFrom": "arn:aws:ssm:x:1:parameter/a"}],
            [{"name": "KEY", "valueFrom": "arn:aws:ssm:x:1:parameter/b"}],
        ),
        (
            "portMappings",
            [{"containerPort": 81}],
            [{"containerPort": 80, "protocol": "tcp", "hostPort": 0}],
            [{"containerPort": 81, "protocol": "tcp", "hostPort": 0}],
        ),
        (
            "mountPoints",
            [{"sourceVolume": "data", "containerPath": "/data", "readOnly": True}],
            [{"containerPath": "/data", "readOnly": False}],
            [{"containerPath": "/data", "readOnly": True}],
        ),
        (
            "ulimits",
            [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
            [{"name": "nofile", "hardLimit": 2048}],
            [{"name": "nofile", "hardLimit": 4096}],
        ),
        (
            "dependsOn",
            [{"containerName": "db", "condition": "HEALTHY"}],
            [{"containerName": "db", "condition": "START"}],
            [{"containerName": "db", "condition": "HEALTHY"}],
        ),
    ],
)
def test_t1_a_change_inside_a_list_of_equal_length_is_a_new_revision(
    run: Run, member: str, value: t.Any, before: t.Any, after: t.Any
) -> None:
    run("ecs_task_definition", **web())
    result = run("ecs_task_definition", **web(**{member: value}))
    assert result["changed"]
    assert result["task_definition"]["revision"] == 2
    assert result["diff"] == {
        "before": {"container_definitions": [{"name": "web", member: before}]},
        "after": {"container_definitions": [{"name": "web", member: after}]},
    }


# T2
@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        ("cpu", "256", "1024"),
        ("memory", "512", "4096"),
        ("network_mode", "bridge", "none"),
        ("execution_role_arn", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"),
        ("task_role_arn", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"),
        (
            "placement_constraints",
            [{"type": "memberOf", "expression": "a == 1"}],
            [{"type": "memberOf", "expression": "a == 2"}],
        ),
        (
            "runtime_platform",
            {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
            {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        ),
    ],
)
def test_t2_a_change_of_the_task_is_a_new_revision(run: Run, member: str, old: t.Any, new: t.Any) -> None:
    container = [{"name": "web", "image": "web:1", "memory": 64}]
    run("ecs_task_definition", family="web", container_definitions=container, **{member: old})
    result = run("ecs_task_definition", family="web", container_definitions=container, **{member: new})
    assert result["changed"]
    assert set(result["diff"]["after"]) == {member}
    assert result["task_definition"][member] == new


def test_t3_a_named_revision_is_compared_too(run: Run) -> None:
    run("ecs_task_definition", **web())
    assert not run("ecs_task_definition", revision=1, **web())["changed"]
    result = run("ecs_task_definition", revision=1, **web(image="web:2"))
    assert result["changed"]
    assert result["task_definition"]["revision"] == 2
    assert result["task_definition"]["container_definitions"][1]["image"] == "web:2"


@BOTH
def test_t4_a_number_given_as_text_is_no_difference(run: Run) -> None:
    run("ecs_task_definition", **web())
    texts = web(
        memory="64",
        portMappings=[{"containerPort": "80", "hostPort": "0"}],
        ulimits=[{"name": "nofile", "softLimit": "1024", "hardLimit": "2048"}],
        environment=[{"name": "B", "value": 2}, {"name": "A", "value": 1}],
    )
    assert not run("ecs_task_definition", **texts)["changed"]


def test_t5_what_aws_fills_into_nested_members_is_no_difference(run: Run, ecs: t.Any) -> None:
    filled = {
        **DB,
        "cpu": 0,
        "essential": True,
        "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
        "environment": [],
        "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "a"}, "secretOptions": []},
        "mountPoints": [],
    }
    ecs.register_task_definition(family="web", containerDefinitions=[filled])
    short = {
        **DB,
        "portMappings": [{"containerPort": 80}],
        "healthCheck": {"command": ["CMD", "true"]},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "a"}},
    }
    assert not run("ecs_task_definition", family="web", container_definitions=[short])["changed"]


def test_t6_rolling_back_registers_again_and_never_picks_an_old_revision(run: Run, ecs: t.Any) -> None:
    for image in ("web:1", "web:2", "web:1"):
        result = run("ecs_task_definition", **web(image=image))
    assert result["changed"]
    assert result["task_definition"]["revision"] == 3
    assert active(ecs) == [1, 2, 3]


def test_t7_a_family_of_500_revisions_costs_one_call(run: Run, calls: list[str]) -> None:
    backend = ecs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"]
    for number in range(500):
        backend.register_task_definition("web", [{**DB, "image": f"db:{number}"}])
    result = run("ecs_task_definition", family="web", container_definitions=[{**DB, "image": "db:499"}])
    assert not result["changed"]
    assert result["task_definition"]["revision"] == 500
    assert calls == ["DescribeTaskDefinition"]


def test_t7_predicting_a_revision_takes_two_reads(run: Run, calls: list[str]) -> None:
    run("ecs_task_definition", **web())
    calls.clear()
    assert run("ecs_task_definition", check=True, family="web", memory="256")["task_definition"]["revision"] == 2
    assert calls == ["DescribeTaskDefinition", "ListTaskDefinitions"]


def test_t8_containers_are_not_needed_to_remove(run: Run, ecs: t.Any) -> None:
    run("ecs_task_definition", **web())
    assert run("ecs_task_definition", family="web", state="absent")["changed"]
    assert active(ecs) == []


def test_t9_check_mode_returns_the_revision_that_would_be_and_the_difference(run: Run) -> None:
    predicted = run("ecs_task_definition", check=True, **web())
    real = run("ecs_task_definition", **web())
    assert predictable(predicted) == predictable(real)
    assert set(real["task_definition"]) <= set(predicted["task_definition"])
    predicted = run("ecs_task_definition", check=True, **web(image="web:2"))
    assert predicted["task_definition"]["revision"] == 2
    assert predicted["task_definition"]["arn"].endswith(":task-definition/web:2")
    assert predictable(predicted) == predictable(run("ecs_task_definition", **web(image="web:2")))


def test_t10_access_denied_is_not_taken_for_not_found(
    run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(client: t.Any, operation: str, request: Json) -> t.Any:
        calls.append(operation)
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", denied)
    result = run("ecs_task_definition", **web())
    assert result["failed"]
    assert result["code"] == "access_denied"
    assert result["operation"] == "DescribeTaskDefinition"
    assert calls == ["DescribeTaskDefinition"]


def test_t11_each_linux_parameter_is_read_as_what_it_is(run: Run) -> None:
    linux = {
        "maxSwap": "128",
        "swappiness": "10",
        "sharedMemorySize": "64",
        "initProcessEnabled": "true",
        "devices": [{"hostPath": "/dev/fuse", "permissions": ["read"]}],
        "tmpfs": [{"containerPath": "/tmp", "size": "64"}],
    }
    result = run("ecs_task_definition", **web(linuxParameters=linux, environment=[{"name": "A", "value": 1}]))
    container = result["task_definition"]["container_definitions"][1]
    assert container["environment"] == [{"name": "A", "value": "1"}]
    assert container["linuxParameters"] == {
        "maxSwap": 128,
        "swappiness": 10,
        "sharedMemorySize": 64,
        "initProcessEnabled": True,
        "devices": [{"hostPath": "/dev/fuse", "permissions": ["read"]}],
        "tmpfs": [{"containerPath": "/tmp", "size": 64}],
    }


T12 = {
    "pid_mode": "task",
    "ipc_mode": "none",
    "proxy_configuration": {"type": "APPMESH", "containerName": "web", "properties": [{"name": "A", "value": "1"}]},
    "ephemeral_storage": {"sizeInGiB": 30},
    "enable_fault_injection": True,
    "requires_compatibilities": ["EC2", "EXTERNAL"],
    "inference_accelerators": [{"deviceName": "a", "deviceType": "eia1.medium"}],
    "tags": {"team": "web"},
}


@pytest.mark.parametrize("option", T12)
def test_t12_every_member_of_the_api_can_be_requested(
    run: Run, ecs: t.Any, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Json] = []
    call = botocore.client.BaseClient._make_api_call

    def seen(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "RegisterTaskDefinition":
            requests.append(request)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", seen)
    predicted = run("ecs_task_definition", check=True, **web(), **{option: T12[option]})
    run("ecs_task_definition", **web(), **{option: T12[option]})
    assert predicted["diff"]["after"][option] == T12[option]
    member = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    common = {"family", "executionRoleArn", "volumes", "containerDefinitions"}
    sent = [value for name, value in requests[0].items() if name not in common]
    assert len(sent) == 1
    assert set(requests[0]) <= set(member)


def test_t12_removed_revisions_can_be_deleted(run: Run, ecs: t.Any) -> None:
    run("ecs_task_definition", **web())
    run("ecs_task_definition", **web(image="web:2"))
    run("ecs_task_definition", family="web:1", state="absent")
    result = run("ecs_task_definition", family="web", state="absent", delete=True)
    assert [len(result["deregistered"]), len(result["deleted"])] == [1, 2]
    assert not ecs.list_task_definitions(familyPrefix="web", status="INACTIVE")["taskDefinitionArns"]
    assert not run("ecs_task_definition", family="web", state="absent", delete=True)["changed"]


@BOTH
@pytest.mark.parametrize("delete", [False, True])
def test_one_revision_is_deregistered_and_the_others_are_kept(run: Run, ecs: t.Any, delete: bool) -> None:
    for number in (1, 2, 3):
        run("ecs_task_definition", **web(image=f"web:{number}"))
    result = run("ecs_task_definition", family="web", revision=2, state="absent")
    assert [arn.rpartition(":")[2] for arn in result["deregistered"]] == ["2"]
    assert active(ecs) == [1, 3]
    assert run("ecs_task_definition", family="web:2", state="absent", delete=delete)["changed"] is delete
    assert active(ecs) == [1, 3]


@pytest.mark.witness("ecs_task_definition")
@BOTH
@pytest.mark.parametrize("delete", [False, True])
def test_twelve_steps(run: Run, delete: bool) -> None:
    steps = [web(), web(image="web:2"), {"family": "web", "state": "absent", "delete": delete}]
    for step in steps:
        predicted = run("ecs_task_definition", check=True, **step)
        real = run("ecs_task_definition", **step)
        assert predicted["changed"]
        assert real["changed"]
        assert predicted["diff"] == real["diff"]
        assert not run("ecs_task_definition", check=True, **step)["changed"]
        again = run("ecs_task_definition", **step)
        assert not again["changed"]
        assert again["diff"] == {"before": {}, "after": {}}
        assert again.get("task_definition") == real.get("task_definition")


def test_omitted_options_are_kept(run: Run) -> None:
    run("ecs_task_definition", cpu=256, tags={"a": "b"}, **web())
    result = run("ecs_task_definition", family="web", memory="2 GB")
    assert result["diff"] == {"before": {}, "after": {"memory": "2048"}}
    assert result["task_definition"]["cpu"] == "256"
    assert result["task_definition"]["tags"] == {"a": "b"}
    assert not run("ecs_task_definition", family="web")["changed"]


def test_an_empty_value_takes_a_member_away(run: Run) -> None:
    run("ecs_task_definition", cpu=256, **web())
    result = run("ecs_task_definition", family="web", cpu="")
    assert result["diff"] == {"before": {"cpu": "256"}, "after": {}}
    assert "cpu" not in result["task_definition"]


@BOTH
def test_tags_change_in_place(run: Run, ecs: t.Any) -> None:
    run("ecs_task_definition", tags={"a": "1", "b": "1"}, **web())
    assert run("ecs_task_definition", tags={"b": "2"}, **web())["task_definition"]["tags"] == {"b": "2"}
    result = run("ecs_task_definition", tags={"c": "3"}, purge_tags=False, **web())
    assert result["diff"] == {"before": {}, "after": {"tags": {"c": "3"}}}
    assert not run("ecs_task_definition", **web())["changed"]
    assert active(ecs) == [1]
    seen = ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])["tags"]
    assert {tag["key"]: tag["value"] for tag in seen} == {"b": "2", "c": "3"}


@pytest.mark.parametrize("kind", ["definition", "json", "yaml"])
def test_what_the_aws_cli_prints_is_taken_over_unchanged(run: Run, ecs: t.Any, tmp_path: Path, kind: str) -> None:
    ecs.register_task_definition(
        family="web", containerDefinitions=[CONTAINER, DB], volumes=[{"name": "data"}], cpu="256"
    )
    answer = ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])
    printed = json.loads(json.dumps({"taskDefinition": answer["taskDefinition"], "tags": answer["tags"]}, default=str))
    if kind == "definition":
        options: Json = {"definition": printed}
    else:
        text = json.dumps(printed) if kind == "json" else "taskDefinition:\n  family: web\n  cpu: 512\n"
        (tmp_path / "file").write_text(text)
        options = {"definition_file": str(tmp_path / "file")}
    if kind == "yaml":
        result = run("ecs_task_definition", container_definitions=[DB], **options)
        assert result["task_definition"]["cpu"] == "512"
        assert "volumes" not in result["task_definition"]
    else:
        assert not run("ecs_task_definition", **options)["changed"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\\ud83d\\ude80", "\U0001f680"),
        ("\x7f", "\x7f"),
        ("\\u0085\\u2028", "\x85\u2028"),
        ("%", "%"),
        ("null", "null"),
    ],
)
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\t"])
def test_any_json_is_read(run: Run, tmp_path: Path, text: str, value: str, start: str) -> None:
    label = "k" * 2000
    container = f'{{\t"name":\t"web", "image": "web", "memory": 64,\n\t"dockerLabels": {{"{label}":"{text}"}}}}'
    path = tmp_path / "web.json"
    path.write_text(f'{start}{{\n\t"family": "web",\n\t"containerDefinitions": [{container}]}}', encoding="utf-8")
    result = run("ecs_task_definition", definition_file=str(path))
    assert result["task_definition"]["container_definitions"][0]["dockerLabels"] == {label: value}


def test_what_the_module_returns_can_be_given_back(run: Run) -> None:
    result = run("ecs_task_definition", cpu=256, tags={"a": "b"}, **web())
    assert not run("ecs_task_definition", definition=result["task_definition"])["changed"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "does not contain a dictionary"),
        ("{", "is neither JSON nor YAML"),
        ('{"family": "web",\n "cpu" "256"}', "line 2 column 8"),
        ('{"family": "\\ud83d"}', "surrogates not allowed"),
        ('{"family": "web", "cpu": 256, "cpu": 512}', "expected each member once, got cpu twice"),
        ("[" * 100_000, "nested too deeply"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported(run: Run, tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "file"
    if text is not None:
        path.write_text(text)
    result = run("ecs_task_definition", definition_file=str(path))
    assert result["code"] == "invalid_option"
    assert said in result["msg"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"family": "web"}, "invalid_option", "container_definitions: expected at least one for the first revision"),
        ({"family": "web:7", "container_definitions": [DB]}, "not_found", "web:7 does not exist"),
        ({"family": "web", "container_definitions": [{"nmae": "x"}]}, "invalid_option", "did you mean 'name'?"),
        ({"definition": {"familly": "web"}}, "invalid_option", "did you mean 'family'?"),
        ({"family": "a b"}, "invalid_option", "expected a family"),
        ({"family": "web", "keep_revisions": 0}, "invalid_option", "keep_revisions: expected 1 or more"),
    ],
)
def test_what_cannot_be_done_is_reported_before_anything_is_registered(
    run: Run, calls: list[str], options: Json, code: str, said: str
) -> None:
    result = run("ecs_task_definition", **options)
    assert result["code"] == code
    assert said in result["msg"]
    assert "RegisterTaskDefinition" not in calls


def test_pruning_keeps_the_newest_and_what_runs(run: Run, ecs: t.Any) -> None:
    for number in range(1, 7):
        run("ecs_task_definition", **web(image=f"web:{number}"))
    ecs.create_cluster(clusterName="shop")
    ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web:2", desiredCount=0)
    ec2 = {"cluster": "shop", "taskDefinition": "web:1", "launchType": "FARGATE"}
    ecs.run_task(**ec2, networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet()]}})
    predicted = run("ecs_task_definition", check=True, keep_revisions=2, **web(image="web:7"))
    real = run("ecs_task_definition", keep_revisions=2, **web(image="web:7"))
    assert predictable(predicted) == predictable(real)
    assert [arn.rpartition(":")[2] for arn in real["deregistered"]] == ["5", "4", "3"]
    assert active(ecs) == [1, 2, 6, 7]
    assert not run("ecs_task_definition", keep_revisions=2, **web(image="web:7"))["changed"]


def subnet() -> str:
    import boto3

    return str(boto3.client("ec2", region_name="eu-central-1").describe_subnets()["Subnets"][0]["SubnetId"])


def test_pruning_reads_clusters_only_with_something_to_prune(run: Run, calls: list[str]) -> None:
    run("ecs_task_definition", keep_revisions=2, **web())
    assert calls == ["DescribeTaskDefinition", "RegisterTaskDefinition", "ListTaskDefinitions"]


@pytest.mark.witness("ecs_task_definition_info")
@BOTH
def test_the_info_module_reads_a_revision_and_lists_the_others(run: Run) -> None:
    assert run("ecs_task_definition_info", family="web")["task_definitions"] == []
    first = run("ecs_task_definition", **web())
    second = run("ecs_task_definition", **web(image="web:2"))
    run("ecs_task_definition", family="web:1", state="absent")
    found = run("ecs_task_definition_info", family="web", list_revisions=True)
    assert found["task_definitions"] == [second["task_definition"]]
    assert found["revisions"] == {"active": [2], "inactive": [1]}
    old = run("ecs_task_definition_info", family="web", revision=1)["task_definitions"][0]
    # AWS answers the time of deregistration, moto does not.
    old.pop("deregistered_at", None)
    assert old == {**first["task_definition"], "status": "INACTIVE"}
