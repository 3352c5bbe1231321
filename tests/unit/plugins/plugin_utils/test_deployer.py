# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets which policy, what the role deployer deletes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import settings
from ansible_collections.slipway.aws.tests.policies import PERMISSIONS

Json = dict[str, Any]
VARIABLES: Json = {
    "project": "shop",
    "tags": {},
    "region": "eu-west-1",
    "cluster": "shop",
    "directory": "/tmp/shop",
    "variants": ["changes"],
    "permissions_boundary": "",
    "repositories": [],
    "shared_repositories": [],
    "existing_roles": [],
    "buckets": [],
    "exec_buckets": [],
    "file_buckets": [],
    "hook_functions": [],
    "vpcs": [],
    "queues": [],
    "boundary_statements": [],
    "domains": ["*.Example.com", "www.example.com"],
    "namespace": "shop.internal",
    "instance_policies": [],
    "users": [{"name": "anna"}, {"name": "ben", "documents": ["plan"]}, {"name": "cleo", "documents": []}],
    "roles": [
        {"name": "releases", "principals": ["arn:aws:iam::123456789012:root"], "documents": ["image", "service"]}
    ],
}
CALLER = {"account": "123456789012", "arn": "arn:aws-cn:iam::123456789012:user/root"}


def of(found: Json | None = None, **changed: Any) -> Json:
    return settings({f"deployer_{name}": value for name, value in (VARIABLES | changed).items()}, PERMISSIONS, found)


def test_each_gets_the_policies_of_its_documents() -> None:
    known = of({"caller": CALLER, "users": [], "roles": []})
    prefix = "arn:aws-cn:iam::123456789012:policy/shop-deployer-"
    assert known["problems"] == []
    assert known["arns"]["ben"] == [f"{prefix}plan"]
    assert known["arns"]["cleo"] == []
    assert known["arns"]["releases"] == [f"{prefix}image", f"{prefix}service"]
    assert known["arns"]["anna"][:2] == [f"{prefix}all", f"{prefix}all-2"]
    attached = {arn.removeprefix(prefix) for arns in known["arns"].values() for arn in arns}
    assert set(known["desired"]) == attached
    assert {*known["desired"], "network", "all-9"} <= set(known["deletable"])


def test_users_of_others_are_neither_adopted_nor_deleted() -> None:
    users = [{"user_name": "anna", "tags": {}}, {"user_name": "ben", "tags": {"slipway:project": "shop"}}]
    known = of({"caller": CALLER, "users": users, "roles": []})
    assert known["users"] == ["ben"]
    assert [one.partition(" got ")[2].split()[0] for one in known["problems"]] == ["anna"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"project": "a b"}, "project: expected up to 32 letters, digits, hyphens and underscores"),
        ({"variants": ["boundary"]}, "variants: expected some of access_logs"),
        ({"users": [{"name": "not good"}]}, "users[0] (not good).name: expected up to 64 letters"),
        ({"users": [{"name": "a", "documents": ["networks"]}]}, "users[0] (a).documents: expected some of"),
        ({"users": [{"name": "releases"}]}, "users and deployer_roles: expected each name once, got releases twice."),
        ({"roles": [{"name": "all", "principals": ["*"]}]}, "roles[0] (all).principals: expected ARNs of IAM"),
        ({"permissions_boundary": "shop"}, "permissions_boundary: expected the ARN of a managed policy"),
        (
            {"users": [{"name": "a", "permissions_boundary": "shop"}]},
            "users[0] (a).permissions_boundary: expected the ARN of a managed policy",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(changed: Json, problem: str) -> None:
    assert [one.startswith(f"deployer_{problem}") for one in of(**changed)["problems"]] == [True]


BOUNDARY = "arn:aws-cn:iam::123456789012:policy/shop-deployer-boundary"
NOBODY: Json = {"caller": CALLER, "users": [], "roles": []}


@pytest.mark.parametrize(
    ("boundary", "users", "is_created"),
    [
        (BOUNDARY, VARIABLES["users"], True),
        (BOUNDARY.replace("shop-deployer-", ""), VARIABLES["users"], False),
        # Without users and roles, only the documents are written.
        (BOUNDARY, [], False),
    ],
)
def test_the_boundary_is_created_where_it_is_the_roles_own(boundary: str, users: list[Json], is_created: bool) -> None:
    known = of(NOBODY, permissions_boundary=boundary, users=users, roles=[])
    assert ("boundary" in known["desired"], "boundary" in known["policies"]) == (is_created, True)
    assert BOUNDARY not in {arn for arns in known["arns"].values() for arn in arns}


def test_the_boundary_has_the_sites_own_statements() -> None:
    own = {
        "Sid": "Table",
        "Effect": "Allow",
        "Action": "dynamodb:GetItem",
        "Resource": "arn:aws:dynamodb:*:*:table/shop",
    }
    [found] = of(NOBODY, boundary_statements=[own])["policies"]["boundary"]["Statement"][-1:]
    assert (found["Sid"], found["Action"], found["Resource"]) == ("Own1", ["dynamodb:GetItem"], [own["Resource"]])


def test_a_boundary_that_is_too_long_is_refused() -> None:
    own = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::bucket-{n}/*" for n in range(200)]}
    ]
    [problem] = of(NOBODY, boundary_statements=own)["problems"]
    assert problem.startswith("deployer_boundary_statements: expected up to 6144 characters in the document boundary")


ROLE = "arn:aws:iam::123456789012:role/reader"
PASSED = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


@pytest.mark.parametrize(
    ("statement", "granting"),
    [
        ({"Action": "*", "Resource": "*"}, "*"),
        ({"Action": ["s3:GetObject", "iam:PutRolePolicy"], "Resource": ROLE}, "iam:PutRolePolicy"),
        ({"Action": "IAM:*", "Resource": ROLE}, "IAM:*"),
        ({"Action": "i*:CreateUser", "Resource": "*"}, "i*:CreateUser"),
        ({"NotAction": "s3:*", "Resource": "*"}, "NotAction or NotResource"),
        ({"Action": "sts:AssumeRole", "Resource": "*"}, "sts:AssumeRole"),
        ({"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"}, "sts:AssumeRole"),
        ({"Action": "sts:AssumeRole", "Resource": ROLE}, ""),
        ({"Action": "iam:PassRole", "Resource": ROLE}, "iam:PassRole"),
        ({"Action": "iam:PassRole", "Resource": "*", "Condition": PASSED}, "iam:PassRole"),
        ({"Action": "iam:PassRole", "Resource": ROLE, "Condition": PASSED}, ""),
        ({"Action": ["iam:GetRole", "sts:GetCallerIdentity", "s3:*"], "Resource": "*"}, ""),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, ""),
    ],
)
def test_a_statement_that_gives_permissions_is_not_in_a_boundary(statement: Json, granting: str) -> None:
    own = [{"Effect": "Allow", **statement}]
    problems = of(permissions_boundary=BOUNDARY, boundary_statements=own)["problems"]
    assert [one.partition(", got ")[2].partition(". ")[0] for one in problems] == ([granting] if granting else [])
    assert all(one.startswith("deployer_boundary_statements[0]: expected") for one in problems)
    written = of(NOBODY, boundary_statements=own)["policies"]["boundary"]["Statement"]
    assert any(one["Sid"] == "Own1" for one in written) != bool(granting)


def test_what_is_left_to_administrators_is_said() -> None:
    assert of(permissions_boundary=BOUNDARY)["warnings"] == []
    [alone] = of()["warnings"]
    assert "do not allow creating roles" in alone
    [unbounded] = of(variants=["unbounded_roles"])["warnings"]
    assert "can become an administrator" in unbounded
