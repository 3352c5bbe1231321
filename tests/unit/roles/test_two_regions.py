# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM has no regions: a site does not take or remove the roles of a site of the same name in another region."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud


def cluster(entry: str) -> dict[str, t.Any]:
    return {"ansible.builtin.import_role": {"name": "slipway.aws.ecs_cluster", "tasks_from": entry}}


@pytest.mark.variants
def test_roles_of_another_region_are_neither_changed_nor_deleted(cloud: Cloud) -> None:
    created = cloud.play([cluster("main")])
    assert created.code == 0, created.output
    refused = cloud.play([cluster("main")], slipway_region="us-east-1")
    assert refused.code == 2
    assert "ecs-execution, ecs-task: expected the tag slipway:project=ecs and no other region in" in refused.output
    removed = cloud.play([cluster("absent")], slipway_region="us-east-1")
    assert removed.code == 0, removed.output
    assert {role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]} >= {"ecs-execution", "ecs-task"}
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
