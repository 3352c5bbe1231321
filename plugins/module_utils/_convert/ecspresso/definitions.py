# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service definition and a task definition of ecspresso as an element of ecs_app_services. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ..._core.masking import is_secret
from ..._core.types import Json
from ..notes import Notes
from ..placeholders import Placeholders
from ..secrets import Secrets

# What an answer of AWS has and no request takes.
_ANSWERED_TASK = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
)
_ANSWERED_SERVICE = (
    "clusterArn",
    "createdAt",
    "createdBy",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "deployments",
    "events",
    "pendingCount",
    "platformFamily",
    "resourceManagementType",
    "roleArn",
    "runningCount",
    "serviceArn",
    "serviceName",
    "status",
    "taskDefinition",
    "taskSets",
)
# Members of a service and the options of ecs_service for them.
OPTIONS = {
    "launchType": "launch_type",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "platformVersion": "platform_version",
    "deploymentConfiguration": "deployment_configuration",
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "networkConfiguration": "network_configuration",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "serviceRegistries": "service_registries",
    "serviceConnectConfiguration": "service_connect_configuration",
    "volumeConfigurations": "volume_configurations",
    "vpcLatticeConfigurations": "vpc_lattice_configurations",
    "placementConstraints": "placement_constraints",
    "placementStrategy": "placement_strategy",
    "schedulingStrategy": "scheduling_strategy",
    "role": "role",
    "enableExecuteCommand": "enable_execute_command",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "propagateTags": "propagate_tags",
    "monitoring": "monitoring",
}


def service(name: str, definition: Mapping[str, t.Any], task: Mapping[str, t.Any], notes: Notes) -> Json:
    """An element of ecs_app_services with a converted task definition."""
    given = {member: value for member, value in _pruned(definition).items() if member not in _ANSWERED_SERVICE}
    element: Json = {"name": name}
    if "desiredCount" in given:
        element["desired_count"] = given.pop("desiredCount")
    if "loadBalancers" in given:
        element["load_balancers"] = given.pop("loadBalancers")
    _controller(element, given.pop("deploymentController", {}), notes)
    options: Json = {option: given.pop(member) for member, option in OPTIONS.items() if member in given}
    tags = _tags(given.pop("tags", []))
    if tags:
        options["tags"] = tags
    if options.get("scheduling_strategy") == "DAEMON":
        element.pop("desired_count", None)
    for member in given:
        notes.add(f"{name}.{member}", "No option supports it.", "Set it in AWS.")
    element["task_definition"] = dict(task)
    return {**element, **({"options": options} if options else {})}


def _controller(element: Json, controller: Mapping[str, t.Any], notes: Notes) -> None:
    kind = controller.get("type", "ECS")
    if kind != "ECS":
        notes.add(
            f"{element['name']}.deploymentController",
            f"Slipway deploys with ECS itself, not with {kind}. An existing service cannot change its controller.",
            "Use the built-in ECS strategy blue_green, canary or linear: give the service another name, move the"
            " traffic, and delete the old service.",
        )


def task_definition(
    definition: Mapping[str, t.Any], place: str, secrets: Secrets, placeholders: Placeholders, notes: Notes
) -> Json:
    """The task definition in AWS's spelling, with secrets by reference."""
    whole = definition.get("taskDefinition", definition)
    given = {member: value for member, value in _pruned(whole).items() if member not in _ANSWERED_TASK}
    given["containerDefinitions"] = [
        _container(container, f"{place}.containerDefinitions.{container.get('name')}", secrets, placeholders, notes)
        for container in given.get("containerDefinitions") or ()
    ]
    return t.cast(Json, placeholders.templated(secrets.replaced(given, place)))


def _container(container: Json, place: str, secrets: Secrets, placeholders: Placeholders, notes: Notes) -> Json:
    plain, moved = [], []
    for variable in container.get("environment") or ():
        reference = _reference(variable, place, secrets, placeholders, notes)
        if reference:
            moved.append({"name": variable["name"], "valueFrom": reference})
        else:
            plain.append(variable)
    found = dict(container)
    given = [
        {**secret, "valueFrom": _value_from(str(secret.get("valueFrom")), secrets, placeholders)}
        for secret in container.get("secrets") or ()
    ]
    found |= {"environment": plain, "secrets": [*given, *moved]}
    return {member: value for member, value in found.items() if value or member not in ("environment", "secrets")}


def _reference(variable: Json, place: str, secrets: Secrets, placeholders: Placeholders, notes: Notes) -> str | None:
    """The reference to the secret that a variable of the environment becomes; None if it is none."""
    name, value = str(variable.get("name")), str(variable.get("value", ""))
    only = placeholders.only(value)
    if only and only.kind == "ssm" and " " not in only.argument:
        notes.add(
            f"{place}.environment.{name}",
            f"ECS reads the parameter {only.argument} when a task starts, not when you deploy.",
            "Allow the execution role to read it (ssm:GetParameters).",
        )
        return secrets.parameter(only.argument)
    if not is_secret(name, placeholders.actual(value)):
        return None
    return secrets.hidden(name, value, f"{place}.environment.{name}", notes)


def _value_from(value: str, secrets: Secrets, placeholders: Placeholders) -> str:
    """A reference by ARN or path as it is; one by the name of a secret as a secret of ecs_app_secrets."""
    found = placeholders.find(value)
    if len(found) == 1 and found[0].kind == "secretsmanager_arn":
        rest = re.sub(r"^__slipway_\d+__", "", value)
        return secrets.managed(found[0].argument) + rest
    if found and found[0].kind == "ssm":
        return value
    return value if "/" in value or value.startswith("arn:") or found else secrets.parameter(value)


def _tags(tags: t.Any) -> Json:
    return {str(tag.get("key")): tag.get("value", "") for tag in tags} if isinstance(tags, list) else dict(tags)


def _pruned(value: t.Any) -> t.Any:
    """Without members that are null, empty text or an empty list, which AWS reads as omitted."""
    if isinstance(value, Mapping):
        pruned = {member: _pruned(item) for member, item in value.items()}
        return {member: item for member, item in pruned.items() if item is not None and item != []}
    return [_pruned(item) for item in value] if isinstance(value, list) else value
