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
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import TASK_DEFINITION
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.options_flow import ITEM

# Members that go by another name in Ansible.
RENAMED = {
    "CreateService": {"service_name": "name"},
    "UpdateService": {"service": "name"},
    "RunTask": {},
    "RegisterTaskDefinition": {},
    "CreateCluster": {"cluster_name": "name"},
    "UpdateCluster": {"cluster": "name"},
    "PutClusterCapacityProviders": {"cluster": "name"},
    "CreateCapacityProvider": {},
    "UpdateCapacityProvider": {},
}
# Members that no option offers, and why.
LEFT_OUT = {"RunTask": {"reference_id": "started_by says the same, and tasks can be listed by it"}}
# What a release does not take of a service's options, and of a task definition's.
NOT_IN_A_RELEASE = {
    "ecs_service": {"cluster", "state", "client_token", "recreate", "force", "wait", "wait_timeout"},
    "ecs_task_definition": {"state", "keep_revisions", "delete"},
}


def documentation(module: str) -> t.Any:
    code = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}")
    return yaml.safe_load(code.DOCUMENTATION)["options"]


@pytest.mark.parametrize(
    ("operation", "module"),
    [
        ("RegisterTaskDefinition", "ecs_task_definition"),
        ("CreateCluster", "ecs_cluster"),
        ("UpdateCluster", "ecs_cluster"),
        ("PutClusterCapacityProviders", "ecs_cluster"),
        ("CreateService", "ecs_service"),
        ("UpdateService", "ecs_service"),
        ("RunTask", "ecs_task_run"),
        ("CreateCapacityProvider", "ecs_capacity_provider"),
        ("UpdateCapacityProvider", "ecs_capacity_provider"),
    ],
)
def test_no_member_is_missing(ecs_model: t.Any, operation: str, module: str) -> None:
    offered = {*documentation(module), "tags"}  # tags come from a fragment
    members = option_names(ecs_model.operation_model(operation).input_shape)
    missing = {RENAMED[operation].get(name, name) for name in members if name not in LEFT_OUT.get(operation, {})}
    missing -= offered
    assert missing == set()


# What a service has in a release alone.
OF_A_RELEASE = {"after", "initial_count", "pre_deploy_tasks", "post_deploy_tasks"}


@pytest.mark.parametrize(
    ("module", "taken"),
    [("ecs_service", set(ITEM) - OF_A_RELEASE), ("ecs_task_definition", set(TASK_DEFINITION))],
)
def test_a_release_takes_the_options_of_the_modules(module: str, taken: set[str]) -> None:
    assert taken == {*documentation(module), "tags", "purge_tags"} - NOT_IN_A_RELEASE[module]
    documented = str(documentation("ecs_release")["services"]["description"])
    assert {name for name in NOT_IN_A_RELEASE[module] if f"C({name})" not in documented} == set()
