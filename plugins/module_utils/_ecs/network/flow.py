# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the network of a service. What the permissions do not allow is missing, and named."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import ACCESS_DENIED, AWS_ERROR, NOT_FOUND, REFUSED
from ..._core.errors import SlipwayError
from ..._core.types import Json
from ..cloud import Cloud
from ..service import api as service_api
from . import api
from .model import Network

T = t.TypeVar("T")
# The diagnosis of another failure continues without an answer.
_ACCEPTED = (ACCESS_DENIED, AWS_ERROR, NOT_FOUND, REFUSED)


def read_network(cloud: Cloud, service: Json) -> Network:
    """The VPC of the tasks of a service, and the load balancers in front of them."""
    unread: list[str] = []

    def read(call: t.Callable[..., T], *args: t.Any) -> T | None:
        try:
            return call(*args)
        except SlipwayError as error:
            if error.code not in _ACCEPTED:
                raise
            if error.msg not in unread:
                unread.append(error.msg)
            return None

    configuration = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    subnet = next(iter(configuration.get("subnets") or ()), "")
    vpc = (read(api.vpc_of, cloud.ec2, subnet) or "") if subnet else ""
    of_vpc = {name: read(call, cloud.ec2, vpc) if vpc else None for name, call in _CALLS.items()}
    names = service_api.target_groups(service)
    groups = read(service_api.describe_target_groups, cloud.elbv2, names) if names else []
    arns = sorted({arn for group in groups or () for arn in group.get("LoadBalancerArns") or ()})
    balancers = (read(api.describe_load_balancers, cloud.elbv2, arns) if arns else []) if groups is not None else None
    listeners = {arn: read(api.describe_listeners, cloud.elbv2, arn) or [] for arn in arns}
    return Network(
        vpc=vpc,
        **of_vpc,
        target_groups=groups,
        balancers=balancers,
        listeners=listeners,
        unread=tuple(unread),
    )


_CALLS: t.Mapping[str, t.Callable[..., list[Json]]] = {
    "subnets": api.describe_subnets,
    "route_tables": api.describe_route_tables,
    "nat_gateways": api.describe_nat_gateways,
    "endpoints": api.describe_vpc_endpoints,
    "groups": api.describe_security_groups,
}
