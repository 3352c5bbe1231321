# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever an API knows, with its tags. A kind of resource is one entry of KINDS and, where its API is like no other,
one function.

Services differ in how they answer tags: with the resource, in batches beside it, or for one resource at a time. Where
an API selects by tag, it is asked to; that it did is checked by the caller, as emulators ignore such filters.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import typing as t

from .._core import tags
from .._core.answers import check_complete, described
from .._core.error_codes import NOT_FOUND
from .._core.errors import aws_call, translate
from .._core.paging import batches, pages
from .._core.types import Json

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import ClientError

# What is deleted stays in the answers of EC2 for a while.
DELETED = {"terminated", "shutting-down", "deleted", "deleting", "INACTIVE", "DELETE_IN_PROGRESS"}
# Calls for single resources that are under way at a time.
WORKERS = 8


class Found(t.NamedTuple):
    """One resource. `holds` is what is in it that cannot be recreated, `uses` the ARNs that it refers to."""

    id: str
    name: str
    tags: tags.Tags
    holds: str = ""
    state: str = ""
    uses: frozenset[str] = frozenset()
    used_by: frozenset[str] = frozenset()


class Account(t.NamedTuple):
    """Where to read, and for whom: `clients` by the name of the service."""

    clients: t.Mapping[str, t.Any]
    project: str


Read = t.Callable[[Account], t.Iterable[Found]]


class Kind(t.NamedTuple):
    """`tag` is the tag of the playbooks under which it is created and deleted."""

    name: str
    tag: str
    read: Read


@aws_call
def read(kind: Kind, account: Account) -> list[Found]:
    return list(kind.read(account))


def side_by_side(ask: t.Callable[[t.Any], t.Any], items: t.Iterable[t.Any]) -> list[t.Any]:
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(ask, items))


def tagged(items: t.Sequence[Json], read: t.Callable[[Json], tags.Tags]) -> t.Iterator[tuple[Json, tags.Tags]]:
    """Resources whose tags have to be requested one by one; one that was deleted meanwhile is left out."""

    def ask(item: Json) -> tags.Tags | None:
        try:
            return read(item)
        except ClientError as error:
            if translate(error).code == NOT_FOUND or "NoSuch" in error.response["Error"]["Code"]:
                return None
            raise

    answers = side_by_side(ask, items)
    return ((item, found) for item, found in zip(items, answers, strict=True) if found is not None)


def ec2(operation: str, member: str, identity: str, name: str = "", holds: str = "") -> Read:
    """A kind whose answers carry their tags and can be filtered by them."""

    def find(account: Account) -> t.Iterator[Found]:
        filters = [{"Name": f"tag:{tags.PROJECT}", "Values": [account.project]}]
        for item in pages(account.clients["ec2"], operation, member, Filters=filters):
            for one in item["Instances"] if member == "Reservations" else [item]:
                state = one.get("State")
                if (state["Name"] if isinstance(state, dict) else state) in DELETED:
                    continue
                own = tags.from_list(one.get("Tags"))
                yield Found(one[identity], one.get(name) or own.get("Name", ""), own, holds)

    return find


def addresses(account: Account) -> t.Iterator[Found]:
    filters = [{"Name": f"tag:{tags.PROJECT}", "Values": [account.project]}]
    for one in account.clients["ec2"].describe_addresses(Filters=filters)["Addresses"]:
        own = tags.from_list(one.get("Tags"))
        yield Found(one["AllocationId"], own.get("Name", ""), own)


def key_pairs(account: Account) -> t.Iterator[Found]:
    filters = [{"Name": f"tag:{tags.PROJECT}", "Values": [account.project]}]
    for one in account.clients["ec2"].describe_key_pairs(Filters=filters)["KeyPairs"]:
        yield Found(one["KeyPairId"], one["KeyName"], tags.from_list(one.get("Tags")), "its private half")


def services(account: Account) -> t.Iterator[Found]:
    ecs = account.clients["ecs"]
    for cluster in pages(ecs, "list_clusters", "clusterArns"):
        for arns in batches(pages(ecs, "list_services", "serviceArns", cluster=cluster), 10):
            answer = ecs.describe_services(cluster=cluster, services=arns, include=["TAGS"])
            for one in described("DescribeServices", answer, "services", "serviceArn", arns):
                if one["status"] not in DELETED:
                    yield Found(one["serviceArn"], one["serviceName"], tags.from_list(one.get("tags")))


def families(account: Account) -> t.Iterator[Found]:
    """Task definitions. The newest revision says whose the family is."""
    ecs = account.clients["ecs"]
    names = [{"family": name} for name in pages(ecs, "list_task_definition_families", "families", status="ACTIVE")]

    def read(item: Json) -> tags.Tags:
        answer = ecs.describe_task_definition(taskDefinition=item["family"], include=["TAGS"])
        return tags.from_list(answer.get("tags"))

    return (Found(item["family"], item["family"], own) for item, own in tagged(names, read))


def clusters(account: Account) -> t.Iterator[Found]:
    ecs = account.clients["ecs"]
    for arns in batches(pages(ecs, "list_clusters", "clusterArns"), 100):
        answer = ecs.describe_clusters(clusters=arns, include=["TAGS"])
        for one in described("DescribeClusters", answer, "clusters", "clusterArn", arns):
            if one["status"] not in DELETED:
                yield Found(one["clusterArn"], one["clusterName"], tags.from_list(one.get("tags")))


def capacity_providers(account: Account) -> t.Iterator[Found]:
    for one in account.clients["ecs"].describe_capacity_providers(include=["TAGS"])["capacityProviders"]:
        if one.get("status") not in DELETED:
            yield Found(one["name"], one["name"], tags.from_list(one.get("tags")))


def scaling_groups(account: Account) -> t.Iterator[Found]:
    filters = [{"Name": f"tag:{tags.PROJECT}", "Values": [account.project]}]
    scaling = account.clients["autoscaling"]
    for one in pages(scaling, "describe_auto_scaling_groups", "AutoScalingGroups", Filters=filters):
        name = one["AutoScalingGroupName"]
        yield Found(name, name, tags.from_list(one.get("Tags")))


def balanced(operation: str, member: str, prefix: str) -> Read:
    """Load balancers and what is theirs: tags of twenty at a time."""

    def find(account: Account) -> t.Iterator[Found]:
        elb = account.clients["elbv2"]
        for some in batches(pages(elb, operation, member), 20):
            names = {one[f"{prefix}Arn"]: one[f"{prefix}Name"] for one in some}
            found = elb.describe_tags(ResourceArns=list(names))["TagDescriptions"]
            check_complete("DescribeTags", names, [one["ResourceArn"] for one in found])
            for one in found:
                yield Found(one["ResourceArn"], names[one["ResourceArn"]], tags.from_list(one["Tags"]))

    return find


def certificates(account: Account) -> t.Iterator[Found]:
    acm = account.clients["acm"]

    def read(item: Json) -> tags.Tags:
        return tags.from_list(acm.list_tags_for_certificate(CertificateArn=item["CertificateArn"])["Tags"])

    found = pages(acm, "list_certificates", "CertificateSummaryList")
    return (Found(item["CertificateArn"], item["DomainName"], own) for item, own in tagged(found, read))


def buckets(account: Account) -> t.Iterator[Found]:
    s3 = account.clients["s3"]

    def read(item: Json) -> tags.Tags:
        try:
            return tags.from_list(s3.get_bucket_tagging(Bucket=item["Name"])["TagSet"])
        except ClientError as error:
            # A bucket that we may not read, or one of another region, belongs to someone else.
            if error.response["Error"]["Code"] in {"AccessDenied", "PermanentRedirect", "AuthorizationHeaderMalformed"}:
                return {}
            raise

    found = s3.list_buckets()["Buckets"]
    return (Found(item["Name"], item["Name"], own, "access logs") for item, own in tagged(found, read))


def log_groups(account: Account) -> t.Iterator[Found]:
    logs = account.clients["logs"]

    def read(item: Json) -> tags.Tags:
        answer = logs.list_tags_for_resource(resourceArn=item["arn"].removesuffix(":*"))
        return dict(answer["tags"])

    found = pages(logs, "describe_log_groups", "logGroups")
    return (Found(item["logGroupName"], item["logGroupName"], own) for item, own in tagged(found, read))


def parameters(account: Account) -> t.Iterator[Found]:
    ssm = account.clients["ssm"]
    mine = [{"Key": f"tag:{tags.PROJECT}", "Values": [account.project]}]

    def read(item: Json) -> tags.Tags:
        answer = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=item["Name"])
        return tags.from_list(answer["TagList"])

    found = pages(ssm, "describe_parameters", "Parameters", ParameterFilters=mine)
    return (Found(item["Name"], item["Name"], own) for item, own in tagged(found, read))


def secrets(account: Account) -> t.Iterator[Found]:
    mine = [{"Key": "tag-key", "Values": [tags.PROJECT]}, {"Key": "tag-value", "Values": [account.project]}]
    for one in pages(account.clients["secretsmanager"], "list_secrets", "SecretList", Filters=mine):
        if not one.get("DeletedDate"):
            yield Found(one["ARN"], one["Name"], tags.from_list(one.get("Tags")))


def namespaces(account: Account) -> t.Iterator[Found]:
    discovery = account.clients["servicediscovery"]

    def read(item: Json) -> tags.Tags:
        return tags.from_list(discovery.list_tags_for_resource(ResourceARN=item["Arn"])["Tags"])

    found = pages(discovery, "list_namespaces", "Namespaces")
    return (Found(item["Id"], item["Name"], own) for item, own in tagged(found, read))


def repositories(account: Account) -> t.Iterator[Found]:
    ecr = account.clients["ecr"]

    def read(item: Json) -> tags.Tags:
        return tags.from_list(ecr.list_tags_for_resource(resourceArn=item["repositoryArn"])["tags"])

    for item, own in tagged(pages(ecr, "describe_repositories", "repositories"), read):
        name = item["repositoryName"]
        full = tags.belongs_to(own, account.project) and ecr.list_images(repositoryName=name, maxResults=1)["imageIds"]
        yield Found(name, name, own, "images" if full else "")


def iam(operation: str, member: str, name: str, read_tags: str) -> Read:
    """IAM is of the account, not of a region, and does not list tags."""

    def find(account: Account) -> t.Iterator[Found]:
        client = account.clients["iam"]

        def read(item: Json) -> tags.Tags:
            return tags.from_list(getattr(client, read_tags)(**{name: item[name]})["Tags"])

        return (Found(item[name], item[name], own) for item, own in tagged(pages(client, operation, member), read))

    return find


# In the order in which they are deleted.
KINDS = (
    Kind("service", "service", services),
    Kind("task definition", "service", families),
    Kind("parameter", "service", parameters),
    Kind("secret", "service", secrets),
    Kind("load balancer", "load_balancer", balanced("describe_load_balancers", "LoadBalancers", "LoadBalancer")),
    Kind("target group", "load_balancer", balanced("describe_target_groups", "TargetGroups", "TargetGroup")),
    Kind("certificate", "load_balancer", certificates),
    Kind("bucket", "load_balancer", buckets),
    Kind("cluster", "cluster", clusters),
    Kind("capacity provider", "cluster", capacity_providers),
    Kind("Auto Scaling group", "cluster", scaling_groups),
    Kind(
        "launch template",
        "cluster",
        ec2("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId", "LaunchTemplateName"),
    ),
    Kind("namespace", "discovery", namespaces),
    Kind("log group", "cluster", log_groups),
    Kind("instance", "docker_instance", ec2("describe_instances", "Reservations", "InstanceId")),
    Kind("volume", "docker_instance", ec2("describe_volumes", "Volumes", "VolumeId")),
    Kind("key pair", "docker_instance", key_pairs),
    Kind("IAM role", "cluster", iam("list_roles", "Roles", "RoleName", "list_role_tags")),
    Kind(
        "instance profile",
        "cluster",
        iam("list_instance_profiles", "InstanceProfiles", "InstanceProfileName", "list_instance_profile_tags"),
    ),
    Kind("repository", "registry", repositories),
    Kind("NAT gateway", "network", ec2("describe_nat_gateways", "NatGateways", "NatGatewayId")),
    Kind("elastic IP", "network", addresses),
    Kind("VPC endpoint", "network", ec2("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId")),
    Kind("security group", "network", ec2("describe_security_groups", "SecurityGroups", "GroupId", "GroupName")),
    Kind("subnet", "network", ec2("describe_subnets", "Subnets", "SubnetId")),
    Kind("route table", "network", ec2("describe_route_tables", "RouteTables", "RouteTableId")),
    Kind("internet gateway", "network", ec2("describe_internet_gateways", "InternetGateways", "InternetGatewayId")),
    Kind("VPC", "network", ec2("describe_vpcs", "Vpcs", "VpcId")),
)
# Every service that KINDS asks.
SERVICES = (
    *("acm", "autoscaling", "ec2", "ecr", "ecs", "elbv2", "iam", "logs"),
    *("s3", "secretsmanager", "servicediscovery", "ssm"),
)
