# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of the network of a service: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import aws_call
from ..._core.paging import pages
from ..._core.types import Client, Items, Json


def _in_vpc(name: str, vpc: str) -> list[Json]:
    return [{"Name": name, "Values": [vpc]}]


@aws_call
def describe_subnets(ec2: Client, vpc: str) -> list[Json]:
    return pages(ec2, "describe_subnets", "Subnets", Filters=_in_vpc("vpc-id", vpc))


@aws_call
def vpc_of(ec2: Client, subnet: str) -> str:
    """The VPC of a subnet; empty if the subnet does not exist."""
    found = pages(ec2, "describe_subnets", "Subnets", Filters=[{"Name": "subnet-id", "Values": [subnet]}])
    return next((str(item["VpcId"]) for item in found if item["SubnetId"] == subnet), "")


@aws_call
def describe_route_tables(ec2: Client, vpc: str) -> list[Json]:
    return pages(ec2, "describe_route_tables", "RouteTables", Filters=_in_vpc("vpc-id", vpc))


@aws_call
def describe_nat_gateways(ec2: Client, vpc: str) -> list[Json]:
    return pages(ec2, "describe_nat_gateways", "NatGateways", Filters=_in_vpc("vpc-id", vpc))


@aws_call
def describe_vpc_endpoints(ec2: Client, vpc: str) -> list[Json]:
    return pages(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=_in_vpc("vpc-id", vpc))


@aws_call
def describe_security_groups(ec2: Client, vpc: str) -> list[Json]:
    return pages(ec2, "describe_security_groups", "SecurityGroups", Filters=_in_vpc("vpc-id", vpc))


@aws_call
def describe_load_balancers(elbv2: Client, arns: Items) -> list[Json]:
    return list(elbv2.describe_load_balancers(LoadBalancerArns=list(arns))["LoadBalancers"])


@aws_call
def describe_listeners(elbv2: Client, balancer: str) -> list[Json]:
    return pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer)
