# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as AWS keeps them and answers as AWS gives them: completed, spelled otherwise, and in another order. Pure.

What it knows of AWS is in public reports: terraform-provider-aws 9777, 39533, 41394 and 43905, amazon-ecs-deploy-task-
definition 224, copilot-cli 2887, and the API reference. It is written apart from the collection's own idea of AWS.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

Json = dict[str, Any]

# Lists that AWS answers in an order of its own.
UNORDERED = {
    *("Attributes", "Rules", "ScheduledActions", "ScalingPolicies", "Services", "TagList", "Tags", "Values"),
    *("AvailabilityZones", "TargetGroupARNs"),
    *("capacityProviders", "capacityProviderStrategy", "defaultCapacityProviderStrategy", "settings", "tags"),
    *("dependsOn", "environment", "mountPoints", "portMappings", "secrets", "systemControls", "ulimits"),
    *("requiresCompatibilities", "volumes"),
    *("loadBalancers", "placementConstraints", "securityGroups", "subnets"),
}
EMPTY_LISTS = ("environment", "mountPoints", "portMappings", "systemControls", "volumesFrom")
BREAKER: Json = {
    "enable": False,
    "rollback": False,
    "resetOnHealthyTask": True,
    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
}
MANAGED_SCALING = {
    "status": "DISABLED",
    "targetCapacity": 100,
    "minimumScalingStepSize": 1,
    "maximumScalingStepSize": 10000,
    "instanceWarmupPeriod": 300,
}
# Called with what was rewritten, and how often.
Note = Callable[..., None]
Namespaces = Callable[[str], str]


def ignore(_kind: str, _count: int = 1) -> None:
    """For those who count nothing."""


class Place(NamedTuple):
    """Whose resources, and where. `namespace` finds the ARN of a namespace by its name."""

    region: str
    account: str
    namespace: Namespaces
    note: Note = ignore


def request(operation: str, members: Json, place: Place) -> Json:
    """A request as AWS keeps it; other operations are kept as they are."""
    rewrite = {
        "RegisterTaskDefinition": definition,
        "CreateCapacityProvider": provider,
        "SetRepositoryPolicy": policy,
        "CreateService": names_of_service,
        "UpdateService": names_of_service,
        "CreateCluster": names_of_cluster,
        "UpdateCluster": names_of_cluster,
    }.get(operation)
    return rewrite(dict(members), place) if rewrite else members


def definition(members: Json, place: Place) -> Json:
    for name in ("taskRoleArn", "executionRoleArn"):
        if members.get(name) and not members[name].startswith("arn:"):
            place.note("role")
            members[name] = f"arn:aws:iam::{place.account}:role/{members[name].lstrip('/')}"
    shared = members.get("networkMode") in ("awsvpc", "host") or "FARGATE" in members.get("requiresCompatibilities", ())
    containers = members.get("containerDefinitions", ())
    members["containerDefinitions"] = [container(item, shared, place.note) for item in containers]
    members["volumes"] = [volume(item, place.note) for item in members.get("volumes", ())]
    return members


def container(item: Json, shared: bool, note: Note = ignore) -> Json:
    """`shared`: with the host or the task, whose port is the container's then."""
    variables = {one["name"]: one for one in item.get("environment", ()) if "value" in one}
    note("variable dropped", len(item.get("environment", ())) - len(variables))
    filled = {"cpu": 0, "essential": True, **{name: [] for name in EMPTY_LISTS}, **item}
    filled["environment"] = list(variables.values())
    if "firelensConfiguration" in filled and "user" not in filled:
        note("log router")
        filled["user"] = "0"
    if "healthCheck" in filled:
        note("health check")
        filled["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **filled["healthCheck"]}
    filled["portMappings"] = [
        {"protocol": "tcp", "hostPort": port.get("containerPort", 0) if shared else 0, **port}
        for port in filled["portMappings"]
    ]
    filled["mountPoints"] = [{"readOnly": False, **mount} for mount in filled["mountPoints"]]
    return filled


def volume(item: Json, note: Note = ignore) -> Json:
    if "dockerVolumeConfiguration" in item:
        note("docker volume")
        filled = {"scope": "task", "autoprovision": False, "driver": "local", **item["dockerVolumeConfiguration"]}
        return {**item, "dockerVolumeConfiguration": filled}
    if "efsVolumeConfiguration" in item:
        return {**item, "efsVolumeConfiguration": {"rootDirectory": "/", **item["efsVolumeConfiguration"]}}
    return {"host": {}, **item}


def provider(members: Json, place: Place) -> Json:
    group = dict(members.get("autoScalingGroupProvider", {}))
    if not group:
        return members
    name = group.get("autoScalingGroupArn", "")
    if name and not name.startswith("arn:"):
        place.note("group")
        prefix = f"arn:aws:autoscaling:{place.region}:{place.account}:autoScalingGroup"
        group["autoScalingGroupArn"] = f"{prefix}:{uuid.UUID(int=0)}:autoScalingGroupName/{name}"
    scaling = {**MANAGED_SCALING, **group.get("managedScaling", {})}
    defaults = {"managedTerminationProtection": "DISABLED", "managedDraining": "ENABLED"}
    return {**members, "autoScalingGroupProvider": {**defaults, **group, "managedScaling": scaling}}


def policy(members: Json, place: Place) -> Json:
    """A principal that is an account is answered as its root, statements and their members in another order."""
    place.note("policy")
    document = json.loads(members["policyText"])
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    for statement in statements:
        principal = statement.get("Principal")
        if isinstance(principal, dict) and str(principal.get("AWS", "")).isdigit():
            principal["AWS"] = f"arn:aws:iam::{principal['AWS']}:root"
    return {**members, "policyText": json.dumps({**document, "Statement": statements}, indent=2, sort_keys=True)}


def names_of_service(members: Json, place: Place) -> Json:
    return _with_namespace(members, "serviceConnectConfiguration", place)


def names_of_cluster(members: Json, place: Place) -> Json:
    return _with_namespace(members, "serviceConnectDefaults", place)


def _with_namespace(members: Json, member: str, place: Place) -> Json:
    given = members.get(member) or {}
    name = given.get("namespace", "")
    if not name or name.startswith("arn:"):
        return members
    place.note("namespace")
    return {**members, member: {**given, "namespace": place.namespace(name)}}


def service(item: Json, note: Note = ignore) -> None:
    """Completes a service in an answer with the defaults of its deployments."""
    percents = (100, 0) if item.get("schedulingStrategy") == "DAEMON" else (200, 100)
    given = item.get("deploymentConfiguration") or {}
    note("deployment configuration")
    item["deploymentConfiguration"] = {
        "maximumPercent": percents[0],
        "minimumHealthyPercent": percents[1],
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        **given,
        "deploymentCircuitBreaker": {**BREAKER, **given.get("deploymentCircuitBreaker", {})},
    }
    strategy = item.get("capacityProviderStrategy") or ()
    item["capacityProviderStrategy"] = [{"weight": 0, "base": 0, **one} for one in strategy]


def zone_rebalancing(members: Json) -> str:
    """What a new service gets that does not say it."""
    return "DISABLED" if members.get("schedulingStrategy") == "DAEMON" else "ENABLED"


class Order:
    """Puts the lists of answers into another order, where AWS does not keep one."""

    def __init__(self, seed: int, note: Note = ignore) -> None:
        self._random, self._note = random.Random(seed), note

    def shuffled(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self.shuffled(member, key) for key, member in value.items()}
        if not isinstance(value, list):
            return value
        return self.in_other_order([self.shuffled(element, name) for element in value], name)

    def in_other_order(self, elements: list[Any], name: str) -> list[Any]:
        if name not in UNORDERED or len(elements) < 2:
            return elements
        order = self._random.sample(elements, len(elements))
        if order != elements:
            self._note("order")
        return order
