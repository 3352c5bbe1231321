"""Counts what carries a project's tag in each API that the site uses: `tests/leftovers.py <project>`.

Ends with 1 when anything is left. Asks where the environment says (AWS_ENDPOINT_URL, AWS_PROFILE, AWS_DEFAULT_REGION).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3

OWNER = "slipway:project"
Json = dict[str, Any]
# Instances and gateways are listed for a while after their end.
GONE = {"terminated", "shutting-down", "deleted", "deleting", "INACTIVE"}


def pages(service: str, operation: str, key: str, **request: Any) -> Iterator[Any]:
    client = boto3.client(service)
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**request):
            yield from page[key]
    else:
        yield from getattr(client, operation)(**request)[key]


def ec2(operation: str, key: str) -> Iterator[Json]:
    for item in pages("ec2", operation, key):
        for one in item["Instances"] if key == "Reservations" else [item]:
            state = one.get("State")
            if (state["Name"] if isinstance(state, dict) else state) not in GONE:
                yield one


def tagged(service: str, operation: str, key: str, identity: str, tags_of: Callable[[Any, str], list[Json]]) -> Any:
    """Resources of an API that tells tags only when asked for one resource, with those tags."""
    client = boto3.client(service)
    for item in pages(service, operation, key):
        name = item[identity] if isinstance(item, dict) else item
        yield {"Tags": tags_of(client, name)}


def log_group_tags(client: Any, name: str) -> list[Json]:
    tags = client.list_tags_for_resource(resourceArn=name.removesuffix(":*"))["tags"]
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def balancer_tags(client: Any, arn: str) -> list[Json]:
    return list(client.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


def parameter_tags(client: Any, name: str) -> list[Json]:
    return list(client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])


def namespace_tags(client: Any, arn: str) -> list[Json]:
    return list(client.list_tags_for_resource(ResourceARN=arn)["Tags"])


def ecs_tags(client: Any, arn: str) -> list[Json]:
    return list(client.list_tags_for_resource(resourceArn=arn)["tags"])


RESOURCES: dict[str, Callable[[], Iterator[Json]]] = {
    "VPCs": lambda: ec2("describe_vpcs", "Vpcs"),
    "subnets": lambda: ec2("describe_subnets", "Subnets"),
    "internet gateways": lambda: ec2("describe_internet_gateways", "InternetGateways"),
    "NAT gateways": lambda: ec2("describe_nat_gateways", "NatGateways"),
    "elastic IPs": lambda: ec2("describe_addresses", "Addresses"),
    "route tables": lambda: ec2("describe_route_tables", "RouteTables"),
    "VPC endpoints": lambda: ec2("describe_vpc_endpoints", "VpcEndpoints"),
    "security groups": lambda: ec2("describe_security_groups", "SecurityGroups"),
    "key pairs": lambda: ec2("describe_key_pairs", "KeyPairs"),
    "instances": lambda: ec2("describe_instances", "Reservations"),
    "volumes": lambda: ec2("describe_volumes", "Volumes"),
    "IAM roles": lambda: tagged(
        "iam", "list_roles", "Roles", "RoleName", lambda c, n: c.list_role_tags(RoleName=n)["Tags"]
    ),
    "repositories": lambda: tagged("ecr", "describe_repositories", "repositories", "repositoryArn", ecs_tags),
    "log groups": lambda: tagged("logs", "describe_log_groups", "logGroups", "arn", log_group_tags),
    "load balancers": lambda: tagged(
        "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", balancer_tags
    ),
    "target groups": lambda: tagged("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn", balancer_tags),
    "parameters": lambda: tagged("ssm", "describe_parameters", "Parameters", "Name", parameter_tags),
    "clusters": lambda: tagged("ecs", "list_clusters", "clusterArns", "", ecs_tags),
    "namespaces": lambda: tagged("servicediscovery", "list_namespaces", "Namespaces", "Arn", namespace_tags),
    "task definitions": lambda: tagged("ecs", "list_task_definitions", "taskDefinitionArns", "", ecs_tags),
}


def owned(resource: Json, project: str) -> bool:
    return any(
        (tag.get("Key") or tag.get("key"), tag.get("Value") or tag.get("value")) == (OWNER, project)
        for tag in resource.get("Tags") or []
    )


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    total = 0
    for kind, found in RESOURCES.items():
        count = sum(owned(resource, sys.argv[1]) for resource in found())
        print(f"{kind:<20}{count:>4}")
        total += count
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
