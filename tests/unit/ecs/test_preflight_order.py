# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight checks services one by one, and their order together."""

from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight.desired_flow import services


def service(name: str, *after: str) -> dict[str, t.Any]:
    containers = [{"name": name, "image": "app:1", "memory": 64}]
    definition = {"definition": {"family": name, "containerDefinitions": containers}}
    return {"name": name, "desired_count": 1, "after": [*after], "task_definition": definition}


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ([service("web", "database"), service("database")], []),
        ([service("web", "database")], ["services, web: after: expected services of the release, got database."]),
    ],
)
def test_a_service_can_follow_another_one_of_the_release(given: list[t.Any], problems: list[str]) -> None:
    ecs = boto3.client("ecs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    connection = Connection(t.cast(t.Any, None), {"services": given}, True)
    found, results = services(connection, ecs)
    assert [one.name for one in found] == [one["name"] for one in given]
    assert [one.text for one in results if one.state == "FAIL"] == problems
