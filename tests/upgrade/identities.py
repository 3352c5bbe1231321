# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a resource the same one: its ID or ARN, which a replacement would change."""

from __future__ import annotations

import typing as t

import boto3

# Of each list: the service, the operation, where the answer has the items, and the member that identifies one.
LISTS = (
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_key_pairs", "KeyPairs", "KeyPairId"),
    ("ecr", "describe_repositories", "repositories", "repositoryArn"),
    ("ecs", "list_clusters", "clusterArns", ""),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("iam", "list_roles", "Roles", "RoleId"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileId"),
    ("logs", "describe_log_groups", "logGroups", "arn"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "ARN"),
)


def identities(endpoint: str, region: str) -> dict[str, set[str]]:
    """The identities of an account's resources, by operation."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "the-local-cloud-takes-any-key"}

    def client(service: str) -> t.Any:
        return boto3.client(service, endpoint_url=endpoint, region_name=region, **keys)

    found = {
        operation: {item[member] if member else item for item in getattr(client(service), operation)()[place]}
        for service, operation, place, member in LISTS
    }
    ecs, elb = client("ecs"), client("elbv2")
    for cluster in found["list_clusters"]:
        services = ecs.list_services(cluster=cluster)["serviceArns"]
        described = ecs.describe_services(cluster=cluster, services=services)["services"]
        # A service that is created again has the same ARN, and another time.
        found[f"services of {cluster}"] = {f"{one['serviceArn']} {one['createdAt']}" for one in described}
    for balancer in found["describe_load_balancers"]:
        listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        found[f"listeners of {balancer}"] = {one["ListenerArn"] for one in listeners}
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    reservations = client("ec2").describe_instances(Filters=running)["Reservations"]
    found["instances"] = {one["InstanceId"] for reservation in reservations for one in reservation["Instances"]}
    return found


def replaced(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """What existed before and does not exist after, by operation."""
    gone = {operation: names - after.get(operation, set()) for operation, names in before.items()}
    return {operation: names for operation, names in gone.items() if names}
