# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capacity providers as plain dicts: what AWS fills in, what it cannot change, when it is done. Pure.

The defaults are those of API_AutoScalingGroupProvider and API_ManagedScaling
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/).
"""

from __future__ import annotations

import typing as t

from ..._core.error_codes import CAPACITY_PROVIDER_FAILED, IMMUTABLE, INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.names import AUTO_SCALING_GROUP, INSTANCE_PROFILE, ROLE, Kind, Names, home_of
from ..._core.plan import UNKNOWN, Plan, Resource, Sets, normalise
from ..._core.shapes import Shape, to_options
from ..._core.tags import from_list
from ..._core.types import Json

GROUP = "auto_scaling_group_provider"
PROVIDERS = (GROUP, "managed_instances_provider")
# Prefixes that AWS reserves.
RESERVED = ("aws", "ecs", "fargate")

SETS: Sets = dict.fromkeys(
    (
        "subnets",
        "securityGroups",
        "cpuManufacturers",
        "excludedInstanceTypes",
        "instanceGenerations",
        "localStorageTypes",
        "acceleratorTypes",
        "acceleratorManufacturers",
        "acceleratorNames",
        "allowedInstanceTypes",
    ),
    (),
)
# What AWS takes by name or by ARN.
KINDS: t.Mapping[str, Kind] = {
    f"{GROUP}.autoScalingGroupArn": AUTO_SCALING_GROUP,
    "managed_instances_provider.infrastructureRoleArn": ROLE,
    "instanceLaunchTemplate.ec2InstanceProfileArn": INSTANCE_PROFILE,
}
# What a new one has that was not requested.
NEW: Json = {"arn": UNKNOWN, "status": "ACTIVE", "tags": {}, **{name: {} for name in PROVIDERS}}
SCALING: Json = {
    "status": "DISABLED",
    "targetCapacity": 100,
    "minimumScalingStepSize": 1,
    "maximumScalingStepSize": 10000,
    "instanceWarmupPeriod": 300,
}


def from_api(answer: Resource) -> Json:
    """A capacity provider of AWS's under the names of the module's result. Emulators leave members out."""
    options = to_options(answer)
    found = {
        "name": options["name"],
        "arn": options["capacity_provider_arn"],
        "status": options.get("status", ""),
        "cluster": options.get("cluster", ""),
        "tags": from_list(options.get("tags")),
    }
    return {**found, **canonical({name: options.get(name) or {} for name in PROVIDERS})}


def canonical(members: Resource) -> Json:
    """The one form of all that mean the same to AWS."""
    filled = dict(members)
    group = filled.get(GROUP)
    if isinstance(group, dict) and group:
        # Settings for scaling imply that it is enabled.
        given = group.get("managedScaling") or {}
        scaling = {**SCALING, **({"status": "ENABLED"} if given else {}), **given}
        filled[GROUP] = {"managedTerminationProtection": "DISABLED", **group, "managedScaling": scaling}
    return normalise(filled, SETS)


def merge(old: t.Any, new: t.Any) -> t.Any:
    """`new`, with the members of `old` that it does not name."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{name: merge(old.get(name), value) for name, value in new.items()}}


def completed(current: Resource | None, params: Resource) -> Json:
    """The given options, completed with the current values."""
    given = {name: params[name] for name in PROVIDERS if params[name] is not None}
    return {name: merge(current[name], value) for name, value in given.items()} if current else given


def desired(current: Resource | None, options: Resource) -> Json:
    """What completed `options` ask for, names spelled as AWS answers them."""
    return canonical(
        Names(KINDS, SETS, home_of(current.get("arn"))).keep(dict(options), current) if current else options
    )


def validate(name: str) -> None:
    """Fail with a name that AWS reserves."""
    if name.lower().startswith(RESERVED):
        raise SlipwayError(
            INVALID_OPTION, f"name: expected a name without the reserved prefixes {', '.join(RESERVED)}, got '{name}'."
        )


def refuse_invalid(name: str, options: Resource, is_new: bool) -> None:
    """Fail with what AWS would refuse."""
    if is_new and not any(options.get(provider) for provider in PROVIDERS):
        raise SlipwayError(
            INVALID_OPTION, f"Expected one of {', '.join(PROVIDERS)} for the new capacity provider {name}, got neither."
        )
    group = options.get(GROUP) or {}
    protected = group.get("managedTerminationProtection") == "ENABLED"
    if protected and (group.get("managedScaling") or {}).get("status") == "DISABLED":
        raise SlipwayError(
            INVALID_OPTION,
            f"{GROUP}: expected managedScaling with managedTerminationProtection, got DISABLED. Without"
            " managedScaling, scale-in would stop.",
        )


def refuse_immutable(name: str, planned: Plan, request: Shape) -> None:
    """Fail where the plan changes what UpdateCapacityProvider does not take."""
    fixed = sorted(
        path
        for provider in PROVIDERS
        for side in (planned.before, planned.after)
        if isinstance(side.get(provider), dict)
        for path in _unknown(side[provider], request.members[_member(provider)], provider)
    )
    if fixed:
        names = ", ".join(dict.fromkeys(fixed))
        raise SlipwayError(
            IMMUTABLE,
            f"AWS cannot change {names} of the capacity provider {name}. Delete it with state=absent and recreate it.",
            {"immutable": list(dict.fromkeys(fixed)), "diff": planned.diff},
        )


def update_request(planned: Plan, request: Shape) -> Json:
    """What UpdateCapacityProvider takes of the members that differ."""
    members = {_member(name): planned.predicted[name] for name in PROVIDERS if name in planned.members}
    return {member: _fitting(value, request.members[member]) for member, value in members.items()}


def _member(option: str) -> str:
    first, *others = option.split("_")
    return first + "".join(word.capitalize() for word in others)


def _unknown(value: t.Mapping[str, t.Any], shape: Shape, path: str) -> t.Iterator[str]:
    for name, member in value.items():
        if name not in shape.members:
            yield f"{path}.{name}"
        elif isinstance(member, dict):
            yield from _unknown(member, shape.members[name], f"{path}.{name}")


def _fitting(value: t.Any, shape: Shape) -> t.Any:
    if not isinstance(value, dict):
        return value
    return {name: _fitting(item, shape.members[name]) for name, item in value.items() if name in shape.members}


def is_deleted(provider: Resource | None) -> bool:
    """AWS shows a deleted one for a while. A SlipwayError where it could not delete it."""
    if provider is None:
        return True
    _refuse_failed(provider)
    return provider.get("status") == "INACTIVE" and provider.get("updateStatus") != "DELETE_IN_PROGRESS"


def is_deleting(provider: Resource | None) -> bool:
    """True from the moment it is deleted on."""
    state = provider or {}
    return state.get("status") in ("INACTIVE", "DEPROVISIONING") or state.get("updateStatus") == "DELETE_IN_PROGRESS"


def is_stable(provider: Resource | None) -> bool:
    """True when AWS has carried out all changes; a SlipwayError when it failed."""
    if provider is None:
        return False
    _refuse_failed(provider)
    return provider.get("status") == "ACTIVE" and not is_busy(provider)


def is_busy(provider: Resource | None) -> bool:
    state = provider or {}
    return str(state.get("updateStatus")).endswith("_IN_PROGRESS") or state.get("status") == "PROVISIONING"


def _refuse_failed(provider: Resource) -> None:
    status = str(provider.get("updateStatus"))
    if status.endswith("_FAILED"):
        reason = provider.get("updateStatusReason") or "AWS gives no reason"
        raise SlipwayError(
            CAPACITY_PROVIDER_FAILED,
            f"AWS failed to {status.partition('_')[0].lower()} the capacity provider {provider['name']}: {reason}.",
            {"status": provider.get("status"), "update_status": status},
        )


def without(cluster: Resource, name: str) -> Json | None:
    """The request that takes a provider from a cluster; None where the cluster does not have it."""
    providers = cluster.get("capacityProviders") or []
    if name not in providers:
        return None
    strategy = [
        item for item in cluster.get("defaultCapacityProviderStrategy") or () if item["capacityProvider"] != name
    ]
    return {
        "cluster": cluster["clusterName"],
        "capacityProviders": [provider for provider in providers if provider != name],
        "defaultCapacityProviderStrategy": strategy,
    }


def belonging(instances: t.Iterable[Json], name: str) -> list[Json]:
    """The container instances that a provider brought."""
    return [instance for instance in instances if instance.get("capacityProviderName") == name]


def is_drained(instances: t.Iterable[Json]) -> bool:
    """True when no task is left on any of them."""
    return not any(_tasks(instance) for instance in instances)


def host(instance: Json) -> Json:
    """A container instance as a failure shows it."""
    members = {"instance": "ec2InstanceId", "status": "status", "running": "runningTasksCount"}
    return {name: instance.get(member) for name, member in members.items()}


def _tasks(instance: Json) -> int:
    return int(instance.get("runningTasksCount") or 0) + int(instance.get("pendingTasksCount") or 0)
