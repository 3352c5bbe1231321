# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The defaults that AWS fills into a service, so that both sides of a comparison contain them.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html and the pages of its members.
"""

from __future__ import annotations

import typing as t

from ..._core.plan import Resource
from .members import Options

# Values of members that AWS does not return. (A new service returns availabilityZoneRebalancing, which is ENABLED.)
DEFAULTS: Resource = {
    "availability_zone_rebalancing": "DISABLED",
    "capacity_provider_strategy": [],
    "deployment_configuration": {},
    "deployment_controller": {"type": "ECS"},
    "enable_ecs_managed_tags": False,
    "enable_execute_command": False,
    "health_check_grace_period_seconds": 0,
    "load_balancers": [],
    "placement_constraints": [],
    "placement_strategy": [],
    "platform_version": "LATEST",
    "propagate_tags": "NONE",
    "scheduling_strategy": "REPLICA",
    "service_connect_configuration": {"enabled": False},
    "service_registries": [],
    "tags": {},
    "volume_configurations": [],
    "vpc_lattice_configurations": [],
}
_ZONE = "ecs.availability-zone"
_ZONE_SPREAD = {"type": "spread", "field": f"attribute:{_ZONE}"}


def rebalancing(options: Options) -> str:
    """What AWS sets for a new service that omits it: ENABLED where its tasks can be moved to another zone.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
    """
    constraints = options.get("placement_constraints") or ()
    strategy = options.get("placement_strategy") or [_ZONE_SPREAD]
    cannot = (
        options.get("scheduling_strategy") == "DAEMON",
        options.get("launch_type") == "EXTERNAL",
        (options.get("deployment_controller") or {}).get("type") == "EXTERNAL",
        (options.get("deployment_configuration") or {}).get("maximumPercent") == 100,
        any("loadBalancerName" in balancer for balancer in options.get("load_balancers") or ()),
        any(_ZONE in str(constraint.get("expression")) for constraint in constraints),
        strategy[0] != _ZONE_SPREAD,
    )
    return "DISABLED" if any(cannot) else "ENABLED"


def fill(options: Resource, scheduling: str) -> Options:
    """The options, with the defaults that AWS fills into the given members."""
    filled = dict(options)
    for name, complete in _FILLERS.items():
        if filled.get(name) is not None:
            filled[name] = complete(filled[name])
    if filled.get("deployment_configuration") is not None:
        filled["deployment_configuration"] = _deployment(filled["deployment_configuration"], scheduling)
    return filled


def _deployment(desired: Resource, scheduling: str) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"""
    percents = (100, 0) if scheduling == "DAEMON" else (200, 100)
    filled: Options = {
        "strategy": "ROLLING",
        "maximumPercent": percents[0],
        "minimumHealthyPercent": percents[1],
        "lifecycleHooks": [],
        **desired,
    }
    strategy = filled["strategy"]
    if strategy == "ROLLING":
        filled.setdefault("bakeTimeInMinutes", 0)
    filled["deploymentCircuitBreaker"] = _breaker(desired.get("deploymentCircuitBreaker") or {})
    filled["alarms"] = {"alarmNames": [], "enable": False, "rollback": False, **(desired.get("alarms") or {})}
    early = {"enable": False, **(desired.get("earlySuccessCriteria") or {})}
    filled["earlySuccessCriteria"] = early if early["enable"] else {"enable": False}
    filled["lifecycleHooks"] = [_hook(hook) for hook in filled["lifecycleHooks"] or ()]
    for name, member, defaults in (
        ("LINEAR", "linearConfiguration", {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}),
        ("CANARY", "canaryConfiguration", {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}),
    ):
        filled.pop(member, None)
        if strategy == name:
            filled[member] = {**defaults, **(desired.get(member) or {})}
    return filled


def _breaker(desired: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html"""
    return {
        "enable": False,
        "rollback": False,
        "resetOnHealthyTask": True,
        "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
        **desired,
    }


def _hook(hook: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHook.html"""
    timeout = {"timeoutInMinutes": 1440, "action": "ROLLBACK", **(hook.get("timeoutConfiguration") or {})}
    return {"targetType": "AWS_LAMBDA", **hook, "timeoutConfiguration": timeout}


def _network(desired: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html"""
    vpc = desired.get("awsvpcConfiguration")
    return {**desired, "awsvpcConfiguration": {"assignPublicIp": "DISABLED", **vpc}} if vpc else dict(desired)


def _strategy_item(item: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html"""
    return {"weight": 0, "base": 0, **item}


def _placement(item: Resource) -> Options:
    """AWS has two names for `host`, and returns the fields of binpack in upper case.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PlacementStrategy.html
    """
    field = str(item.get("field") or "")
    if item.get("type") == "binpack":
        field = field.lower()
    returned = "instanceId" if field == "host" else field
    return {**item, "field": returned} if returned else {"type": item.get("type")}


def _volume(item: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceManagedEBSVolumeConfiguration.html"""
    ebs = item.get("managedEBSVolume")
    if not ebs:
        return dict(item)
    specifications = [{"propagateTags": "NONE", **each} for each in ebs.get("tagSpecifications") or ()]
    return {**item, "managedEBSVolume": {"filesystemType": "xfs", **ebs, "tagSpecifications": specifications}}


def _service_connect(desired: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceConnectConfiguration.html"""
    if not desired.get("enabled"):
        return {"enabled": False}
    filled = dict(desired)
    if filled.get("services"):
        filled["services"] = [{"discoveryName": item.get("portName"), **item} for item in filled["services"]]
    if filled.get("accessLogConfiguration"):
        filled["accessLogConfiguration"] = {"includeQueryParameters": "DISABLED", **filled["accessLogConfiguration"]}
    return filled


def _each(complete: t.Callable[[Resource], Options]) -> t.Callable[[t.Any], t.Any]:
    return lambda items: [complete(item) for item in items]


_FILLERS: t.Mapping[str, t.Callable[[t.Any], t.Any]] = {
    "capacity_provider_strategy": _each(_strategy_item),
    "network_configuration": _network,
    "placement_strategy": _each(_placement),
    "service_connect_configuration": _service_connect,
    "volume_configurations": _each(_volume),
}
