# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which secrets are desired, what is wrong with them, and what containers are given of them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_secrets

Json = dict[str, Any]
ARN = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:far-Ab12Cd"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_valid_secrets_are_accepted() -> None:
    secrets: dict[str, Any] = {"key": {"length": 64}, "db": {"type": "SecretsManager", "kms_key_id": KEY}}
    assert ecs_app_secrets.problems({**secrets, "far": {"from": ARN}, "plain": None}, ["level"], ["db"]) == []


@pytest.mark.parametrize(
    ("secrets", "values", "problem"),
    [
        ({"a b": None}, [], "ecs_app_secrets: expected names of letters, digits and _.-, got 'a b'."),
        ({"level": None}, [], "ecs_app_settings: expected names that are not in ecs_app_secrets, got 'level'."),
        ({"key": None}, ["kye"], "ecs_app_secret_values: expected names in ecs_app_secrets (key), got 'kye'."),
        (
            {"key": {"lenght": 5}},
            [],
            "key: expected any of type, length, from, kms_key_id, got 'lenght'.",
        ),
        (
            {"key": {"type": "String"}},
            [],
            "key.type: expected SecureString or SecretsManager, got another value, which is not shown",
        ),
        ({"key": {"length": 0}}, [], "key.length: expected 1 to 4096, got another value"),
        ({"key": {"from": "/x"}}, ["key"], "key.from: expected neither a length nor a value for an external secret"),
        ({"key": {"kms_key_id": "alias/shop"}}, [], "key.kms_key_id: expected the ARN of a key, such as arn:"),
    ],
)
def test_an_invalid_secret_is_refused(secrets: dict[str, Any], values: list[str], problem: str) -> None:
    assert problem in " ".join(ecs_app_secrets.problems(secrets, ["level"], values))


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        {"type": "hunter2"},
        {"length": "hunter2"},
        {"kms_key_id": "hunter2"},
        {"from": "hunter2", "length": 5},
        ["hunter2"],
    ],
)
def test_a_value_in_the_wrong_place_is_refused_and_not_shown(secret: Any) -> None:
    (problem,) = ecs_app_secrets.problems({"key": secret}, [], [])
    assert "hunter2" not in problem
    assert "'h'" not in problem


CREATED = {
    "key": {"value_from": "/shop/key", "version": "1"},
    "db": {"value_from": "arn:aws:db", "version": "3"},
}


def test_a_container_is_given_paths_and_arns_in_place_of_names() -> None:
    sources = {"A": "key", "B": "/other/key", "C": "db:password::", "D": "arn:aws:x:y::"}
    container = {"name": "web", "secrets": [{"name": name, "valueFrom": source} for name, source in sources.items()]}
    found = [secret["valueFrom"] for secret in ecs_app_secrets.given(container, CREATED, [])["secrets"]]
    assert found == ["/shop/key", "/other/key", "arn:aws:db:password::", "arn:aws:x:y::"]
    assert container["secrets"][0]["valueFrom"] == "key"


def test_a_new_version_of_a_secret_is_a_new_task_definition_where_it_is_used() -> None:
    container = {"name": "web", "secrets": [{"name": "A", "valueFrom": "db:password::"}], "dockerLabels": {"a": "b"}}
    assert ecs_app_secrets.given(container, CREATED, ["key", "db"])["dockerLabels"] == {
        "a": "b",
        "slipway.secrets": "db=3",
    }
    assert "dockerLabels" not in ecs_app_secrets.given({"name": "web"}, CREATED, ["key", "db"])
    assert ecs_app_secrets.given(container, CREATED, ["key"])["dockerLabels"] == {"a": "b"}


def test_secrets_of_the_project_that_name_no_key_have_the_given_one() -> None:
    secrets = {"key": None, "own": {"kms_key_id": "k2"}, "aws": {"kms_key_id": ""}, "far": {"from": ARN}}
    items = ecs_app_secrets.desired(secrets, ["level"], "k1")
    assert {item["name"]: item.get("kms_key_id") for item in items} == {
        "key": "k1",
        "own": "k2",
        "aws": "",
        "far": None,
        "level": None,
    }


def test_what_the_project_creates_is_kept_under_its_path() -> None:
    secrets = {"key": None, "db": {"type": "SecretsManager"}, "far": {"from": ARN}, "near": {"from": "/x"}}
    items = ecs_app_secrets.desired(secrets, ["level"])
    assert ecs_app_secrets.stored_names(items, "shop") == {
        "parameter": ["/shop/key", "/shop/level"],
        "secret": ["shop/db"],
    }
