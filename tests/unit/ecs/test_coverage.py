# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules offer every member of the API that botocore knows, and `make test` fails when a newer one has more."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import option_names

# Members that go by another name in Ansible. There are no exceptions.
RENAMED = {
    "RegisterTaskDefinition": {},
    "CreateCluster": {"cluster_name": "name"},
    "UpdateCluster": {"cluster": "name"},
    "PutClusterCapacityProviders": {"cluster": "name"},
}


@pytest.mark.parametrize(
    ("operation", "module"),
    [
        ("RegisterTaskDefinition", "ecs_task_definition"),
        ("CreateCluster", "ecs_cluster"),
        ("UpdateCluster", "ecs_cluster"),
        ("PutClusterCapacityProviders", "ecs_cluster"),
    ],
)
def test_no_member_is_missing(ecs_model: t.Any, operation: str, module: str) -> None:
    code = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}")
    offered = {*yaml.safe_load(code.DOCUMENTATION)["options"], "tags"}  # tags come from a fragment
    members = option_names(ecs_model.operation_model(operation).input_shape)
    missing = {RENAMED[operation].get(name, name) for name in members} - offered
    assert missing == set()
