# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.names import Home
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition.model import (
    FILLED,
    Name,
    canonical,
    draft,
    from_document,
    merged,
    parse_name,
    tags_of,
)

Json = dict[str, t.Any]


def definition(container: Json | None = None, **members: t.Any) -> Json:
    return {"family": "web", "container_definitions": [{"name": "web", "image": "a", **(container or {})}], **members}


@pytest.mark.parametrize(
    ("text", "revision", "name"),
    [
        ("web", None, Name("web", None)),
        ("web", 3, Name("web", 3)),
        ("web:3", None, Name("web", 3)),
        ("web:3", 3, Name("web", 3)),
        ("arn:aws:ecs:eu-central-1:123456789012:task-definition/web:3", None, Name("web", 3)),
    ],
)
def test_a_revision_is_named_in_three_ways(text: str, revision: int | None, name: Name) -> None:
    assert parse_name(text, revision) == name


@pytest.mark.parametrize(("text", "revision"), [("web:x", None), ("we b", None), ("", None), ("web:3", 4)])
def test_a_name_that_cannot_be_one_is_refused(text: str, revision: int | None) -> None:
    with pytest.raises(SlipwayError) as raised:
        parse_name(text, revision)
    assert raised.value.code == "invalid_option"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({}, {"essential": True, "cpu": 0}),
        ({}, {"environment": [], "secrets": None, "dockerLabels": {}, "healthCheck": None}),
        ({}, {"privileged": False, "readonlyRootFilesystem": False, "interactive": False, "pseudoTerminal": False}),
        ({}, {"versionConsistency": "enabled", "disableNetworking": False}),
        ({"portMappings": [{"containerPort": 80}]}, {"portMappings": [{"containerPort": 80, "protocol": "tcp"}]}),
        ({"portMappings": [{"containerPort": 80}]}, {"portMappings": [{"containerPort": 80, "hostPort": 0}]}),
        (
            {"portMappings": [{"containerPortRange": "80-90"}]},
            {"portMappings": [{"containerPortRange": "80-90", "protocol": "tcp", "hostPort": 0}]},
        ),
        (
            {"healthCheck": {"command": ["CMD", "x"]}},
            {"healthCheck": {"command": ["CMD", "x"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}},
        ),
        (
            {"mountPoints": [{"containerPath": "/x"}], "volumesFrom": [{"sourceContainer": "a"}]},
            {
                "mountPoints": [{"containerPath": "/x", "readOnly": False}],
                "volumesFrom": [{"sourceContainer": "a", "readOnly": False}],
            },
        ),
        (
            {"logConfiguration": {"logDriver": "awslogs"}},
            {"logConfiguration": {"logDriver": "awslogs", "options": {}, "secretOptions": []}},
        ),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/x"}]}},
            {
                "linuxParameters": {
                    "initProcessEnabled": False,
                    "devices": [{"hostPath": "/dev/x", "permissions": ["read", "write", "mknod"]}],
                }
            },
        ),
        ({"linuxParameters": {"capabilities": {"add": []}}}, {}),
        ({"restartPolicy": {"enabled": True}}, {"restartPolicy": {"enabled": True, "restartAttemptPeriod": 300}}),
        (
            {"firelensConfiguration": {"type": "fluentbit"}},
            {"firelensConfiguration": {"type": "fluentbit", "options": {}}, "user": "0"},
        ),
    ],
)
def test_what_aws_fills_into_a_container_makes_no_difference(short: Json, long: Json) -> None:
    assert canonical(definition(short)) == canonical(definition(long))


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({}, {"network_mode": "bridge"}),
        ({}, {"volumes": [], "placement_constraints": None, "enable_fault_injection": False, "ipc_mode": ""}),
        ({"cpu": "1 vCPU", "memory": "2GB"}, {"cpu": "1024", "memory": "2048"}),
        ({"cpu": ".25 vcpu", "memory": "0.5 GB"}, {"cpu": "256", "memory": "512"}),
        (
            {"requires_compatibilities": ["FARGATE"]},
            {
                "requires_compatibilities": ["FARGATE"],
                "runtime_platform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
            },
        ),
        ({"volumes": [{"name": "v"}]}, {"volumes": [{"name": "v", "host": {}, "configuredAtLaunch": False}]}),
        (
            {"volumes": [{"name": "v", "dockerVolumeConfiguration": {"labels": {"a": "b"}}}]},
            {
                "volumes": [
                    {
                        "name": "v",
                        "dockerVolumeConfiguration": {
                            "scope": "task",
                            "driver": "local",
                            "autoprovision": False,
                            "labels": {"a": "b"},
                        },
                    }
                ]
            },
        ),
        (
            {"volumes": [{"name": "v", "dockerVolumeConfiguration": {}}]},
            {
                "volumes": [
                    {
                        "name": "v",
                        "host": {},
                        "dockerVolumeConfiguration": {
                            "scope": "task",
                            "driver": "local",
                            "autoprovision": False,
                            "driverOpts": {},
                            "labels": None,
                        },
                    }
                ]
            },
        ),
        (
            {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]},
            {
                "volumes": [
                    {
                        "name": "v",
                        "efsVolumeConfiguration": {
                            "fileSystemId": "fs-1",
                            "rootDirectory": "/",
                            "transitEncryption": "DISABLED",
                            "authorizationConfig": {"iam": "DISABLED"},
                        },
                    }
                ]
            },
        ),
        (
            {"proxy_configuration": {"containerName": "envoy"}},
            {"proxy_configuration": {"containerName": "envoy", "type": "APPMESH", "properties": []}},
        ),
    ],
)
def test_what_aws_fills_into_a_task_makes_no_difference(short: Json, long: Json) -> None:
    assert canonical(definition(**short)) == canonical(definition(**long))


@pytest.mark.parametrize("name", sorted(FILLED))
def test_an_empty_structure_is_not_a_missing_one(name: str) -> None:
    """AWS fills it, so it is a difference once, and none afterwards."""
    holder = {"name": "v", name: {}}
    assert canonical(definition(volumes=[holder])) != canonical(definition(volumes=[{"name": "v"}]))


@pytest.mark.parametrize("user", ["1000", "root"])
def test_a_log_router_may_have_a_user_of_its_own(user: str) -> None:
    router = {"firelensConfiguration": {"type": "fluentbit"}}
    assert canonical(definition({**router, "user": user})) != canonical(definition(router))
    assert "user" not in canonical(definition())["container_definitions"][0]


HOME = Home("aws", "eu-central-1", "123456789012")


def planned(current: Json, wanted: Json) -> t.Any:
    return draft({**canonical(current), "status": "ACTIVE"}, wanted, None, HOME)


@pytest.mark.parametrize("member", ["task_role_arn", "execution_role_arn"])
@pytest.mark.parametrize(
    ("name", "path"), [("web", "web"), ("shop/web", "shop/web"), ("/shop/web", "shop/web")], ids=repr
)
def test_a_role_given_by_name_is_its_arn(member: str, name: str, path: str) -> None:
    current = definition(**{member: f"arn:aws:iam::123456789012:role/{path}"})
    assert not planned(current, definition(**{member: name})).is_new
    other = planned(current, definition(**{member: "other"}))
    assert other.plan.after == {member: "arn:aws:iam::123456789012:role/other"}
    assert other.request[member] == "other"
    for different in (f"arn:aws:iam::210987654321:role/{path}", f"a/{name.lstrip('/')}", f"{name}2"):
        assert planned(current, definition(**{member: different})).is_new


def test_a_secret_given_by_name_is_its_arn() -> None:
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/key"

    def with_secret(value: str, other: str) -> Json:
        log = {"logDriver": "splunk", "secretOptions": [{"name": "token", "valueFrom": other}]}
        return definition({"secrets": [{"name": "KEY", "valueFrom": value}], "logConfiguration": log})

    assert not planned(with_secret(arn, "/shop/key"), with_secret("/shop/key", arn)).is_new
    for value in ("/shop/key2", arn.replace("eu-central-1", "us-east-1")):
        assert planned(with_secret(arn, arn), with_secret(value, arn)).is_new
        assert planned(with_secret(arn, "/shop/key"), with_secret(arn, value)).is_new


def test_a_label_that_is_named_like_a_member_is_a_text() -> None:
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/key"
    named, whole = (definition({"dockerLabels": {"valueFrom": text}}) for text in ("key", arn))
    assert planned(whole, named).is_new


@pytest.mark.parametrize("mode", ["awsvpc", "host"])
def test_the_host_port_is_the_containers_where_they_share_a_network(mode: str) -> None:
    short = definition({"portMappings": [{"containerPort": 80}]}, network_mode=mode)
    long = definition({"portMappings": [{"containerPort": 80, "hostPort": 80}]}, network_mode=mode)
    assert canonical(short) == canonical(long)


def test_windows_has_no_bridge() -> None:
    windows = definition(runtime_platform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"})
    assert "network_mode" not in canonical(windows)


@pytest.mark.parametrize(
    "name",
    ["environment", "secrets", "ulimits", "dependsOn", "portMappings", "mountPoints", "extraHosts", "systemControls"],
)
def test_order_of_sets_makes_no_difference(name: str) -> None:
    members = ("name", "containerName", "containerPort", "containerPath", "hostname", "namespace")
    elements = [dict.fromkeys(members, value) for value in (1, 2, 3)]
    assert canonical(definition({name: elements})) == canonical(definition({name: elements[::-1]}))


@pytest.mark.parametrize("name", ["command", "entryPoint", "environmentFiles", "dnsServers", "dnsSearchDomains"])
def test_order_that_means_something_is_kept(name: str) -> None:
    assert canonical(definition({name: ["a", "b"]})) != canonical(definition({name: ["b", "a"]}))


def test_text_without_content_is_a_value_of_a_variable() -> None:
    assert canonical(definition({"environment": [{"name": "A", "value": ""}]}))["container_definitions"][0][
        "environment"
    ] == [{"name": "A", "value": ""}]


def test_labels_that_are_named_like_members_are_kept() -> None:
    labels = {"dockerLabels": {"privileged": "false", "iam": "DISABLED"}}
    assert canonical(definition(labels))["container_definitions"][0]["dockerLabels"] == labels["dockerLabels"]


def test_what_is_not_known_yet_passes() -> None:
    unknown = {"family": "web", "container_definitions": ["unknown", {"name": "a", "portMappings": ["unknown"]}]}
    assert "unknown" in canonical(unknown)["container_definitions"]


def test_options_not_given_keep_what_the_revision_has() -> None:
    current = {"cpu": "256", "memory": "512", "volumes": [{"name": "v"}]}
    assert merged(current, None, {"memory": "1024", "volumes": []}) == {"cpu": "256", "memory": "1024"}


def test_a_document_is_a_whole_definition_that_options_override() -> None:
    current = {"cpu": "256", "pid_mode": "task"}
    assert merged(current, {"cpu": "512", "memory": "1024"}, {"memory": "2048"}) == {"cpu": "512", "memory": "2048"}


def test_a_draft_of_nothing_new() -> None:
    current = {**canonical(definition()), "status": "ACTIVE", "tags": {"a": "b"}}
    found = draft(current, definition(), None)
    assert not found.plan.changed
    assert not found.is_new


def test_tags_alone_make_no_revision() -> None:
    found = draft({**definition(), "status": "ACTIVE", "tags": {"a": "b"}}, definition(), {"a": "c"})
    assert found.plan.diff == {"before": {"tags": {"a": "b"}}, "after": {"tags": {"a": "c"}}}
    assert not found.is_new


def test_a_revision_that_is_not_active_is_registered_again() -> None:
    found = draft({**definition(), "status": "INACTIVE", "tags": {}}, definition(), None)
    assert found.is_new
    assert found.plan.diff == {"before": {"status": "INACTIVE"}, "after": {"status": "ACTIVE"}}


def test_a_removed_member_is_in_the_diff() -> None:
    found = draft({**definition(pid_mode="task"), "status": "ACTIVE"}, definition(), None)
    assert found.plan.diff == {"before": {"pid_mode": "task"}, "after": {}}


def test_requests_are_in_the_callers_own_words() -> None:
    wanted = definition({"environment": [{"name": "b"}, {"name": "a"}]})
    assert draft(None, wanted, None).request == wanted


@pytest.fixture
def shapes(ecs_model: t.Any) -> tuple[t.Any, t.Any]:
    register = ecs_model.operation_model("RegisterTaskDefinition")
    return register.input_shape, register.output_shape.members["taskDefinition"]


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_document_as_the_aws_cli_prints_it(shapes: tuple[t.Any, t.Any], wrapped: bool) -> None:
    printed = {
        "taskDefinitionArn": "arn:x:1",
        "revision": 1,
        "status": "ACTIVE",
        "requiresAttributes": [{"name": "x"}],
        "compatibilities": ["EC2"],
        "registeredAt": "2026-01-01",
        "registeredBy": "arn:y",
        "family": "web",
        "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "web"}],
    }
    tags = [{"key": "a", "value": "b"}]
    document = {"taskDefinition": printed, "tags": tags} if wrapped else {**printed, "tags": tags}
    options = from_document(document, *shapes)
    assert options == {
        "family": "web",
        "network_mode": "awsvpc",
        "container_definitions": [{"name": "web"}],
        "tags": tags,
    }
    assert tags_of(options) == {"a": "b"}


def test_a_document_that_is_our_own_result(shapes: tuple[t.Any, t.Any]) -> None:
    result = {"arn": "x", "registered_at": "unknown", "family": "web", "pid_mode": "task", "tags": {"a": "b"}}
    options = from_document(result, *shapes)
    assert options == {"family": "web", "pid_mode": "task", "tags": {"a": "b"}}
    assert tags_of(options) == {"a": "b"}


def test_a_name_that_aws_does_not_know_is_left_to_the_check(shapes: tuple[t.Any, t.Any]) -> None:
    assert from_document({"containerDefinition": []}, *shapes) == {"container_definition": []}


def test_a_document_that_is_none_is_refused(shapes: tuple[t.Any, t.Any]) -> None:
    with pytest.raises(SlipwayError):
        from_document({"taskDefinition": []}, *shapes)
