# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the checks want, side by side and nothing twice. What is denied is unknown, with the permission."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from ..._core.error_codes import ACCESS_DENIED, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.names import home_of
from ..._core.types import Clients
from ..network import api as network_api
from . import api
from .checklist import Key, Unread
from .permissions import image_of

# Error codes for what does not exist that do not end as most do.
_MISSING = {
    *("404", "NoSuchBucket", "NoSuchEntity", "NoSuchHostedZone", "NoSuchKey", "NoSuchResourceException"),
    *("AccessPointNotFound", "FileSystemNotFound", "NamespaceNotFound", "ServiceNotFound"),
}


class Read(t.NamedTuple):
    """How a kind is read: the service of AWS, the call, and the IAM action that it takes."""

    service: str
    call: Callable[..., t.Any]
    action: str


KINDS: dict[str, Read] = {
    "cluster": Read("ecs", api.cluster, "ecs:DescribeClusters"),
    "IAM role": Read("iam", api.role, "iam:GetRole"),
    "permissions": Read("iam", api.permissions, "iam:SimulatePrincipalPolicy"),
    "subnets of VPC": Read("ec2", network_api.describe_subnets, "ec2:DescribeSubnets"),
    "route tables of VPC": Read("ec2", api.route_tables_of_vpc, "ec2:DescribeRouteTables"),
    "NAT gateways of VPC": Read("ec2", network_api.describe_nat_gateways, "ec2:DescribeNatGateways"),
    "VPC endpoints of VPC": Read("ec2", network_api.describe_vpc_endpoints, "ec2:DescribeVpcEndpoints"),
    "security groups of VPC": Read("ec2", api.groups_of_vpc, "ec2:DescribeSecurityGroups"),
    "load balancer": Read("elbv2", api.load_balancer, "elasticloadbalancing:DescribeLoadBalancers"),
    "load balancers": Read("elbv2", api.load_balancers, "elasticloadbalancing:DescribeLoadBalancers"),
    "tags of load balancers": Read("elbv2", api.load_balancer_tags, "elasticloadbalancing:DescribeTags"),
    "listeners": Read("elbv2", network_api.describe_listeners, "elasticloadbalancing:DescribeListeners"),
    "target group": Read("elbv2", api.target_group, "elasticloadbalancing:DescribeTargetGroups"),
    "Lambda function": Read("lambda", api.function, "lambda:GetFunctionConfiguration"),
    "listener rule": Read("elbv2", api.listener_rule, "elasticloadbalancing:DescribeRules"),
    "secret": Read("secretsmanager", api.secret, "secretsmanager:DescribeSecret"),
    "S3 object": Read("s3", api.s3_object, "s3:ListBucket"),
    "bucket": Read("s3", api.bucket_region, "s3:GetBucketLocation"),
    "EFS file system": Read("efs", api.file_system, "elasticfilesystem:DescribeFileSystems"),
    "EFS access point": Read("efs", api.access_point, "elasticfilesystem:DescribeAccessPoints"),
    "mount targets": Read("efs", api.mount_targets, "elasticfilesystem:DescribeMountTargets"),
    "namespace": Read("servicediscovery", api.namespace, "servicediscovery:ListNamespaces"),
    "discovery service": Read("servicediscovery", api.discovery_service, "servicediscovery:GetService"),
    "certificate": Read("acm", api.certificate, "acm:DescribeCertificate"),
    "hosted zones": Read("route53", api.hosted_zones, "route53:ListHostedZones"),
}
# Many in one call.
BATCHED: dict[str, Read] = {
    "subnet": Read("ec2", api.subnets, "ec2:DescribeSubnets"),
    "security group": Read("ec2", api.security_groups, "ec2:DescribeSecurityGroups"),
    "parameter": Read("ssm", api.parameters, "ssm:DescribeParameters"),
    "alarm": Read("cloudwatch", api.alarms, "cloudwatch:DescribeAlarms"),
}
USAGE: dict[str, Read] = {
    "VPC": Read("ec2", api.vpcs, "ec2:DescribeVpcs"),
    "elastic IP": Read("ec2", api.addresses, "ec2:DescribeAddresses"),
    "load balancer": Read("elbv2", api.application_load_balancers, "elasticloadbalancing:DescribeLoadBalancers"),
}


def read(client: Clients, pool: Executor, wanted: Iterable[Key]) -> dict[Key, t.Any]:
    """The answers, by what was wanted."""
    keys = sorted(wanted)
    singles = [key for key in keys if key.kind not in BATCHED]
    batched = {kind: [key.name for key in keys if key.kind == kind] for kind in BATCHED}
    pending = {key: pool.submit(_read_one, client, key) for key in singles}
    together = {kind: pool.submit(_read_batch, client, kind, names) for kind, names in batched.items() if names}
    found = {key: future.result() for key, future in pending.items()}
    for kind, future in together.items():
        found |= {Key(kind, name): answer for name, answer in future.result().items()}
    return found


def _read_one(client: Clients, key: Key) -> t.Any:
    special = {"image": _image, "image platform": _image_platform, "log group": _log_group, "quota": _quota}
    if key.kind in special:
        return special[key.kind](client, key)
    if key.kind == "usage":
        one = USAGE[key.name]
        return _answer(one.action, one.call, client(one.service))
    one = KINDS[key.kind]
    arguments = (key.name, *key.more) if key.name else ()
    return _answer(one.action, lambda: one.call(client(one.service, _region(key)), *arguments))


def _region(key: Key) -> str:
    """Of what may be in another region; empty for that of the connection."""
    home = home_of(key.name) if key.kind in ("secret", "certificate", "Lambda function") else None
    return home.region if home else ""


def _read_batch(client: Clients, kind: str, names: list[str]) -> dict[str, t.Any]:
    one = BATCHED[kind]
    regions: dict[str, dict[str, str]] = {}
    for name in names:
        home = home_of(name) if kind == "parameter" else None
        short = name.split(":parameter", 1)[-1] if home else name
        regions.setdefault(home.region if home else "", {})[short] = name
    found: dict[str, t.Any] = {}
    for region, some in regions.items():
        answer = _answer(one.action, lambda region=region, some=some: one.call(client(one.service, region), list(some)))
        found |= {name: answer if isinstance(answer, Unread) else answer.get(short) for short, name in some.items()}
    return found


def _answer(action: str, call: Callable[..., t.Any], *arguments: t.Any) -> t.Any:
    try:
        return call(*arguments)
    except SlipwayError as error:
        if error.code == NOT_FOUND or error.details.get("error_code") in _MISSING:
            return None
        return Unread(action if error.code == ACCESS_DENIED else "", error.msg)
    except OSError as error:
        return Unread("", str(error))


def _image(client: Clients, key: Key) -> t.Any:
    if (image := image_of(key.name)) is None:
        return None
    place = (image.account, image.repository)
    return _answer("ecr:BatchGetImage", lambda: api.image(client("ecr", image.region), *place, **image.identity))


def _image_platform(client: Clients, key: Key) -> t.Any:
    if (image := image_of(key.name)) is None:
        return None
    place = (image.account, image.repository, key.more[0])
    action = "ecr:GetDownloadUrlForLayer"
    return _answer(action, lambda: api.image_platform(client("ecr", image.region), *place))


def _log_group(client: Clients, key: Key) -> t.Any:
    """Of another region if its name has one in front."""
    region, colon, name = key.name.rpartition(":")
    return _answer("logs:DescribeLogGroups", lambda: api.log_group(client("logs", region if colon else ""), name))


def _quota(client: Clients, key: Key) -> t.Any:
    action, arguments = "servicequotas:GetServiceQuota", (key.name, *key.more)
    found = _answer(action, lambda: api.quota(client("service-quotas"), *arguments))
    if found is not None:
        return found
    action = "servicequotas:GetAWSDefaultServiceQuota"
    return _answer(action, lambda: api.default_quota(client("service-quotas"), *arguments))
