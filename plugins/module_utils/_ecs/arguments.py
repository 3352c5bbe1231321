# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that several modules take: of a task definition, and of a service."""

from __future__ import annotations

import typing as t

from .._core.module import TAG_OPTIONS

Spec = dict[str, dict[str, t.Any]]
LIST: dict[str, t.Any] = {"type": "list", "elements": "dict"}

TASK_DEFINITION: Spec = {
    "family": {"aliases": ["name"]},
    "revision": {"type": "int"},
    "definition": {"type": "dict"},
    "definition_file": {"type": "path"},
    "container_definitions": {"type": "list", "elements": "dict"},
    "volumes": {"type": "list", "elements": "dict"},
    "cpu": {},
    "memory": {},
    "network_mode": {},
    "requires_compatibilities": {"type": "list", "elements": "str"},
    "execution_role_arn": {},
    "task_role_arn": {},
    "runtime_platform": {"type": "dict"},
    "ephemeral_storage": {"type": "dict"},
    "placement_constraints": {"type": "list", "elements": "dict"},
    "proxy_configuration": {"type": "dict"},
    "inference_accelerators": {"type": "list", "elements": "dict"},
    "pid_mode": {},
    "ipc_mode": {},
    "enable_fault_injection": {"type": "bool"},
    **TAG_OPTIONS,
}
# What AnsibleModule takes beside the options.
TASK_DEFINITION_RULES: dict[str, t.Any] = {
    "required_one_of": [("family", "definition", "definition_file")],
    "mutually_exclusive": [("definition", "definition_file")],
}

SERVICE: Spec = {
    "definition": {"type": "dict"},
    "definition_file": {"type": "path"},
    "task_definition": {"type": "str"},
    "desired_count": {"type": "int"},
    "launch_type": {"type": "str", "choices": ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]},
    "capacity_provider_strategy": LIST,
    "platform_version": {"type": "str"},
    "deployment_configuration": {"type": "dict"},
    "deployment_controller": {"type": "dict"},
    "force_new_deployment": {"type": "bool", "default": False},
    "availability_zone_rebalancing": {"type": "str", "choices": ["ENABLED", "DISABLED"]},
    "network_configuration": {"type": "dict"},
    "load_balancers": LIST,
    "health_check_grace_period_seconds": {"type": "int"},
    "service_registries": LIST,
    "service_connect_configuration": {"type": "dict"},
    "volume_configurations": LIST,
    "vpc_lattice_configurations": LIST,
    "placement_constraints": LIST,
    "placement_strategy": LIST,
    "scheduling_strategy": {"type": "str", "choices": ["REPLICA", "DAEMON"]},
    "role": {"type": "str"},
    "enable_execute_command": {"type": "bool"},
    "enable_ecs_managed_tags": {"type": "bool"},
    "propagate_tags": {"type": "str", "choices": ["TASK_DEFINITION", "SERVICE", "NONE"]},
    "monitoring": {"type": "dict"},
    **TAG_OPTIONS,
}

# What RunTask takes of a task, apart from its task definition.
TASK: Spec = {
    "count": {"type": "int"},
    "launch_type": {"type": "str", "choices": ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]},
    "capacity_provider_strategy": LIST,
    "platform_version": {"type": "str"},
    "network_configuration": {"type": "dict"},
    "placement_constraints": LIST,
    "placement_strategy": LIST,
    "volume_configurations": LIST,
    "overrides": {"type": "dict"},
    "group": {"type": "str"},
    "started_by": {"type": "str"},
    "propagate_tags": {"type": "str", "choices": ["TASK_DEFINITION", "NONE"]},
    "enable_ecs_managed_tags": {"type": "bool"},
    "enable_execute_command": {"type": "bool"},
}

# A schedule, and what it runs: what EcsParameters of EventBridge Scheduler takes of a task.
SCHEDULE: Spec = {
    "name": {"type": "str", "required": True},
    "schedule": {"type": "str"},
    "timezone": {"type": "str", "default": "UTC"},
    "enabled": {"type": "bool", "default": True},
    "description": {"type": "str"},
    "start_date": {"type": "str"},
    "end_date": {"type": "str"},
    "flexible_window": {"type": "int"},
    "maximum_retry_attempts": {"type": "int"},
    "maximum_event_age": {"type": "int"},
    "dead_letter_queue": {"type": "str"},
    "service": {"type": "str"},
    "task_definition": {"type": "str"},
    "container": {"type": "str"},
    "command": {"type": "list", "elements": "str"},
    "environment": {"type": "dict"},
    "tags": {"type": "dict"},
    **{name: option for name, option in TASK.items() if name not in ("volume_configurations", "started_by")},
    "launch_type": {"type": "str", "choices": ["EC2", "FARGATE", "EXTERNAL"]},
}

# A task of a service that runs with a release, and one that names its service.
SERVICE_TASK: Spec = {
    "name": {"type": "str", "required": True},
    "container": {"type": "str"},
    "command": {"type": "list", "elements": "str"},
    "environment": {"type": "dict"},
    "overrides": {"type": "dict"},
    "wait_timeout": {"type": "int", "default": 600},
}
RELEASE_TASK: Spec = {**SERVICE_TASK, "service": {"type": "str", "required": True}}

# A check of a page or a port that ends a release.
CHECK: Spec = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["http", "tcp"], "default": "http"},
    "url": {"type": "str"},
    "status": {"type": "int"},
    "content": {"type": "str"},
    "headers": {"type": "dict"},
    "host": {"type": "str"},
    "port": {"type": "int"},
}

# Those that are members of CreateService and RegisterTaskDefinition.
SERVICE_MEMBERS = sorted(SERVICE.keys() - {"definition", "definition_file", "force_new_deployment", "purge_tags"})
TASK_DEFINITION_MEMBERS = sorted(TASK_DEFINITION.keys() - {"revision", "definition", "definition_file", "purge_tags"})
