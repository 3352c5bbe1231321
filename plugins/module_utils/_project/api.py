# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever an API knows, with its tags. A kind of resource is one entry of KINDS and, where its API is like no other,
one function in `kinds`.

Services differ in how they answer tags: with the resource, in batches beside it, or for one resource at a time. Where
an API selects by tag, it is asked to; that it did is checked by the caller, as emulators ignore such filters.
"""

from __future__ import annotations

from .._core.errors import aws_call
from .._core.types import Client, Json
from .kinds import data_api, discovery_api, ec2_api, ecs_api, elb_api, iam_api, scheduler_api
from .kinds.base_api import Account, Found, Kind, Part
from .kinds.ec2_api import ec2
from .kinds.elb_api import balanced
from .kinds.iam_api import iam

# In the order in which they are deleted.
KINDS = (
    Kind("schedule group", "ecs_app", "scheduler", scheduler_api.schedule_groups, (scheduler_api.schedules,)),
    Kind(
        "service",
        "ecs_app",
        "ecs",
        ecs_api.services,
        (ecs_api.scaling, ecs_api.tasks, ecs_api.service_deployment),
    ),
    Kind("task definition", "ecs_app", "ecs", ecs_api.families, (ecs_api.revisions,)),
    Kind("parameter", "ecs_app", "ssm", data_api.parameters, arn="parameter"),
    Kind("secret", "ecs_app", "secretsmanager", data_api.secrets),
    Kind(
        "load balancer",
        "ecs_load_balancer",
        "elbv2",
        balanced(*elb_api.BALANCERS),
        (elb_api.load_balancer_attributes, elb_api.listeners),
    ),
    Kind("listener rule", "ecs_load_balancer", "elbv2", elb_api.rules_on_shared),
    Kind(
        "target group",
        "ecs_load_balancer",
        "elbv2",
        balanced(*elb_api.TARGET_GROUPS),
        (elb_api.target_group_attributes, elb_api.target_health),
    ),
    Kind("certificate", "ecs_load_balancer", "acm", elb_api.certificates, (elb_api.certificate,)),
    Kind("bucket", "ecs_load_balancer", "s3", data_api.buckets, (data_api.bucket_configuration,)),
    Kind("cluster", "ecs_cluster", "ecs", ecs_api.clusters),
    Kind("capacity provider", "ecs_cluster", "ecs", ecs_api.capacity_providers, arn="capacity-provider/"),
    Kind("Auto Scaling group", "ecs_cluster", "autoscaling", ec2_api.scaling_groups),
    Kind(
        "launch template",
        "ecs_cluster",
        "ec2",
        ec2("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId", "LaunchTemplateName"),
        (ec2_api.versions,),
        "launch-template/",
    ),
    Kind("discovery service", "service_discovery", "servicediscovery", discovery_api.discovery_services, detailed=True),
    Kind("namespace", "service_discovery", "servicediscovery", discovery_api.namespaces),
    Kind("log group", "ecs_cluster", "logs", data_api.log_groups),
    Kind(
        "instance",
        "docker_instance",
        "ec2",
        ec2("describe_instances", "Reservations", "InstanceId"),
        (ec2_api.instance_attributes,),
        "instance/",
    ),
    Kind("volume", "docker_instance", "ec2", ec2("describe_volumes", "Volumes", "VolumeId"), arn="volume/"),
    Kind(
        "key pair",
        "docker_instance",
        "ec2",
        ec2("describe_key_pairs", "KeyPairs", "KeyPairId", "KeyName", "its private half"),
        arn="key-pair/",
    ),
    Kind(
        "IAM role",
        "ecs_cluster",
        "iam",
        iam("list_roles", "Roles", "RoleName", "list_role_tags"),
        (iam_api.role, iam_api.role_policies, iam_api.attached_policies),
    ),
    Kind(
        "instance profile",
        "ecs_cluster",
        "iam",
        iam("list_instance_profiles", "InstanceProfiles", "InstanceProfileName", "list_instance_profile_tags"),
    ),
    Kind(
        "repository",
        "ecr_registry",
        "ecr",
        data_api.repositories,
        (data_api.repository_policies, data_api.images),
    ),
    Kind("flow log", "ecs_network", "ec2", ec2_api.flow_logs, arn="vpc-flow-log/"),
    Kind(
        "NAT gateway",
        "ecs_network",
        "ec2",
        ec2("describe_nat_gateways", "NatGateways", "NatGatewayId"),
        (),
        "natgateway/",
    ),
    Kind("elastic IP", "ecs_network", "ec2", ec2("describe_addresses", "Addresses", "AllocationId"), (), "elastic-ip/"),
    Kind(
        "VPC endpoint",
        "ecs_network",
        "ec2",
        ec2("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        (),
        "vpc-endpoint/",
    ),
    Kind(
        "security group",
        "ecs_network",
        "ec2",
        ec2("describe_security_groups", "SecurityGroups", "GroupId", "GroupName"),
        (),
        "security-group/",
    ),
    Kind("subnet", "ecs_network", "ec2", ec2("describe_subnets", "Subnets", "SubnetId"), (), "subnet/"),
    Kind(
        "route table",
        "ecs_network",
        "ec2",
        ec2("describe_route_tables", "RouteTables", "RouteTableId"),
        (),
        "route-table/",
    ),
    Kind(
        "internet gateway",
        "ecs_network",
        "ec2",
        ec2("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        (),
        "internet-gateway/",
    ),
    Kind(
        "VPC",
        "ecs_network",
        "ec2",
        ec2("describe_vpcs", "Vpcs", "VpcId"),
        (ec2_api.vpc_attributes, ec2_api.default_group),
        "vpc/",
    ),
)
# Every service that KINDS asks.
SERVICES = tuple(sorted({kind.service for kind in KINDS}))
# And what details need in addition.
DETAILED_SERVICES = ("application-autoscaling", "cloudwatch", "sts")


@aws_call
def read(kind: Kind, account: Account) -> list[Found]:
    return list(kind.read(account))


@aws_call
def read_part(part: Part, account: Account, found: Found) -> Json:
    return part(account, found)


@aws_call
def caller(sts: Client) -> Json:
    answer = sts.get_caller_identity()
    return {"account": answer["Account"], "arn": answer["Arn"]}
