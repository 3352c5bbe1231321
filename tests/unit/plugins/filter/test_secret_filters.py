# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with secrets, and which services scale."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.scaled_services import scaled_services
from ansible_collections.slipway.aws.plugins.filter.secret_problems import secret_problems

Json = dict[str, Any]
ARN = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:far-Ab12Cd"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_right_secrets() -> None:
    secrets: dict[str, Json | None] = {"key": {"length": 64}, "db": {"type": "SecretsManager", "kms_key_id": KEY}}
    assert secret_problems({**secrets, "far": {"from": ARN}, "plain": None}, settings=["level"], values=["db"]) == []


@pytest.mark.parametrize(
    ("secrets", "values", "problem"),
    [
        ({"a b": None}, [], "a b: letters, digits and _.- are right in a name"),
        ({"level": None}, [], "level is a secret and a setting"),
        ({"key": None}, ["kye"], "kye has a value, but is none of the secrets: key"),
        ({"key": {"lenght": 5}}, [], "key: 'lenght' means nothing here, right are type, length, from, kms_key_id"),
        (
            {"key": {"type": "String"}},
            [],
            "key: type: expected SecureString or SecretsManager, got another value, which is not shown",
        ),
        ({"key": {"length": 0}}, [], "key: length: expected 1 to 4096, got another value"),
        ({"key": {"from": "/x"}}, ["key"], "it is made elsewhere (from), so neither length nor a value is right"),
        ({"key": {"kms_key_id": "alias/shop"}}, [], "kms_key_id: expected the ARN of a key such as arn:"),
    ],
)
def test_wrong_secrets_are_reported(secrets: dict[str, Json | None], values: list[str], problem: str) -> None:
    assert problem in "; ".join(secret_problems(secrets, ["level"], values))


def test_services_scale_or_lose_it() -> None:
    services = [
        {
            "name": "web",
            "scaling": {"min_capacity": 1, "requests_per_target": 9},
            "load_balancers": [{"targetGroupArn": "w"}],
        },
        {"name": "stock"},
        {"name": "db"},
    ]
    marked = {"tags": {"slipway:scaling": "true"}}
    released = [{"service_name": "web", **marked}, {"service_name": "stock", **marked}, {"service_name": "db"}]
    assert scaled_services(services, released, {"w": "arn:w"}) == [
        {"name": "web", "min_capacity": 1, "requests_per_target": 9, "target_group_arn": "arn:w"},
        {"name": "stock", "state": "absent"},
    ]
    assert scaled_services(services[1:]) == []


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
    (problem,) = secret_problems({"key": secret})
    assert "hunter2" not in problem
    assert "'h'" not in problem
