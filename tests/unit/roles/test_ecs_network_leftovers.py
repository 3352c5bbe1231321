# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an interrupted run leaves is used by the next run, and deleted with the network."""

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

TAGS = [{"Key": "slipway:project", "Value": "ecs"}]


def network(entry: str) -> dict[str, t.Any]:
    return {"ansible.builtin.import_role": {"name": "slipway.aws.ecs_network", "tasks_from": entry}}


@pytest.mark.variants
def test_what_a_killed_run_left_is_used_or_removed(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": TAGS}])["Vpc"]
    specification = [{"ResourceType": "internet-gateway", "Tags": TAGS}]
    gateway = ec2.create_internet_gateway(TagSpecifications=specification)["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc["VpcId"])["RouteTable"]["RouteTableId"]
    made = cloud.play([network("main")], ecs_network_nat="none", ecs_network_docker_host_cidrs=["10.9.0.0/16"])
    assert made.code == 0, made.output
    owned = [{"Name": "tag:slipway:project", "Values": ["ecs"]}]
    (found,) = ec2.describe_internet_gateways(Filters=owned)["InternetGateways"]
    assert found["InternetGatewayId"] == gateway
    assert [one["VpcId"] for one in found["Attachments"]] == [vpc["VpcId"]]
    removed = cloud.play([network("absent")])
    assert removed.code == 0, removed.output
    assert table not in {one["RouteTableId"] for one in ec2.describe_route_tables()["RouteTables"]}
    assert vpc["VpcId"] not in {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]}
