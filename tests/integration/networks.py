# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network as a site has it, made by calls to EC2 and ELB, for tests to misconfigure."""

from __future__ import annotations

import typing as t

import boto3

from ansible_collections.slipway.aws.tests.integration.conftest import QUICK, REGION, Json

ANYWHERE = "0.0.0.0/0"
PORT = 8080
INTERFACES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm")


class Vpc:
    """Two public and two private subnets, a NAT gateway, and groups of load balancer, tasks and endpoints."""

    def __init__(self, name: str) -> None:
        self.ec2 = boto3.client("ec2")
        self.elbv2 = boto3.client("elbv2")
        self.name = name
        self.balancer = self.target_group = ""
        self.id = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.id)
        self.public = [self.subnet(f"10.9.{n}.0/24", "ab"[n]) for n in (0, 1)]
        self.private = [self.subnet(f"10.9.{n}.0/24", "ab"[n - 128]) for n in (128, 129)]
        self.public_table = self.table(self.public, GatewayId=self.gateway)
        self.nat = self.nat_gateway(self.public[0])
        self.private_table = self.table(self.private, NatGatewayId=self.nat)
        self.balancers = self.group("balancer")
        self.tasks = self.group("tasks")
        self.endpoints = self.group("endpoints")
        self.allow(self.balancers, 80, cidr=ANYWHERE)
        self.allow(self.tasks, PORT, group=self.balancers)
        self.allow(self.endpoints, 443, group=self.tasks)

    def subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.id, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")
        return str(made["Subnet"]["SubnetId"])

    def nat_gateway(self, subnet: str) -> str:
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
        return str(made["NatGateway"]["NatGatewayId"])

    def table(self, subnets: list[str], **target: str) -> str:
        """A route table of subnets, with a default route."""
        table = str(self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"])
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, **target)
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def group(self, name: str) -> str:
        made = self.ec2.create_security_group(GroupName=f"{self.name}-{name}", Description="test", VpcId=self.id)
        return str(made["GroupId"])

    def allow(self, group_id: str, port: int, cidr: str = "", group: str = "") -> None:
        self.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule(port, cidr, group)])

    def revoke(self, group_id: str, port: int, cidr: str = "", group: str = "") -> None:
        self.ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[rule(port, cidr, group)])

    def close_egress(self, group_id: str) -> None:
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
        self.ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=[everything])

    def isolate(self) -> None:
        """Private subnets lose their way out."""
        self.ec2.delete_route(RouteTableId=self.private_table, DestinationCidrBlock=ANYWHERE)

    def use_endpoints(self, without: str = "") -> None:
        """Private subnets reach AWS's services through endpoints alone."""
        self.isolate()
        for service in INTERFACES:
            if service != without:
                self.ec2.create_vpc_endpoint(
                    VpcId=self.id,
                    VpcEndpointType="Interface",
                    ServiceName=f"com.amazonaws.{REGION}.{service}",
                    SubnetIds=self.private,
                    SecurityGroupIds=[self.endpoints],
                )
        if without != "s3":
            name = f"com.amazonaws.{REGION}.s3"
            self.ec2.create_vpc_endpoint(VpcId=self.id, ServiceName=name, RouteTableIds=[self.private_table])

    def balance(self, subnets: list[str], **check: t.Any) -> str:
        """A load balancer in front of a target group; the ARN of the latter."""
        found = self.elbv2.create_target_group(
            Name=self.name, Protocol="HTTP", Port=PORT, VpcId=self.id, TargetType="ip",
            HealthCheckPath="/ready", **{**QUICK, **check},
        )  # fmt: skip
        self.target_group = str(found["TargetGroups"][0]["TargetGroupArn"])
        made = self.elbv2.create_load_balancer(Name=self.name, Subnets=subnets, SecurityGroups=[self.balancers])
        self.balancer = str(made["LoadBalancers"][0]["LoadBalancerArn"])
        action = {"Type": "forward", "TargetGroupArn": self.target_group}
        self.elbv2.create_listener(LoadBalancerArn=self.balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
        return self.target_group

    def tasks_in(self, subnets: list[str], public: bool = False) -> Json:
        return {
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": [self.tasks],
                "assignPublicIp": "ENABLED" if public else "DISABLED",
            }
        }

    def delete(self) -> None:
        """The load balancer with its target group. The rest takes no part in other tests."""
        if self.target_group:
            self.elbv2.delete_load_balancer(LoadBalancerArn=self.balancer)
            self.elbv2.delete_target_group(TargetGroupArn=self.target_group)


def rule(port: int, cidr: str, group: str) -> Json:
    sources = {"IpRanges": [{"CidrIp": cidr}]} if cidr else {"UserIdGroupPairs": [{"GroupId": group}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}
