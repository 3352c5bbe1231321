# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ecs_cluster makes of its variables and of what it found."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_cluster, ecs_cluster_resources

Json = dict[str, Any]
LOGS = "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/ecs/shop"
SECRET = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:far-Ab12Cd"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MINE = {"slipway:project": "shop"}
NETWORK = {"security_group_ids": {"tasks": "sg-1"}}


def variables(**changes: Any) -> Json:
    """The defaults of a project shop, without those that lead to AWS."""
    defaults: Json = {
        "project": "shop",
        "tags": {"tier": 1},
        "region": "eu-central-1",
        "name": "shop",
        "arn": "",
        "execution_role_arn": "",
        "task_role_arn": "",
        "load_balancer_role_arn": "",
        "schedule_role_arn": "",
        "hosting": "fargate",
        "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
        "architecture": "X86_64",
        "hosts": "hosts-shop",
        "default_strategy": [{"capacityProvider": "FARGATE", "weight": 1}],
        "instance_type": "t3.medium",
        "instance_image": "resolve:ssm:/x",
        "instance_volume_size": 30,
        "instance_metadata_hops": 1,
        "instance_role": "hosts-shop",
        "load_balancer_role": "shop-load-balancing",
        "shifts_traffic": False,
        "shares_load_balancer": False,
        "target_groups": [],
        "schedule_role": "shop-schedules",
        "scheduled_families": [],
        "schedule_queues": [],
        "schedule_statements": [],
        "target_capacity": 100,
        "instances_min": 1,
        "instances_desired": 1,
        "instances_max": 4,
        "log_groups": [{"name": "/ecs/shop", "retention": 14}],
        "exec": False,
        "exec_log_group": "/ecs/shop/exec",
        "exec_log_retention": 90,
        "exec_bucket": "",
        "exec_kms_key": "",
        "permissions_boundary": "",
        "execution_role": "shop-execution",
        "task_role": "shop-task",
        "execution_policy": "least_privilege",
        "execution_statements": [],
        "instance_managed_policies": [],
        "instance_statements": [],
        "repositories": [],
        "secrets": {},
        "settings": [],
        "task_statements": [],
    }
    return {f"ecs_cluster_{name}": value for name, value in {**defaults, **changes}.items()}


def statements(role: str = "shop-execution", **changes: Any) -> dict[str, Json]:
    roles = ecs_cluster_resources.resources(variables(**changes), LOGS, NETWORK)["roles"]
    return {one["Sid"]: one for found in roles if found["name"] == role for one in found["statements"]}


def test_the_execution_role_may_pull_log_and_read_exactly_its_secrets() -> None:
    secrets = {
        "key": None,
        "database": {"type": "SecretsManager", "kms_key_id": KEY},
        "shared": {"from": "/shared/key"},
        "far": {"from": SECRET},
    }
    found = statements(secrets=secrets, settings=["level"], repositories=["shop/*"])
    assert list(found) == ["Login", "Pull", "Log", "Parameters", "Secrets", "Keys"]
    assert found["Pull"]["Resource"] == ["arn:aws-cn:ecr:*:123456789012:repository/shop/*"]
    assert found["Log"]["Resource"] == ["arn:aws-cn:logs:*:123456789012:log-group:/ecs/shop:*"]
    assert found["Parameters"]["Resource"] == [
        f"arn:aws-cn:ssm:*:123456789012:parameter/{name}" for name in ("shared/key", "shop/key", "shop/level")
    ]
    own = "arn:aws-cn:secretsmanager:*:123456789012:secret:shop/database-??????"
    assert found["Secrets"]["Resource"] == sorted([own, SECRET])
    assert found["Keys"]["Resource"] == [KEY]


def test_the_execution_role_may_use_the_key_of_all_secrets_of_the_project() -> None:
    assert statements(secrets={"key": None}, secrets_kms_key=KEY)["Keys"]["Resource"] == [KEY]
    assert "Keys" not in statements(secrets={"far": {"from": SECRET}}, secrets_kms_key=KEY)


@pytest.mark.parametrize(
    ("actual", "asked", "refused"),
    [
        (None, "", None),
        (KEY, "", None),
        (KEY, KEY, None),
        (None, KEY, "the existing log group /ecs/shop, which is none, got"),
        (f"{KEY}1", KEY, f"aws logs associate-kms-key --log-group-name /ecs/shop --kms-key-id {KEY}."),
        (None, "alias/logs", "ecs_cluster_log_kms_key: expected the ARN of a key, such as"),
    ],
)
def test_an_existing_log_group_keeps_its_key_or_the_difference_is_refused(
    actual: str | None, asked: str, refused: str | None
) -> None:
    group = {"log_group_name": "/ecs/shop", "kms_key_id": actual, "tags": {"slipway:project": "shop"}}
    problems = ecs_cluster.plan(variables(log_kms_key=asked), {"log_groups": [group]})["problems"]
    assert bool(problems) is bool(refused)
    assert not refused or any(refused in problem for problem in problems)


def test_on_a_load_balancer_of_others_ecs_shifts_rules_of_the_project_alone() -> None:
    found = statements("shop-load-balancing", shifts_traffic=True, shares_load_balancer=True, target_groups=["web"])
    assert list(found) == ["Read", "Register", "ShiftByRule"]
    assert found["ShiftByRule"]["Condition"] == {"StringEquals": {"aws:ResourceTag/slipway:project": "shop"}}
    names = [arn.split("/")[1] for arn in found["Register"]["Resource"]]
    assert names == ["shop-*", "web", "web-2"]
    assert "Shift" in statements("shop-load-balancing", shifts_traffic=True)


def test_roles_of_others_are_not_created_and_their_arns_are_passed_on() -> None:
    theirs = "arn:aws-cn:iam::123456789012:role/platform/run"
    given = {"task_role_arn": theirs, "execution_role": "", "scheduled_families": ["job"]}
    roles = ecs_cluster_resources.resources(variables(**given), LOGS)["roles"]
    assert [role["name"] for role in roles] == ["shop-schedules"]
    assert statements("shop-schedules", **given)["PassRoles"]["Resource"] == [theirs]


def test_without_secrets_no_secret_may_be_read() -> None:
    assert list(statements()) == ["Login", "Pull", "Log"]


def test_the_managed_policy_takes_the_place_of_the_statements() -> None:
    own = [{"Sid": "Own"}]
    given = variables(execution_policy="managed", execution_statements=own, secrets={"key": None})
    role = ecs_cluster_resources.resources(given, LOGS)["roles"][0]
    assert role["statements"] == own
    policy = "service-role/AmazonECSTaskExecutionRolePolicy"
    assert role["managed_policies"] == [f"arn:aws-cn:iam::aws:policy/{policy}"]


def test_nobody_runs_commands_in_containers_by_default() -> None:
    assert statements("shop-task") == {}
    plan = ecs_cluster.plan(variables())
    assert (plan["configuration"], [group["name"] for group in plan["log_groups"]]) == ({}, ["/ecs/shop"])


def test_sessions_in_containers_are_logged_where_there_can_be_any() -> None:
    found = statements("shop-task", exec=True)
    assert list(found) == ["ExecSessions", "ExecFindLog", "ExecLog"]
    assert found["ExecLog"]["Resource"] == "arn:aws-cn:logs:*:123456789012:log-group:/ecs/shop/exec:*"
    assert statements(exec=True)["Log"]["Resource"] == ["arn:aws-cn:logs:*:123456789012:log-group:/ecs/shop:*"]
    plan = ecs_cluster.plan(variables(exec=True))
    assert plan["log_groups"][-1] == {"name": "/ecs/shop/exec", "retention": 90}
    log = {"cloudWatchLogGroupName": "/ecs/shop/exec"}
    assert plan["configuration"]["executeCommandConfiguration"] == {"logging": "OVERRIDE", "logConfiguration": log}


def test_sessions_in_containers_can_be_encrypted_and_stored_in_a_bucket() -> None:
    settings: Json = {"exec": True, "exec_log_group": "", "exec_bucket": "audit", "exec_kms_key": KEY}
    found = statements("shop-task", **settings)
    assert list(found) == ["ExecSessions", "ExecFindBucket", "ExecBucket", "ExecKey"]
    assert found["ExecBucket"]["Resource"] == "arn:aws-cn:s3:::audit/shop/exec/*"
    assert found["ExecKey"]["Resource"] == KEY
    configuration = ecs_cluster.plan(variables(**settings))["configuration"]["executeCommandConfiguration"]
    log = {"s3BucketName": "audit", "s3KeyPrefix": "shop/exec"}
    assert configuration == {"logging": "OVERRIDE", "logConfiguration": log, "kmsKeyId": KEY}


def test_the_log_of_sessions_stays_with_the_cluster() -> None:
    group = {"log_group_name": "/ecs/shop/exec", "tags": MINE}
    found = {"log_groups": [group, group], "clusters": [cluster()]}
    plan = ecs_cluster.plan(variables(), found)
    assert plan["owned"]["log_groups"] == ["/ecs/shop/exec"]
    assert "/ecs/shop/exec" in plan["result"]["log_groups"]


def test_hosts_may_join_their_own_cluster_only() -> None:
    found = statements("hosts-shop", hosting="ec2")
    assert found["Join"]["Resource"] == "arn:aws-cn:ecs:*:123456789012:cluster/shop"
    assert found["Work"]["Resource"] == "arn:aws-cn:ecs:*:123456789012:container-instance/shop/*"


def test_a_launch_template_is_current_until_one_of_its_settings_changes() -> None:
    hosts = variables(hosting="ec2")
    new = ecs_cluster_resources.resources(hosts, LOGS, NETWORK)["launch_template"]
    assert (new["is_current"], new["id"], new["version"]) == (False, "unknown", "unknown")
    assert new["profile_arn"] == "arn:aws-cn:iam::123456789012:instance-profile/hosts-shop"
    versions = [{"version_number": 3, "version_description": new["description"]}]
    tags = {"tier": "1", **MINE}
    there = {"launch_template_id": "lt-1", "latest_version_number": 3, "versions": versions, "tags": tags}
    same = ecs_cluster_resources.resources(hosts, LOGS, NETWORK, there)["launch_template"]
    assert (same["is_current"], same["id"], same["version"]) == (True, "lt-1", 3)
    changes: list[Json] = [{"instance_type": "t3.large"}, {"name": "other"}, {"tags": {}}]
    for change in changes:
        other = variables(hosting="ec2", **change)
        assert not ecs_cluster_resources.resources(other, LOGS, NETWORK, there)["launch_template"]["is_current"]


def test_check_mode_does_without_an_account() -> None:
    found = ecs_cluster_resources.resources(variables(hosting="ec2"), "", NETWORK)
    assert found["roles"][0]["statements"][1]["Resource"] == ["arn:aws:ecr:*:unknown:repository/*"]
    assert found["launch_template"]["profile_arn"] == "arn:aws:iam::000000000000:instance-profile/unknown"


def cluster(**changes: Any) -> Json:
    there = {"name": "shop", "arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/shop", "tags": MINE}
    return {"capacity_providers": ["FARGATE"], "default_capacity_provider_strategy": [], **there, **changes}


def test_the_result_follows_from_the_cluster() -> None:
    result = ecs_cluster.plan(variables(), {"clusters": [cluster()]})["result"]
    assert result["execution_role_arn"] == "arn:aws:iam::123456789012:role/shop-execution"
    assert (result["log_groups"], result["leftover_hosts"], result["default_strategy"]) == (
        ["/ecs/shop", "/ecs/shop/exec"],
        False,
        [],
    )
    assert ecs_cluster.plan(variables(), {"clusters": [cluster(arn="unknown")]})["result"]["task_role_arn"] == "unknown"


@pytest.mark.parametrize(("settings", "insights"), [
    ([{"name": "containerInsights", "value": "enabled"}], "enabled"), ([], ""), ("unknown", ""),
])  # fmt: skip
def test_the_result_says_whether_tasks_are_counted(settings: Any, insights: str) -> None:
    result = ecs_cluster.plan(variables(), {"clusters": [cluster(settings=settings)]})["result"]
    assert result["container_insights"] == insights


@pytest.mark.parametrize("found", [{}, {"clusters": [cluster(tags={})]}])
def test_without_a_cluster_of_the_project_the_result_is_empty(found: Json) -> None:
    result = ecs_cluster.plan(variables(), found)["result"]
    assert (result["name"], result["arn"], result["task_role_arn"], result["log_groups"]) == ("", "", "", [])


def test_what_others_own_is_refused_by_name() -> None:
    region = {"slipway:region": "us-east-1"}
    found = {
        "clusters": [cluster()],
        # AWS finds log groups by how their names begin.
        "log_groups": [{"log_group_name": "/ecs/shop", "tags": {}}, {"log_group_name": "/ecs/shop-two", "tags": {}}],
        "roles": [
            {"role_name": "shop-execution", "tags": {**MINE, **region}},
            {"role_name": "shop-task", "tags": MINE},
        ],
        "auto_scaling_groups": [{"tags": [{"key": "slipway:project", "value": "other"}]}],
        "launch_templates": [{"tags": MINE}],
    }
    plan = ecs_cluster.plan(variables(), found)
    (problem,) = plan["problems"]
    assert problem.startswith(
        "/ecs/shop, shop-execution, Auto Scaling group hosts-shop: expected the tag slipway:project="
    )
    assert plan["owned"] == {"clusters": ["shop"], "log_groups": [], "roles": ["shop-task"]}
    assert plan["hosts"] == ["launch template"]


def test_hosts_stay_with_the_cluster_until_services_have_left_them() -> None:
    marked = cluster(tags={**MINE, "slipway:hosting": "ec2"}, capacity_providers=["FARGATE", "hosts-shop"])
    plan = ecs_cluster.plan(variables(), {"clusters": [marked]})
    assert plan["capacity_providers"] == ["FARGATE", "FARGATE_SPOT", "hosts-shop"]
    assert plan["cluster_tags"]["slipway:hosting"] == "ec2"
    assert plan["result"]["leftover_hosts"]
    assert "slipway:hosting" not in ecs_cluster.plan(variables(), {"clusters": [cluster()]})["cluster_tags"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"name": "a shop"},
            "ecs_cluster_name: expected 1 to 255 letters, digits, hyphens or underscores, got 'a shop'.",
        ),
        (
            {"task_role": "shop-execution"},
            "ecs_cluster_task_role: expected a different name from ecs_cluster_execut",
        ),
        ({"task_role": "a/b"}, "ecs_cluster_task_role: expected 1 to 64 letters, digits or _+=,.@-, got 'a/b'."),
        ({"tags": {"aws:a": "b"}}, "ecs_cluster_tags, 'aws:a': expected a key without the prefix aws:"),
        ({"log_groups": [{"name": "a"}]}, "ecs_cluster_log_groups[0].retention: expected days for a log group of this"),
        ({"log_groups": [{"name": "a b"}]}, "ecs_cluster_log_groups[0].name: expected 1 to 512 letters, digits or"),
        (
            {"exec_log_group": "a b"},
            "exec_log_group: expected 1 to 512 letters, digits or ._-/#, got 'a b'.",
        ),
        (
            {"exec_log_group": "/ecs/shop"},
            "a group that is not in ecs_cluster_log_groups, got '/ecs/shop'.",
        ),
        ({"exec_log_group": ""}, "exec_bucket: expected at least one for the logs of sessions, got neither."),
        ({"exec_bucket": "Shop"}, "ecs_cluster_exec_bucket: expected the name of a bucket, such as shop-sessions"),
        ({"exec_kms_key": "alias/shop"}, "ecs_cluster_exec_kms_key: expected the ARN of a key"),
        ({"permissions_boundary": "shop"}, "ecs_cluster_permissions_boundary: expected the ARN of a managed policy"),
        (
            {"default_strategy": []},
            "ecs_cluster_default_strategy: expected one or more of FARGATE, FARGATE_SPOT, got none.",
        ),
        ({"hosting": "ec2", "hosts": "AWS-1"}, "aws, ecs or fargate, got 'AWS-1'."),
        ({"hosting": "ec2", "instances_max": 0, "instances_min": 0, "instances_desired": 0}, "least 1, got 0, 0, 0."),
        (
            {"hosting": "ec2", "instance_metadata_hops": 0},
            "ecs_cluster_instance_metadata_hops: expected 1 to 64, got 0.",
        ),
        (
            {"hosting": "ec2", "instance_role": "shop-task"},
            "ecs_cluster_instance_role: expected a different name from",
        ),
    ],
)
def test_invalid_variables_are_refused(changes: Json, problem: str) -> None:
    assert problem in " ".join(ecs_cluster.problems(variables(**changes)))


def test_all_problems_are_reported_at_once() -> None:
    assert len(ecs_cluster.problems(variables(name="", log_groups=[{"name": "a"}], default_strategy=[]))) == 3
    none_at_first = variables(hosting="ec2", instances_min=0, instances_desired=0)
    assert ecs_cluster.problems(none_at_first) == []
    assert ecs_cluster.problems(variables()) == ecs_cluster.problems(variables(hosting="ec2")) == []


def test_the_role_of_schedules_runs_what_is_scheduled_for_schedules_of_the_project_alone() -> None:
    queue = "arn:aws:sqs:eu-central-1:123456789012:failed"
    roles = ecs_cluster_resources.resources(
        variables(scheduled_families=["web"], schedule_queues=[queue]), LOGS, NETWORK
    )["roles"]
    [role] = [one for one in roles if one["name"] == "shop-schedules"]
    [trust] = role["trust"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    group = "arn:aws-cn:scheduler:*:123456789012:schedule-group/shop"
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": [group, f"{group}.*"]},
    }
    found = {one["Sid"]: one for one in role["statements"]}
    assert found["Run"]["Resource"] == ["arn:aws-cn:ecs:*:123456789012:task-definition/web:*"]
    assert found["Run"]["Condition"] == {"ArnLike": {"ecs:cluster": "arn:aws-cn:ecs:*:123456789012:cluster/shop"}}
    assert found["PassRoles"]["Resource"] == [
        f"arn:aws-cn:iam::123456789012:role/shop-{name}" for name in ("execution", "task")
    ]
    assert found["PassRoles"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert found["Tag"]["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    assert found["Report"]["Resource"] == [queue]
    assert "shop-schedules" not in {one["name"] for one in ecs_cluster_resources.resources(variables(), LOGS)["roles"]}
