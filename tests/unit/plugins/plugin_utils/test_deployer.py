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
    "buckets": [],
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
