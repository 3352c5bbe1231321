# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is not a service: one line for each resource. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from ..._core.types import Json
from .project import Project

# Services have a status of their own, and show their task definition.
ELSEWHERE = {"service", "task definition"}
# Where a kind has its state, and what else people want to know of it.
STATES = ("Status", "status", "State")
BROKEN = {
    *("failed", "active_impaired", "stopped", "stopping", "error", "blackhole", "impaired"),
    *("expired", "revoked", "validation_timed_out", "inactive", "pending_validation", "rejected"),
}
Describe = t.Callable[[Json], t.Iterable[str]]


def resource_status(resource: Json) -> Json:
    """The status of a resource, as the module documents it."""
    details = resource["details"]
    state = _state(details)
    describe = KINDS.get(resource["kind"], _nothing)
    return {
        "kind": resource["kind"],
        "name": resource["name"],
        "id": resource["id"],
        "role": resource["role"],
        "state": state,
        "summary": ", ".join(text for text in describe(details) if text),
        "needs_attention": (state or "") in BROKEN,
    }


def resources(project: Project) -> list[Json]:
    return [resource_status(one) for one in project.read["resources"] if one["kind"] not in ELSEWHERE]


def _state(details: Json) -> str | None:
    """The state in lower case; of a load balancer and an instance it is in a member."""
    found = next((details[name] for name in STATES if details.get(name)), None)
    if isinstance(found, dict):
        found = found.get("Code") if isinstance(found.get("Code"), str) else found.get("Name")
    return str(found).lower() if found else None


def _nothing(_details: Json) -> t.Iterable[str]:
    return ()


def counted(number: t.Any, what: str) -> str:
    return f"{number} {what if number == 1 else f'{what}s'}"


def members(*names: str) -> Describe:
    """A description that lists these members."""
    return lambda details: (str(details.get(name) or "") for name in names)


def _cluster(details: Json) -> t.Iterable[str]:
    yield counted(details.get("activeServicesCount", 0), "service")
    yield counted(details.get("runningTasksCount", 0), "running task")
    if details.get("registeredContainerInstancesCount"):
        yield counted(details["registeredContainerInstancesCount"], "host")


def _target_group(details: Json) -> t.Iterable[str]:
    yield f"{details.get('Protocol', '')} {details.get('Port', '')}".strip()
    if (targets := details.get("TargetHealth")) is not None:
        states = Counter(one["TargetHealth"]["State"] for one in targets)
        yield ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no targets"


def _repository(details: Json) -> t.Iterable[str]:
    if (images := details.get("images")) is not None:
        yield counted(len(images), "image")


def _scaling_group(details: Json) -> t.Iterable[str]:
    running = sum(one.get("LifecycleState") == "InService" for one in details.get("Instances") or ())
    yield f"{running} of {counted(details.get('DesiredCapacity', 0), 'host')}"


def _volume(details: Json) -> t.Iterable[str]:
    yield f"{details.get('Size')} GiB"
    yield str(details.get("VolumeType") or "")


def _log_group(details: Json) -> t.Iterable[str]:
    days = details.get("retentionInDays")
    yield f"kept {counted(days, 'day')}" if days else "kept forever"


def _nat_gateway(details: Json) -> t.Iterable[str]:
    return (str(one.get("PublicIp") or "") for one in details.get("NatGatewayAddresses") or ())


def _security_group(details: Json) -> t.Iterable[str]:
    yield f"{len(details.get('IpPermissions') or ())} inbound, {len(details.get('IpPermissionsEgress') or ())} outbound"


def _route_table(details: Json) -> t.Iterable[str]:
    yield counted(len(details.get("Routes") or ()), "route")


def _schedule_group(details: Json) -> t.Iterable[str]:
    yield counted(len(details.get("schedules") or ()), "schedule")


KINDS: dict[str, Describe] = {
    "Auto Scaling group": _scaling_group,
    "VPC": members("CidrBlock"),
    "VPC endpoint": members("ServiceName"),
    "NAT gateway": _nat_gateway,
    "certificate": members("DomainName", "NotAfter"),
    "cluster": _cluster,
    "elastic IP": members("PublicIp"),
    "instance": members("InstanceType", "PublicIpAddress"),
    "listener rule": members("LoadBalancerName", "Port", "Priority"),
    "load balancer": members("Scheme"),
    "log group": _log_group,
    "namespace": members("Type"),
    "parameter": members("Type"),
    "repository": _repository,
    "route table": _route_table,
    "schedule group": _schedule_group,
    "security group": _security_group,
    "subnet": members("CidrBlock", "AvailabilityZone"),
    "target group": _target_group,
    "volume": _volume,
}
