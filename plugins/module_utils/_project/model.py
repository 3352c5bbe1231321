# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project's resources as `project_info` returns them: roles, ARNs, and what could not be read. Pure."""

from __future__ import annotations

import datetime
import typing as t

from .._core.errors import SlipwayError
from .._core.names import Home
from .._core.tags import REGION, ROLE, Tags, belongs_to
from .._core.types import Json

R = t.TypeVar("R", bound="Found")
# The tag of the playbooks under which a role runs.
TAGS = {
    "docker_instance": "docker_instance",
    "ecr_registry": "registry",
    "ecs_app": "service",
    "ecs_cluster": "cluster",
    "ecs_load_balancer": "load_balancer",
    "ecs_network": "network",
    "service_discovery": "discovery",
}
# The role of this collection whose resources no tag of the site creates or deletes.
DEPLOYER = "deployer"
# On what an Auto Scaling group starts: by AWS.
GROUP_TAG = "aws:autoscaling:groupName"
# IAM's names for services, where boto3 has others, and for operations.
PREFIXES = {"elbv2": "elasticloadbalancing"}
ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
}


class Kind(t.Protocol):
    """A kind of resource, and the role that creates it."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


class Found(t.Protocol):
    """A resource as it was read."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> Tags: ...
    @property
    def holds(self) -> str: ...
    @property
    def details(self) -> t.Mapping[str, t.Any]: ...


def is_owned(tags: Tags, project: str, region: str) -> bool:
    """Whether a resource is of the project's site in this region. The roles of deployers outlive the site."""
    return belongs_to(tags, project) and tags.get(REGION, region) == region and tags.get(ROLE) != DEPLOYER


def entry(kind: Kind, one: Found, hosts: t.Mapping[str, str]) -> Json:
    """A resource as it is returned. `hosts` are the roles of instances, by id."""
    role = role_of(kind, one, hosts)
    return {
        "kind": kind.name,
        "tag": TAGS[role],
        "role": role,
        "id": one.id,
        "name": one.name,
        "holds": one.holds,
        "tags": one.tags,
    }


def role_of(kind: Kind, one: Found, hosts: t.Mapping[str, str]) -> str:
    """Hosts of a cluster are of the same kinds as the Docker host: instance, volume, IAM role, instance profile."""
    if kind.name == "instance" and GROUP_TAG in one.tags:
        return "ecs_cluster"
    attached = [hosts[a["InstanceId"]] for a in one.details.get("Attachments") or () if a.get("InstanceId") in hosts]
    if kind.name == "volume" and attached:
        return attached[0]
    role = one.tags.get(ROLE, "")
    return role if role in TAGS else kind.role


def ordered(found: t.Iterable[R]) -> list[R]:
    return sorted(found, key=lambda one: (one.name, one.id))


def arn_of(service: str, prefix: str, identity: str, home: Home) -> str:
    """The ARN of a resource where AWS answers none."""
    if service == "s3":
        return f"arn:{home.partition}:s3:::{identity}"
    return f"arn:{home.partition}:{service}:{home.region}:{home.account}:{prefix}{identity}"


def action_of(service: str, operation: str) -> str:
    """What IAM calls an operation."""
    if not operation:
        return ""
    return f"{PREFIXES.get(service, service)}:{ACTIONS.get(operation, operation)}"


def unknown(kind: str, role: str, action: str, error: SlipwayError) -> Json:
    """What could not be read, and why."""
    return {"kind": kind, "tag": TAGS[role], "role": role, "action": action, "code": error.code, "message": error.msg}


def distinct(entries: t.Iterable[Json]) -> list[Json]:
    """One entry for each kind, action and code: the same call fails for many resources."""
    found: dict[tuple[str, str, str], Json] = {}
    for one in entries:
        found.setdefault((one["kind"], one["action"], one["code"]), one)
    return list(found.values())


def plain(value: t.Any) -> t.Any:
    """An answer as JSON has it: times as text, in UTC."""
    if isinstance(value, dict):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, datetime.datetime):
        moment = value.astimezone(datetime.UTC) if value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    return value
