# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service is, what is asked of it, and the requests that lead from one to the other.

A service is a plain dict: options (`desired_count`) at the top, AWS's spelling below. The defaults are those of
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html and of the pages of its members.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from ..._core import tags as tagging
from ..._core.errors import SlipwayError
from ..._core.names import CAPACITY_PROVIDER, KEY, NAMESPACE, PARAMETER, ROLE, Kind, Names, home_of
from ..._core.plan import UNKNOWN, Plan, Resource, Sets, compare, normalise
from ..._core.shapes import Shape, to_members, to_options
from ..._core.types import Json
from ..limits import FARGATE
from ..rollout.judge import primary

IMMUTABLE = "immutable"

# Order means nothing in these lists. It does in placement_strategy.
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

# What AWS takes by name or by ARN.
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

# What a service has when AWS shows nothing. (A new one gets availabilityZoneRebalancing ENABLED, and shows it.)
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

# AWS shows these only at the deployments, not at the service itself.
_AT_THE_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")

# What UpdateService takes from services of other deployment controllers.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
_UPDATABLE: t.Mapping[str, frozenset[str]] = {
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

_ZONE = "ecs.availability-zone"
_ZONE_SPREAD = {"type": "spread", "field": f"attribute:{_ZONE}"}

Options = dict[str, t.Any]


@dataclass(frozen=True)
class ServicePlan:
    """The comparison, and what has to be called for it. `blocked` names what AWS cannot change in place."""

    plan: Plan
    action: t.Literal["none", "create", "update", "recreate"]
    request: Options
    put_tags: dict[str, str]
    remove_tags: list[str]
    blocked: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.action != "none"


@dataclass(frozen=True)
class DesiredService:
    """The options that are asked for, and how far to go for them."""

    options: Options
    purge_tags: bool = True
    force_new_deployment: bool = False
    recreate: bool = False


@dataclass(frozen=True)
class Shapes:
    """botocore's shapes of the two requests."""

    create: Shape
    update: Shape


def exists(service: t.Mapping[str, t.Any] | None) -> bool:
    """False for a service that is not there or is only remembered by AWS (INACTIVE)."""
    return bool(service) and (service or {}).get("status") != "INACTIVE"


def to_result(service: t.Mapping[str, t.Any]) -> Options:
    """A service as modules return it: AWS's answer under option names, tags as a dict, the ten latest events."""
    result = to_options(service)
    result["tags"] = tagging.from_list(service.get("tags"))
    result["events"] = list(service.get("events") or ())[:10]
    return result


def from_api(service: Json, monitoring: t.Any = None) -> Options:
    """The options that an existing service stands for, with the defaults where AWS shows nothing."""
    shapes = dict(service)
    first = primary(service) or {}
    for member in _AT_THE_DEPLOYMENT:
        if first.get(member) and not shapes.get(member):
            shapes[member] = first[member]
    options = {name: value for name, value in to_options(shapes).items() if value is not None and value != ""}
    options["tags"] = tagging.from_list(service.get("tags"))
    options["role"] = options.pop("role_arn", None)
    options["monitoring"] = monitoring
    return {**DEFAULTS, **options}


def plan_service(current: Options | None, desired: DesiredService, shapes: Shapes) -> ServicePlan:
    """Plan the way from `current` (None: nothing there) to what is wished, both as options."""
    if current is None:
        return _creation(desired.options, shapes.create)
    wanted = keep_aws_values(desired.options, current)
    wanted["tags"] = tagging.desired(current["tags"], desired.options.get("tags"), desired.purge_tags)
    filled_current = fill(current, current["scheduling_strategy"])
    filled = fill(wanted, str(wanted.get("scheduling_strategy") or current["scheduling_strategy"]))
    plan = compare(normalise(filled_current, SETS), normalise(filled, SETS), SETS)
    blocked = _blocked(plan, current, shapes.update)
    if blocked and desired.recreate:
        return _recreation(plan, current, wanted, shapes.create, blocked)
    request = _update_request(plan, wanted, filled, filled_current, shapes.update)
    if desired.force_new_deployment:
        plan = Plan(plan.before, {**plan.after, "force_new_deployment": True}, plan.predicted)
    if desired.force_new_deployment or "capacity_provider_strategy" in plan.members:
        # AWS moves a service between providers only with a new deployment.
        request["forceNewDeployment"] = True
    put, remove = tagging.changes(current["tags"], wanted["tags"]) if wanted["tags"] is not None else ({}, [])
    return ServicePlan(plan, "update" if plan.changed else "none", request, put, remove, blocked)


def refuse_blocked(planned: ServicePlan, name: str) -> None:
    """Fail when the plan needs what AWS cannot do."""
    if not planned.blocked or planned.action == "recreate":
        return
    names = ", ".join(planned.blocked)
    advice = ""
    if "launch_type" in planned.blocked:
        advice = " To move it to other capacity in place, use capacity_provider_strategy instead of launch_type."
    raise SlipwayError(
        IMMUTABLE,
        f"AWS cannot change {names} of the existing service {name}. With recreate=true ecs_service deletes it and"
        f" makes it anew, which interrupts it.{advice}",
        {"immutable": list(planned.blocked), "diff": planned.plan.diff},
    )


def _creation(asked: Options, shape: Shape) -> ServicePlan:
    wanted = {name: value for name, value in asked.items() if value is not None}
    if wanted.get("scheduling_strategy", "REPLICA") == "REPLICA":
        wanted.setdefault("desired_count", 1)
    plan = compare(None, normalise(wanted, SETS), SETS)
    new = {"availability_zone_rebalancing": _rebalancing(wanted), "service_arn": UNKNOWN}
    predicted = {**DEFAULTS, **new, **plan.predicted}
    return ServicePlan(Plan(plan.before, plan.after, predicted), "create", _members(shape, wanted), {}, [])


def _rebalancing(options: Options) -> str:
    """What AWS gives a new service that does not ask: ENABLED where its tasks can be moved to another zone.

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


def _recreation(plan: Plan, current: Options, wanted: Options, shape: Shape, blocked: tuple[str, ...]) -> ServicePlan:
    """Make the service anew with all that it has and all that is asked."""
    kept = {name: value for name, value in current.items() if value not in (None, [], {})}
    if "aws-service-role/" in str(kept.get("role")):
        kept.pop("role")
    if kept.get("service_connect_configuration") == {"enabled": False}:
        kept.pop("service_connect_configuration")
    request = {**kept, **{name: value for name, value in wanted.items() if value is not None}}
    if request.get("capacity_provider_strategy"):
        request.pop("launch_type", None)
    else:
        request.pop("capacity_provider_strategy", None)
    if request.get("scheduling_strategy") == "DAEMON":
        request.pop("desired_count", None)
    return ServicePlan(plan, "recreate", _members(shape, request), {}, [], blocked)


def _members(shape: Shape, options: Options) -> Options:
    members = to_members(shape, options)
    if "tags" in members:
        members["tags"] = tagging.to_list(options["tags"])
    return members


def _update_request(plan: Plan, wanted: Options, filled: Options, current: Options, shape: Shape) -> Options:
    changed = {
        name: _with_resets(wanted[name], filled[name], current.get(name))
        for name in plan.members
        if wanted.get(name) is not None
    }
    return to_members(shape, changed)


def _with_resets(asked: t.Any, filled: t.Any, current: t.Any) -> t.Any:
    """What is asked, and of what is not asked only those defaults that the service does not have already."""
    if not (isinstance(asked, dict) and isinstance(filled, dict)):
        return asked
    had = current if isinstance(current, dict) else {}
    return {
        name: _with_resets(asked[name], value, had.get(name)) if name in asked else value
        for name, value in filled.items()
        if name in asked or value != had.get(name)
    }


def _blocked(plan: Plan, current: Options, update_shape: Shape) -> tuple[str, ...]:
    updatable = {*to_options(update_shape.members), "tags"}
    names = {name for name in plan.members if name not in updatable}
    if current.get("capacity_provider_strategy"):
        # An empty strategy leads back to the launch type.
        names.discard("launch_type")
    controller = str(current["deployment_controller"].get("type"))
    if controller in _UPDATABLE and "deployment_controller" not in plan.members:
        names |= plan.members - _UPDATABLE[controller]
    return tuple(sorted(names))


def _is_fargate_alone(strategy: t.Any) -> bool:
    """A strategy that means the same as the launch type."""
    return bool(strategy) and all(item["capacityProvider"] == FARGATE for item in strategy)


def keep_aws_values(asked: Options, current: Options) -> Options:
    """What is asked, completed from the service where AWS itself chooses a value that nobody can know beforehand."""
    given = {name: value for name, value in asked.items() if value is not None}
    wanted: Options = copy.deepcopy(Names(KINDS, SETS, home_of(current.get("service_arn"))).keep(given, current))
    if wanted.get("launch_type") == FARGATE and _is_fargate_alone(current.get("capacity_provider_strategy")):
        del wanted["launch_type"]
    elif wanted.get("launch_type") and current.get("capacity_provider_strategy"):
        wanted.setdefault("capacity_provider_strategy", [])
    if wanted.get("deployment_configuration", {}).get("strategy", "ROLLING") != "ROLLING":
        _leave(wanted["deployment_configuration"], current["deployment_configuration"], "bakeTimeInMinutes")
    vpc = (wanted.get("network_configuration") or {}).get("awsvpcConfiguration")
    if isinstance(vpc, dict):
        _leave(vpc, (current.get("network_configuration") or {}).get("awsvpcConfiguration"), "securityGroups")
    _keep_service_connect(wanted.get("service_connect_configuration"), current["service_connect_configuration"])
    if current["deployment_controller"].get("type") == "CODE_DEPLOY":
        # CodeDeploy swaps the target groups at each of its deployments.
        _keep_each(
            wanted.get("load_balancers"),
            current["load_balancers"],
            ("containerName", "containerPort"),
            "targetGroupArn",
            replace=True,
        )
    return wanted


def _keep_service_connect(wanted: t.Any, current: Resource) -> None:
    if not isinstance(wanted, dict) or not wanted.get("enabled"):
        return
    _leave(wanted, current, "namespace")
    _keep_each(wanted.get("services"), current.get("services"), ("portName",), "clientAliases")
    olds = {service.get("portName"): service for service in current.get("services") or ()}
    for service in wanted.get("services") or ():
        old = olds.get(service.get("portName"), {})
        _keep_each(service.get("clientAliases"), old.get("clientAliases"), ("port",), "dnsName")


def _keep_each(wanted: t.Any, current: t.Any, identity: tuple[str, ...], member: str, *, replace: bool = False) -> None:
    olds = {tuple(item.get(name) for name in identity): item for item in current or ()}
    for item in wanted or ():
        old = olds.get(tuple(item.get(name) for name in identity))
        if replace and old and member in old:
            item[member] = old[member]
        _leave(item, old, member)


def _leave(wanted: Options, current: t.Any, member: str) -> None:
    if wanted.get(member) is None and current and current.get(member) is not None:
        wanted[member] = current[member]


def fill(options: Resource, scheduling: str) -> Options:
    """The options with the defaults that AWS fills into the members that are there."""
    filled = dict(options)
    for name, complete in _FILLERS.items():
        if filled.get(name) is not None:
            filled[name] = complete(filled[name])
    if filled.get("deployment_configuration") is not None:
        filled["deployment_configuration"] = _deployment(filled["deployment_configuration"], scheduling)
    return filled


def _deployment(asked: Resource, scheduling: str) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"""
    percents = (100, 0) if scheduling == "DAEMON" else (200, 100)
    filled: Options = {
        "strategy": "ROLLING",
        "maximumPercent": percents[0],
        "minimumHealthyPercent": percents[1],
        "lifecycleHooks": [],
        **asked,
    }
    strategy = filled["strategy"]
    if strategy == "ROLLING":
        filled.setdefault("bakeTimeInMinutes", 0)
    filled["deploymentCircuitBreaker"] = _breaker(asked.get("deploymentCircuitBreaker") or {})
    filled["alarms"] = {"alarmNames": [], "enable": False, "rollback": False, **(asked.get("alarms") or {})}
    early = {"enable": False, **(asked.get("earlySuccessCriteria") or {})}
    filled["earlySuccessCriteria"] = early if early["enable"] else {"enable": False}
    filled["lifecycleHooks"] = [_hook(hook) for hook in filled["lifecycleHooks"] or ()]
    for name, member, defaults in (
        ("LINEAR", "linearConfiguration", {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}),
        ("CANARY", "canaryConfiguration", {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}),
    ):
        filled.pop(member, None)
        if strategy == name:
            filled[member] = {**defaults, **(asked.get(member) or {})}
    return filled


def _breaker(asked: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html"""
    return {
        "enable": False,
        "rollback": False,
        "resetOnHealthyTask": True,
        "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
        **asked,
    }


def _hook(hook: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHook.html"""
    timeout = {"timeoutInMinutes": 1440, "action": "ROLLBACK", **(hook.get("timeoutConfiguration") or {})}
    return {"targetType": "AWS_LAMBDA", **hook, "timeoutConfiguration": timeout}


def _network(asked: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html"""
    vpc = asked.get("awsvpcConfiguration")
    return {**asked, "awsvpcConfiguration": {"assignPublicIp": "DISABLED", **vpc}} if vpc else dict(asked)


def _strategy_item(item: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html"""
    return {"weight": 0, "base": 0, **item}


def _placement(item: Resource) -> Options:
    """AWS knows `host` under two names, and shows binpack's fields in upper case.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PlacementStrategy.html
    """
    field = str(item.get("field") or "")
    if item.get("type") == "binpack":
        field = field.lower()
    shown_field = "instanceId" if field == "host" else field
    return {**item, "field": shown_field} if shown_field else {"type": item.get("type")}


def _volume(item: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceManagedEBSVolumeConfiguration.html"""
    ebs = item.get("managedEBSVolume")
    if not ebs:
        return dict(item)
    specifications = [{"propagateTags": "NONE", **each} for each in ebs.get("tagSpecifications") or ()]
    return {**item, "managedEBSVolume": {"filesystemType": "xfs", **ebs, "tagSpecifications": specifications}}


def _service_connect(asked: Resource) -> Options:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceConnectConfiguration.html"""
    if not asked.get("enabled"):
        return {"enabled": False}
    filled = dict(asked)
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
