# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the cluster, IAM roles and log groups of others that a project names, and what it uses of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_cluster_existing as existing

Json = dict[str, Any]
ARN = "arn:aws:ecs:eu-central-1:123456789012:cluster/shared"
ROLE = "arn:aws:iam::123456789012:role/platform/shared"
TASKS = "ecs-tasks.amazonaws.com"
MINE = [{"key": "slipway:project", "value": "shop"}]


def trust(*services: str, effect: str = "Allow") -> Json:
    principals = [{"Service": [*services]}] if len(services) > 1 else [{"Service": one} for one in services]
    return {"Statement": [{"Effect": effect, "Principal": one, "Action": "sts:AssumeRole"} for one in principals]}


def role(policy: Any, **members: Any) -> Json:
    return {"role_name": "shared", "arn": ROLE, "assume_role_policy_document": policy, **members}


def variables(**changes: Any) -> Json:
    defaults: Json = {
        "project": "shop",
        "region": "eu-central-1",
        "name": "shared",
        "arn": ARN,
        "log_groups": [],
        **{f"{name}_role_arn": "" for name in existing.ROLES},
    }
    return {f"ecs_cluster_{name}": value for name, value in {**defaults, **changes}.items()}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"arn": "no/name"}, "arn: expected the name or ARN of a cluster in eu-central-1, such as arn:aws:ecs:eu-"),
        (
            {"arn": ARN.replace("eu-central-1", "us-east-1")},
            "arn: expected the name or ARN of a cluster in eu-central-1, such as arn:aws:ecs:eu-",
        ),
        ({"name": "shop"}, "name: expected shared, the name of the cluster in ecs_cluster_arn, got 'shop'."),
        (
            {"task_role_arn": "arn:aws:iam::0:role/x"},
            "task_role_arn: expected the name or ARN of an IAM role, such as arn:aws:iam::123456789012:role/shared,",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(changed: Json, problem: str) -> None:
    (found,) = existing.problems(variables(**changed))
    assert found.startswith(f"ecs_cluster_{problem}")


@pytest.mark.parametrize("changed", [{}, {"arn": "shared"}, {"arn": "", "name": "shop"}, {"task_role_arn": ROLE}])
def test_names_and_arns_have_no_problems(changed: Json) -> None:
    assert [*existing.problems(variables(**changed))] == []


@pytest.mark.parametrize(
    ("clusters", "problem"),
    [
        ([], f"expected an active cluster of this account in eu-central-1, got none for {ARN}."),
        (
            [{"arn": ARN.replace("12:", "13:"), "name": "shared"}],
            f"expected an active cluster of this account in eu-central-1, got {ARN.replace('12:', '13:')} for {ARN}.",
        ),
        (
            [{"arn": ARN, "name": "shared", "tags": MINE}],
            "expected a cluster outside the project, got one with the tag slipway:project=shop, which is deleted"
            " with the",
        ),
        (
            [{"arn": ARN, "name": "shared", "tags": {"slipway:project": "shop"}}],
            "expected a cluster outside the project, got one with the tag slipway:project=shop, which is deleted"
            " with the",
        ),
    ],
)
def test_a_cluster_that_does_not_fit_is_named(clusters: list[Json], problem: str) -> None:
    (found,) = existing.account_problems(variables(), {"clusters": clusters})
    assert found.startswith(f"ecs_cluster_arn: {problem}")


@pytest.mark.parametrize(
    ("given", "roles", "problem"),
    [
        ("shared", [], "expected an existing role, got none with this name."),
        (
            ROLE,
            [role(trust(TASKS), arn=f"{ROLE}2")],
            f"expected {ROLE}2, the role with this name in this account, got {ROLE}.",
        ),
        (
            "shared",
            [role(trust(TASKS), tags=MINE)],
            "expected a role outside the project, got one with the tag slipway:project=shop",
        ),
        (
            "shared",
            [role(trust("ec2.amazonaws.com", "ecs.amazonaws.com"))],
            f"expected a role that {TASKS} can assume, got shared, which trusts ec2.amazonaws.com, ecs.amazonaws.com.",
        ),
        (
            "shared",
            [role(trust(TASKS, effect="Deny"))],
            f"expected a role that {TASKS} can assume, got shared, which trusts no",
        ),
        ("shared", [role(None)], f"expected a role that {TASKS} can assume, got shared, which trusts no service."),
    ],
)
def test_a_role_that_does_not_fit_is_named(given: str, roles: list[Json], problem: str) -> None:
    (found,) = existing.account_problems(variables(task_role_arn=given), {"roles": roles})
    assert found.startswith(f"ecs_cluster_task_role_arn: {problem}")


@pytest.mark.parametrize(
    "policy",
    [
        trust(TASKS),
        trust(TASKS, "ec2.amazonaws.com"),
        quote(json.dumps(trust(TASKS))),
        {"Statement": trust(TASKS)["Statement"][0]},
    ],
)
def test_a_trust_policy_is_read_in_each_form_of_iam(policy: Any) -> None:
    found = {"clusters": [{"arn": ARN, "name": "shared"}], "roles": [role(policy)]}
    assert [*existing.account_problems(variables(task_role_arn=ROLE), found)] == []


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        ([], "expected an existing log group, got none with this name."),
        (
            [{"log_group_name": "/none", "tags": {"slipway:project": "shop"}}],
            "expected a log group outside the project, got one with",
        ),
    ],
)
def test_a_log_group_that_does_not_fit_is_named(groups: list[Json], problem: str) -> None:
    given = variables(log_groups=[{"name": "/own"}, {"name": "/none", "existing": True}])
    (found,) = existing.account_problems(given, {"log_groups": groups})
    assert found.startswith(f"ecs_cluster_log_groups[1] (/none): {problem}")


def test_what_was_not_read_is_not_judged() -> None:
    given = variables(task_role_arn="shared", log_groups=[{"name": "/none", "existing": True}])
    assert [*existing.account_problems(given, {})] == []


def test_roles_get_their_arns_and_sessions_are_logged_as_the_cluster_says() -> None:
    log = {"cloudWatchLogGroupName": "/sessions", "s3BucketName": "logs"}
    for key, known in (("arn:aws:kms:key", "arn:aws:kms:key"), ("alias/x", ""), (None, "")):
        sessions = {"logConfiguration": log, "kmsKeyId": key}
        cluster = {"name": "shared", "arn": ARN, "configuration": {"executeCommandConfiguration": sessions}}
        found = {"clusters": [cluster], "roles": [role(trust(TASKS))]}
        assert existing.resolved(variables(task_role_arn="shared", execution_role_arn="missing"), found) == {
            "ecs_cluster_task_role_arn": ROLE,
            "ecs_cluster_execution_role_arn": "",
            "ecs_cluster_exec_log_group": "/sessions",
            "ecs_cluster_exec_bucket": "logs",
            "ecs_cluster_exec_prefix": "",
            "ecs_cluster_exec_kms_key": known,
        }
    assert existing.resolved(variables(arn=""), {}) == {}
