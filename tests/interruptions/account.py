# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole account as its APIs describe it, whoever made it and whatever its tags: what the tests hold against each
other. Knows nothing of the look-ups that it judges."""

from __future__ import annotations

import typing as t

import boto3

Json = dict[str, t.Any]
# What changes by itself: counters, times, and what was said when.
VOLATILE = {
    *("ResponseMetadata", "events", "storedBytes", "RoleLastUsed", "lastStatus", "healthStatus", "connectivity"),
    *("connectivityAt", "startedAt", "updatedAt", "version", "availableIpAddressCount", "AvailableIpAddressCount"),
}
GONE = {"terminated", "shutting-down", "deleted", "deleting", "INACTIVE", "DELETE_IN_PROGRESS"}
EC2 = {
    "describe_vpcs": ("Vpcs", "VpcId"),
    "describe_subnets": ("Subnets", "SubnetId"),
    "describe_internet_gateways": ("InternetGateways", "InternetGatewayId"),
    "describe_nat_gateways": ("NatGateways", "NatGatewayId"),
    "describe_addresses": ("Addresses", "AllocationId"),
    "describe_route_tables": ("RouteTables", "RouteTableId"),
    "describe_vpc_endpoints": ("VpcEndpoints", "VpcEndpointId"),
    "describe_security_groups": ("SecurityGroups", "GroupId"),
    "describe_key_pairs": ("KeyPairs", "KeyPairId"),
    "describe_volumes": ("Volumes", "VolumeId"),
    "describe_network_interfaces": ("NetworkInterfaces", "NetworkInterfaceId"),
    "describe_launch_templates": ("LaunchTemplates", "LaunchTemplateId"),
}


def steady(value: t.Any) -> t.Any:
    """Without what changes by itself, and lists in one order."""
    if isinstance(value, dict):
        return {name: steady(member) for name, member in sorted(value.items()) if name not in VOLATILE}
    if isinstance(value, list):
        return sorted((steady(element) for element in value), key=repr)
    return value


def tags_of(resource: Json) -> dict[str, str]:
    found = resource.get("Tags") or resource.get("tags") or resource.get("TagSet") or []
    if isinstance(found, dict):
        return dict(found)
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in found}


def account() -> dict[str, Json]:
    """Everything by its kind and id, each with its tags in `Tags` or `tags`."""
    found: dict[str, Json] = {}
    for part in (network, machines, roles, containers, balancers, rest):
        found.update({name: steady(resource) for name, resource in part() if state_of(resource) not in GONE})
    return found


def state_of(resource: Json) -> str:
    state = resource.get("State", resource.get("status"))
    return str(state.get("Name", state.get("Code")) if isinstance(state, dict) else state)


Found = t.Iterator[tuple[str, Json]]


def network() -> Found:
    ec2 = boto3.client("ec2")
    for operation, (member, identity) in EC2.items():
        for one in getattr(ec2, operation)()[member]:
            yield f"{member} {one[identity]}", one


def machines() -> Found:
    for reservation in boto3.client("ec2").describe_instances()["Reservations"]:
        for one in reservation["Instances"]:
            yield f"Instances {one['InstanceId']}", one


def roles() -> Found:
    iam = boto3.client("iam")
    for one in iam.list_roles()["Roles"]:
        name = one["RoleName"]
        yield (
            f"Roles {name}",
            {
                **one,
                "Tags": iam.list_role_tags(RoleName=name)["Tags"],
                "inline": iam.list_role_policies(RoleName=name)["PolicyNames"],
                "attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
            },
        )
    for one in iam.list_instance_profiles()["InstanceProfiles"]:
        name = one["InstanceProfileName"]
        yield (
            f"InstanceProfiles {name}",
            {**one, "Tags": iam.list_instance_profile_tags(InstanceProfileName=name)["Tags"]},
        )


def containers() -> Found:
    ecs = boto3.client("ecs")
    for family in ecs.list_task_definition_families(status="ACTIVE")["families"]:
        answer = ecs.describe_task_definition(taskDefinition=family, include=["TAGS"])
        yield f"families {family}", {**answer["taskDefinition"], "tags": answer["tags"]}
    for one in ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"], include=["TAGS"])["clusters"]:
        cluster = one["clusterArn"]
        yield f"clusters {cluster}", one
        if arns := ecs.list_services(cluster=cluster)["serviceArns"]:
            for service in ecs.describe_services(cluster=cluster, services=arns, include=["TAGS"])["services"]:
                yield f"services {service['serviceArn']}", service
        if arns := ecs.list_tasks(cluster=cluster)["taskArns"]:
            for task in ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"]:
                yield f"tasks {task['taskArn']}", task


def balancers() -> Found:
    elb = boto3.client("elbv2")

    def tagged(kind: str, resources: list[Json], identity: str) -> Found:
        for one in resources:
            tags = elb.describe_tags(ResourceArns=[one[identity]])["TagDescriptions"]
            yield f"{kind} {one[identity]}", {**one, "Tags": tags[0]["Tags"] if tags else []}

    yield from tagged("TargetGroups", elb.describe_target_groups()["TargetGroups"], "TargetGroupArn")
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        yield from tagged("LoadBalancers", [balancer], "LoadBalancerArn")
        listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        yield from tagged("Listeners", listeners, "ListenerArn")
        for listener in listeners:
            rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            yield from tagged("Rules", [rule for rule in rules if not rule["IsDefault"]], "RuleArn")


def rest() -> Found:
    ecr, logs, ssm, secrets = (boto3.client(name) for name in ("ecr", "logs", "ssm", "secretsmanager"))
    for one in ecr.describe_repositories()["repositories"]:
        tags = ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"]
        images = ecr.list_images(repositoryName=one["repositoryName"])["imageIds"]
        yield f"repositories {one['repositoryName']}", {**one, "tags": tags, "images": images}
    for one in logs.describe_log_groups()["logGroups"]:
        tags = logs.list_tags_for_resource(resourceArn=one["arn"].removesuffix(":*"))["tags"]
        yield f"logGroups {one['logGroupName']}", {**one, "tags": tags}
    for page in ssm.get_paginator("describe_parameters").paginate():
        for one in page["Parameters"]:
            tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=one["Name"])["TagList"]
            yield f"Parameters {one['Name']}", {**one, "Tags": tags}
    for one in secrets.list_secrets()["SecretList"]:
        yield f"Secrets {one['ARN']}", one
    for one in boto3.client("s3").list_buckets()["Buckets"]:
        yield f"Buckets {one['Name']}", one
