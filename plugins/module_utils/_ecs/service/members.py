# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the members of a service mean: lists without an order, names or ARNs, and what other controllers can update."""

from __future__ import annotations

import typing as t

from ..._core.names import CAPACITY_PROVIDER, KEY, NAMESPACE, PARAMETER, ROLE, Kind
from ..._core.plan import Sets
from ..._core.types import Json

# Options of a service: named as the members of the API in snake case, with AWS's spelling inside.
Options = Json

# The order of these lists has no meaning, unlike that of placement_strategy.
SETS: Sets = {
    "load_balancers": ("targetGroupArn", "loadBalancerName", "containerName", "containerPort"),
    "service_registries": ("registryArn", "containerName"),
    "capacity_provider_strategy": ("capacityProvider",),
    "placement_constraints": ("type", "expression"),
    "volume_configurations": ("name",),
    "vpc_lattice_configurations": ("targetGroupArn", "portName"),
    "subnets": (),
    "securityGroups": (),
    "alarmNames": (),
    "lifecycleHooks": ("targetType", "hookTargetArn"),
    "lifecycleStages": (),
    "services": ("portName",),
    "clientAliases": ("port",),
    "secretOptions": ("name",),
    "tagSpecifications": ("resourceType",),
    "tags": ("key",),
    "metricConfigurations": (),
    "metricNames": (),
}
# AWS accepts these by name or by ARN.
KINDS: t.Mapping[str, Kind] = {
    "role": ROLE,
    "capacity_provider_strategy.capacityProvider": CAPACITY_PROVIDER,
    "advancedConfiguration.roleArn": ROLE,
    "lifecycleHooks.roleArn": ROLE,
    "managedEBSVolume.roleArn": ROLE,
    "managedEBSVolume.kmsKeyId": KEY,
    "secretOptions.valueFrom": PARAMETER,
    "service_connect_configuration.namespace": NAMESPACE,
    "tls.kmsKey": KEY,
    "tls.roleArn": ROLE,
    "vpc_lattice_configurations.roleArn": ROLE,
}
# AWS returns these only with the deployments, not with the service itself.
AT_THE_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
# What UpdateService accepts for services of other deployment controllers.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
UPDATABLE: t.Mapping[str, frozenset[str]] = {
    "CODE_DEPLOY": frozenset(
        {
            "deployment_configuration",
            "deployment_controller",
            "desired_count",
            "enable_ecs_managed_tags",
            "health_check_grace_period_seconds",
            "placement_constraints",
            "placement_strategy",
            "propagate_tags",
            "tags",
        }
    ),
    "EXTERNAL": frozenset(
        {
            "deployment_controller",
            "desired_count",
            "enable_ecs_managed_tags",
            "health_check_grace_period_seconds",
            "placement_constraints",
            "placement_strategy",
            "propagate_tags",
            "tags",
        }
    ),
}
