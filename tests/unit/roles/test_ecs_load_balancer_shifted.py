# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that ECS has shifted to another target group are not shifted back, whatever else the role changes."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.tests import emulators
from ansible_collections.slipway.aws.tests.unit.roles.conftest import REGION, Cloud

Json = dict[str, t.Any]
ROLE = {"ansible.builtin.import_role": {"name": "slipway.aws.ecs_load_balancer"}}
SHOW = {"ansible.builtin.debug": {"msg": "shifted: {{ ecs_load_balancer_result.shifted.values() | list }}"}}
GROUPS = [{"name": "web", "port": 8080}, {"name": "api", "port": 8000, "paths": ["/api"]}]


@pytest.fixture(scope="module")
def moto(start: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """An account that keeps weights, which the local cloud does not."""
    return Cloud(start(*emulators.MOTO), tmp_path_factory.mktemp("playbook"))


@pytest.fixture(scope="module")
def options(moto: Cloud) -> Json:
    ec2 = moto.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="ecs-load-balancer", Description="x", VpcId=vpc)["GroupId"]
    elb = moto.client("elbv2")
    balancer = elb.create_load_balancer(
        Name="ecs-alb", Subnets=[one["SubnetId"] for one in subnets], Tags=[{"Key": "slipway:project", "Value": "ecs"}]
    )
    # moto does not answer these until they were set.
    attributes = {"idle_timeout.timeout_seconds": "60", "routing.http.drop_invalid_header_fields.enabled": "true"}
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Attributes=[{"Key": name, "Value": value} for name, value in attributes.items()],
    )
    network = {
        "vpc_id": vpc,
        "public_subnet_ids": [subnet["SubnetId"] for subnet in subnets],
        "security_group_ids": {"load_balancer": group},
    }
    return {"ecs_network_result": network, "ecs_load_balancer_target_groups": GROUPS}


def weights(action: Json) -> dict[str, int]:
    return {group["TargetGroupArn"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}


@pytest.mark.variants
def test_shifted_requests_stay(moto: Cloud, options: Json) -> None:
    created = moto.play([ROLE, SHOW], **options)
    assert (created.code, "shifted: []" in created.output) == (0, True), created.output
    elb = moto.client("elbv2")
    web = elb.describe_target_groups(Names=["ecs-web"])["TargetGroups"][0]
    listener = elb.describe_listeners(LoadBalancerArn=web["LoadBalancerArns"][0])["Listeners"][0]
    green = elb.create_target_group(Name="green", Protocol="HTTP", Port=1, VpcId=web["VpcId"], TargetType="ip")
    groups = [
        {"TargetGroupArn": web["TargetGroupArn"], "Weight": 0},
        {"TargetGroupArn": green["TargetGroups"][0]["TargetGroupArn"], "Weight": 100},
    ]
    elb.modify_listener(
        ListenerArn=listener["ListenerArn"],
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )
    shifted = elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"][0]["DefaultActions"]
    assert sorted(weights(shifted[0]).values()) == [0, 100]
    for check in ([], ["--check"]):
        again = moto.play([ROLE, SHOW], *check, **options)
        assert (again.code, again.changed, "shifted: [0, 100]" in again.output.replace("\n", "")) == (0, 0, True), again
        assert (
            elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"][0]["DefaultActions"] == shifted
        )
