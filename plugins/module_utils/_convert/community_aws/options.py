# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of community.aws and what becomes of their options. Pure data.

The guide "From community.aws to slipway.aws" has the same tables for people.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

# How a value changes. `same` keeps it.
Change = t.Literal[
    "same",
    "camel",
    "upper",
    "list",
    "network",
    "registries",
    "scan",
    "state",
    "empty_if_true",
    "container_definitions",
    "no_empty",
    "wait",
]


class Option(t.NamedTuple):
    """The option that takes the value, and how; without one, why there is none."""

    to: str = ""
    change: Change = "same"
    reason: str = ""
    advice: str = ""
    # Values that change nothing when they are left out.
    silent: tuple[str, ...] = ("false", "no")


class Module(t.NamedTuple):
    """A module of ours that takes the place of one of community.aws."""

    name: str
    options: Mapping[str, Option]
    # The name of the result, before and after.
    result: tuple[str, str] = ("", "")


def _same(*names: str) -> dict[str, Option]:
    return {name: Option(name) for name in names}


_POLLING = Option("", "wait", "Slipway chooses the polling interval itself.", "wait_timeout is the number of seconds.")
_TASK_DEFINITION = {
    **_same("state", "family", "revision", "volumes", "cpu", "memory", "placement_constraints", "runtime_platform"),
    "arn": Option("", "same", "The option accepts a family, family:revision or an ARN.", "Put the ARN into family."),
    "containers": Option("container_definitions", "container_definitions"),
    "force_create": Option(
        "",
        "same",
        "Slipway does not register a revision that equals its predecessor.",
        "To replace the tasks, use force_new_deployment of ecs_service.",
    ),
    "network_mode": Option("network_mode"),
    "task_role_arn": Option("task_role_arn", "no_empty"),
    "execution_role_arn": Option("execution_role_arn", "no_empty"),
    "launch_type": Option("requires_compatibilities", "list"),
}
_SERVICE = {
    **_same(
        "name",
        "service",
        "cluster",
        "task_definition",
        "load_balancers",
        "desired_count",
        "force_new_deployment",
        "wait",
        "placement_constraints",
        "placement_strategy",
        "health_check_grace_period_seconds",
        "launch_type",
        "platform_version",
        "scheduling_strategy",
        "propagate_tags",
        "tags",
        "enable_execute_command",
    ),
    "state": Option("state", "state"),
    "client_token": Option("client_token", "no_empty"),
    "role": Option("role", "no_empty"),
    "delay": _POLLING,
    "repeat": _POLLING,
    "force_deletion": Option("force"),
    "deployment_controller": Option("deployment_controller", "camel"),
    "deployment_configuration": Option("deployment_configuration", "camel"),
    "capacity_provider_strategy": Option("capacity_provider_strategy", "camel"),
    "purge_placement_constraints": Option(
        "", "same", "Slipway compares placement_constraints as a whole.", "An empty list removes all."
    ),
    "purge_placement_strategy": Option(
        "", "same", "Slipway compares placement_strategy as a whole.", "An empty list removes all."
    ),
    "network_configuration": Option("network_configuration", "network"),
    "service_registries": Option("service_registries", "registries"),
}
_CLUSTER = {
    **_same("state", "name", "capacity_providers"),
    "delay": _POLLING,
    "repeat": _POLLING,
    "capacity_provider_strategy": Option("default_capacity_provider_strategy", "camel"),
    "purge_capacity_providers": Option(
        "",
        "same",
        "Slipway compares capacity_providers as a whole.",
        "List all providers of the cluster, or omit it.",
        ("true", "yes"),
    ),
}
_REPOSITORY = {
    **_same("name", "registry_id", "state", "force_set_policy", "policy", "lifecycle_policy"),
    "force_absent": Option("force"),
    "image_tag_mutability": Option("image_tag_mutability", "upper"),
    "purge_policy": Option("policy", "empty_if_true"),
    "purge_lifecycle_policy": Option("lifecycle_policy", "empty_if_true"),
    "scan_on_push": Option("image_scanning_configuration", "scan"),
    "encryption_configuration": Option("encryption_configuration", "camel"),
}
_TASK = {
    **_same("cluster", "task_definition", "overrides", "count", "started_by", "launch_type", "tags", "wait"),
    "operation": Option("", "same", "ecs_task_run only runs tasks.", "", ("run",)),
    "task": Option("", "same", "AWS assigns the ARN of a new task.", ""),
    "network_configuration": Option("network_configuration", "network"),
    "container_instances": Option("", "same", "AWS places the task.", "Use placement_constraints."),
}
_SERVICE_INFO = {
    **_same("cluster"),
    "service": Option("names"),
    "name": Option("names"),
    "details": Option("", "same", "The module always returns full services.", "", ("true", "yes", "false", "no")),
    "events": Option("", "same", "The module always returns events.", "", ("true", "yes", "false", "no")),
}
_DEFINITION_INFO = {"task_definition": Option("family")}
_TAG = {
    "cluster_name": Option("name"),
    **_same("tags", "purge_tags"),
    "resource": Option("", "same", "The module names the cluster.", ""),
    "state": Option("", "same", "The module sets all tags together.", "", ("present",)),
    "resource_type": Option("", "same", "Each kind of resource has its own module.", "", ("cluster",)),
}

MODULES: Mapping[str, Module] = {
    "ecs_taskdefinition": Module("ecs_task_definition", _TASK_DEFINITION, ("taskdefinition", "task_definition")),
    "ecs_service": Module("ecs_service", _SERVICE, ("service", "service")),
    "ecs_cluster": Module("ecs_cluster", _CLUSTER, ("cluster", "cluster")),
    "ecs_ecr": Module("ecr_repository", _REPOSITORY, ("repository", "repository")),
    "ecs_task": Module("ecs_task_run", _TASK, ("task", "tasks")),
    "ecs_service_info": Module("ecs_service_info", _SERVICE_INFO, ("services", "services")),
    "ecs_taskdefinition_info": Module("ecs_task_definition_info", _DEFINITION_INFO, ("", "task_definitions[0]")),
    "ecs_tag": Module("ecs_cluster", _TAG, ("", "cluster")),
}
# Former names of modules.
ALIASES = {"ecs_service_facts": "ecs_service_info", "ecs_taskdefinition_facts": "ecs_taskdefinition_info"}
# Members of results that are not the former name in snake case, by module.
RESULTS: Mapping[str, Mapping[str, str]] = {
    "ecs_taskdefinition": {"taskDefinitionArn": "arn"},
    "ecs_taskdefinition_info": {"task_definition_arn": "arn"},
    "ecs_cluster": {"clusterArn": "arn", "clusterName": "name"},
    "ecs_task": {"lastStatus": "status"},
}
# Options that every module of amazon.aws and of ours takes.
CONNECTION = frozenset(
    {
        "access_key",
        "aws_access_key",
        "aws_access_key_id",
        "aws_ca_bundle",
        "aws_config",
        "aws_endpoint_url",
        "aws_profile",
        "aws_region",
        "aws_secret_access_key",
        "aws_secret_key",
        "aws_session_token",
        "debug_botocore_endpoint_logs",
        "ec2_access_key",
        "ec2_region",
        "ec2_secret_key",
        "ec2_url",
        "endpoint_url",
        "profile",
        "region",
        "s3_url",
        "secret_key",
        "session_token",
        "validate_certs",
    }
)
