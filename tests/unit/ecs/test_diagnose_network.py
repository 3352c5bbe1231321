# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failed rollout says of its network: the fault where there is one, and nothing where none is certain."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import CAUSES
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cloud import Cloud
from ansible_collections.slipway.aws.plugins.module_utils._ecs.network import diagnose as network_diagnose
from ansible_collections.slipway.aws.plugins.module_utils._ecs.network.flow import read_network
from ansible_collections.slipway.aws.plugins.module_utils._ecs.network.model import Network
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.diagnose import Evidence, diagnose
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import Json, service, stopped

REGISTRY = (
    "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from"
    " Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration."
)
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1"
BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/1"
EVERYTHING: tuple[Json, ...] = ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},)


def rule(port: int, cidr: str = "", group: str = "", **members: t.Any) -> Json:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr}] if cidr else [],
        "UserIdGroupPairs": [{"GroupId": group}] if group else [],
        **members,
    }


def security_group(name: str, *ingress: Json, egress: t.Sequence[Json] = EVERYTHING) -> Json:
    return {
        "GroupId": f"sg-{name}",
        "GroupName": name,
        "IpPermissions": list(ingress),
        "IpPermissionsEgress": list(egress),
    }


def table(name: str, subnet: str, **target: str) -> Json:
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    default = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target}
    return {
        "RouteTableId": f"rtb-{name}",
        "VpcId": "vpc-1",
        "Routes": [local, default] if target else [local],
        "Associations": [{"SubnetId": f"subnet-{subnet}", "Main": False}],
    }


def endpoint(service: str, **members: t.Any) -> Json:
    return {
        "VpcEndpointId": f"vpce-{service}",
        "VpcId": "vpc-1",
        "State": "available",
        "ServiceName": f"com.amazonaws.eu-central-1.{service}",
        "VpcEndpointType": "Interface",
        "PrivateDnsEnabled": True,
        "SubnetIds": ["subnet-private"],
        "Groups": [{"GroupId": "sg-endpoints"}],
        **members,
    }


RIGHT = Network(
    vpc="vpc-1",
    subnets=[
        {"SubnetId": "subnet-public", "CidrBlock": "10.0.0.0/20"},
        {"SubnetId": "subnet-private", "CidrBlock": "10.0.128.0/20"},
    ],
    route_tables=[
        table("public", "public", GatewayId="igw-1"),
        table("private", "private", NatGatewayId="nat-1"),
    ],
    nat_gateways=[{"NatGatewayId": "nat-1", "SubnetId": "subnet-public", "State": "available"}],
    endpoints=[],
    groups=[
        security_group("balancer", rule(80, cidr="0.0.0.0/0")),
        security_group("tasks", rule(8080, group="sg-balancer")),
        security_group("endpoints", rule(443, group="sg-tasks")),
    ],
    target_groups=[{"TargetGroupArn": GROUP, "HealthCheckPort": "traffic-port", "LoadBalancerArns": [BALANCER]}],
    balancers=[
        {
            "LoadBalancerArn": BALANCER,
            "LoadBalancerName": "web",
            "Scheme": "internet-facing",
            "SecurityGroups": ["sg-balancer"],
            "AvailabilityZones": [{"SubnetId": "subnet-public"}],
        }
    ],
    listeners={BALANCER: [{"Port": 80}]},
)


def on_fargate(subnet: str = "private", **members: t.Any) -> Json:
    configuration = {"subnets": [f"subnet-{subnet}"], "securityGroups": ["sg-tasks"], "assignPublicIp": "DISABLED"}
    return service(
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": configuration},
        loadBalancers=[{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}],
        **members,
    )


def changed(change: Callable[[Json], None]) -> Network:
    """The right network, with members changed in place."""
    members = copy.deepcopy(vars(RIGHT))
    change(members)
    return Network(**members)


def start(network: Network, of: Json | None = None, reason: str = REGISTRY) -> Json:
    return diagnose(Evidence(of or on_fargate(), [stopped("f1", stoppedReason=reason)], network=network))


def timed_out(network: Network, of: Json | None = None) -> Json:
    health = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    targets = {GROUP: [{"Target": {"Id": "10.0.128.7", "Port": 8080}, "TargetHealth": health}]}
    return diagnose(Evidence(of or on_fargate(), targets=targets, network=network))


def private_route(**target: str) -> Callable[[Json], None]:
    def change(members: Json) -> None:
        members["route_tables"][1] = table("private", "private", **target)

    return change


def with_groups(*groups: Json) -> Callable[[Json], None]:
    def change(members: Json) -> None:
        names = {one["GroupId"] for one in groups}
        members["groups"] = [one for one in members["groups"] if one["GroupId"] not in names] + list(groups)

    return change


def isolated(*endpoints: Json) -> Callable[[Json], None]:
    def change(members: Json) -> None:
        private_route()(members)
        members["endpoints"] = list(endpoints)

    return change


@pytest.mark.parametrize(
    ("change", "cause", "text"),
    [
        (private_route(), "no_route", "Subnet subnet-private: route table rtb-private has no default route"),
        (
            lambda members: members["nat_gateways"][0].update(State="deleted"),
            "route_broken",
            "sends 0.0.0.0/0 to NAT gateway nat-1, which is deleted.",
        ),
        (
            lambda members: members["nat_gateways"][0].update(ConnectivityType="private"),
            "route_broken",
            "which is private and has no public address.",
        ),
        (
            lambda members: members["nat_gateways"][0].update(SubnetId="subnet-private"),
            "route_broken",
            "nat-1 in subnet subnet-private, which itself routes to a NAT gateway.",
        ),
        (private_route(State="blackhole", NatGatewayId="nat-1"), "route_broken", "to nat-1, which no longer exists."),
        (private_route(GatewayId="igw-1"), "no_public_address", "assignPublicIp is DISABLED"),
        (
            with_groups(security_group("tasks", egress=[rule(80, cidr="0.0.0.0/0")])),
            "egress_closed",
            "The tasks' security groups sg-tasks allow no outbound traffic on port 443.",
        ),
        (
            isolated(endpoint("ecr.dkr"), endpoint("logs")),
            "endpoint_missing",
            "the VPC has endpoints for ecr.dkr, logs, but not for ecr.api.",
        ),
        (
            isolated(endpoint("ecr.api", Groups=[{"GroupId": "sg-tasks"}])),
            "endpoint_closed",
            "vpce-ecr.api (ecr.api), sg-tasks, allow no inbound traffic on port 443 from the tasks' sg-tasks.",
        ),
    ],
)
def test_reason_why_tasks_do_not_start(change: Callable[[Json], None], cause: str, text: str) -> None:
    failure = start(changed(change))
    assert failure["causes"] == [cause]
    assert text in failure["advice"][0]
    assert failure["advice"][0].endswith(CAUSES[cause].remedy)


def test_gateway_endpoint_of_other_route_tables_is_missing() -> None:
    gateway = endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=["rtb-other"], Groups=[], SubnetIds=[])
    network = changed(isolated(gateway))
    reason = 'CannotPullContainerError: Get "https://prod-eu-central-1-starport-layer-bucket.s3": dial tcp: i/o timeout'
    assert "rtb-private is not associated with the VPC endpoint s3." in start(network, reason=reason)["advice"][0]


def test_subnets_with_the_same_fault_are_one_sentence() -> None:
    def two(members: Json) -> None:
        private_route()(members)
        members["route_tables"][1]["Associations"].append({"SubnetId": "subnet-b", "Main": False})

    of = on_fargate()
    of["networkConfiguration"]["awsvpcConfiguration"]["subnets"].append("subnet-b")
    assert start(changed(two), of)["advice"][0].startswith("Each of the subnets subnet-private, subnet-b: route table")


@pytest.mark.parametrize(
    ("network", "of"),
    [
        (RIGHT, on_fargate()),
        (changed(private_route(TransitGatewayId="tgw-1")), on_fargate()),
        (changed(private_route(NetworkInterfaceId="eni-1")), on_fargate()),
        (changed(with_groups(security_group("tasks", egress=[rule(443, cidr="10.0.0.0/8")]))), on_fargate()),
        (changed(isolated(endpoint("ecr.api"))), on_fargate()),
        (replace(RIGHT, route_tables=None), on_fargate()),
        (replace(changed(private_route()), endpoints=None), on_fargate()),
        (replace(RIGHT, nat_gateways=None), on_fargate()),
        (replace(RIGHT, groups=None), on_fargate()),
        (changed(private_route()), {**on_fargate(), "launchType": "EC2"}),
        (changed(private_route()), {**on_fargate(), "networkConfiguration": {}}),
    ],
    ids=[
        "right",
        "transit gateway",
        "firewall",
        "narrow egress",
        "endpoint",
        "routes unread",
        "endpoints unread",
        "gateways unread",
        "groups unread",
        "host pulls",
        "no awsvpc",
    ],
)
def test_nothing_is_claimed_that_is_not_certain(network: Network, of: Json) -> None:
    assert start(network, of)["causes"] == ["registry_unreachable"]


@pytest.mark.parametrize(
    ("change", "cause", "text"),
    [
        (
            with_groups(security_group("tasks", rule(8080, group="sg-other"))),
            "ingress_closed",
            "sg-tasks allow no inbound traffic on port 8080 from load balancer web (sg-balancer).",
        ),
        (
            with_groups(security_group("tasks", rule(8000, group="sg-balancer"))),
            "ingress_closed",
            "allow no inbound traffic on port 8080 from load balancer web (sg-balancer), only on 8000.",
        ),
        (
            lambda members: members["target_groups"][0].update(HealthCheckPort="9000"),
            "ingress_closed",
            "allow no inbound traffic on health check port 9000",
        ),
        (
            with_groups(security_group("balancer", rule(80, cidr="0.0.0.0/0"), egress=[])),
            "balancer_egress_closed",
            "sg-balancer, allow no outbound traffic on port 8080 to the tasks.",
        ),
    ],
)
def test_reason_why_health_checks_time_out(change: Callable[[Json], None], cause: str, text: str) -> None:
    failure = timed_out(changed(change))
    assert failure["causes"] == [cause]
    assert text in failure["advice"][0]


@pytest.mark.parametrize(
    "change",
    [
        lambda _members: None,
        with_groups(security_group("tasks", rule(8080, cidr="10.0.0.0/16"))),
        with_groups(security_group("tasks", rule(8080, PrefixListIds=[{"PrefixListId": "pl-1"}]))),
        with_groups(security_group("tasks", {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-balancer"}]})),
        lambda members: members["balancers"][0].update(SecurityGroups=[]),
        lambda members: members.update(groups=None),
        lambda members: members.update(balancers=None),
    ],
    ids=["right", "by range", "by prefix list", "all traffic", "NLB", "groups unread", "balancers unread"],
)
def test_slow_program_is_not_blamed_on_the_network(change: Callable[[Json], None]) -> None:
    assert timed_out(changed(change))["causes"] == ["health_check_timeout"]


def test_load_balancer_closed_to_clients() -> None:
    assert network_diagnose.of_listeners(RIGHT) == []
    closed = changed(with_groups(security_group("balancer", rule(443, cidr="0.0.0.0/0"))))
    private = changed(
        lambda members: members["balancers"][0].update(AvailabilityZones=[{"SubnetId": "subnet-private"}])
    )
    internal = changed(
        lambda members: members["balancers"][0].update(
            Scheme="internal", AvailabilityZones=[{"SubnetId": "subnet-private"}]
        )
    )
    assert [found.cause for found in network_diagnose.of_listeners(closed)] == ["listener_closed"]
    assert [found.cause for found in network_diagnose.of_listeners(private)] == ["balancer_not_public"]
    assert network_diagnose.of_listeners(internal) == []


class Denied:
    """A client of EC2 and of ELB that may read nothing."""

    def get_paginator(self, operation: str) -> t.Any:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, operation)

    def __getattr__(self, operation: str) -> t.Any:
        return lambda **_request: self.get_paginator(operation)


def test_missing_permissions_are_named_and_nothing_is_claimed() -> None:
    network = read_network(Cloud(lambda _service, _region="": Denied()), on_fargate())
    failure = start(network)
    assert failure["causes"] == ["registry_unreachable"]
    assert any("describe_subnets" in text for text in failure["unread"])
