# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preflight reads: one typed function for each call. None is what does not exist."""

from __future__ import annotations

import json
import typing as t

from ansible.module_utils.urls import open_url

from ..._core.answers import described
from ..._core.elb_tags import tags_of
from ..._core.errors import aws_call
from ..._core.names import is_arn, last
from ..._core.paging import batches, pages
from ..._core.tags import Tags
from ..._core.types import Client, Items, Json
from ..network import api as network_api

# Manifests of images and of indexes that hold one for each platform.
MANIFESTS = [
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
]
IDS_BATCH = 200
NAMES_BATCH = 50
SECONDS = 3


def _complete(found: t.Mapping[str, t.Any], *members: str) -> Json:
    """What AWS always sends has to come: without it, a check would take something for missing."""
    for name in members:
        if found[name] is None:
            raise KeyError(name)
    return dict(found)


def _first(found: t.Iterable[Json], *members: str) -> Json | None:
    return next((_complete(one, *members) for one in found), None)


@aws_call
def caller(sts: Client) -> Json:
    return _complete(sts.get_caller_identity(), "Account", "Arn")


@aws_call
def cluster(ecs: Client, name: str) -> Json | None:
    answer = ecs.describe_clusters(clusters=[name], include=["SETTINGS"])
    found = described("DescribeClusters", answer, "clusters", "clusterArn", [name])
    return _first(found, "status", "capacityProviders")


@aws_call
def role(iam: Client, name: str) -> Json:
    return _complete(iam.get_role(RoleName=name)["Role"], "Arn", "AssumeRolePolicyDocument")


@aws_call
def permissions(iam: Client, role_arn: str, resource: str, *actions: str) -> dict[str, str]:
    """The decision for each action. What depends on a condition is neither allowed nor denied."""
    request = {"PolicySourceArn": role_arn, "ActionNames": list(actions), "ResourceArns": [resource]}
    found = pages(iam, "simulate_principal_policy", "EvaluationResults", **request)
    return {
        str(one["EvalActionName"]): "conditional" if one.get("MissingContextValues") else str(one["EvalDecision"])
        for one in found
    }


@aws_call
def image(ecr: Client, registry: str, repository: str, **identity: str) -> Json | None:
    answer = ecr.batch_get_image(
        registryId=registry, repositoryName=repository, imageIds=[identity], acceptedMediaTypes=MANIFESTS
    )
    return _first(answer["images"], "imageManifest")


@aws_call
def image_platform(ecr: Client, registry: str, repository: str, digest: str) -> Json | None:
    """The configuration of an image, which the registry serves as a file."""
    answer = ecr.get_download_url_for_layer(registryId=registry, repositoryName=repository, layerDigest=digest)
    return dict(json.load(open_url(str(answer["downloadUrl"]), timeout=SECONDS)))


@aws_call
def subnets(ec2: Client, names: Items) -> dict[str, Json]:
    return {one["SubnetId"]: one for one in _filtered(ec2, "describe_subnets", "Subnets", "subnet-id", names)}


@aws_call
def security_groups(ec2: Client, names: Items) -> dict[str, Json]:
    found = _filtered(ec2, "describe_security_groups", "SecurityGroups", "group-id", names)
    return {one["GroupId"]: _complete(one, "VpcId") for one in found}


@aws_call
def groups_of_vpc(ec2: Client, vpc: str) -> list[Json]:
    """With all rules."""
    found = network_api.describe_security_groups(ec2, vpc)
    for group in found:
        for rule in (*group["IpPermissions"], *group["IpPermissionsEgress"]):
            _complete(rule, "IpProtocol", "IpRanges", "UserIdGroupPairs")
            if rule["IpProtocol"] != "-1":
                _complete(rule, "FromPort", "ToPort")
            for pair in rule["UserIdGroupPairs"]:
                _complete(pair, "GroupId")
    return found


@aws_call
def route_tables_of_vpc(ec2: Client, vpc: str) -> list[Json]:
    """With all routes."""
    return [_complete(one, "Routes", "Associations") for one in network_api.describe_route_tables(ec2, vpc)]


def _filtered(ec2: Client, operation: str, member: str, name: str, values: Items) -> list[Json]:
    """A filter leaves out what does not exist; an id in the request would fail the call."""
    return [
        one
        for some in batches(values, IDS_BATCH)
        for one in pages(ec2, operation, member, Filters=[{"Name": name, "Values": some}])
    ]


@aws_call
def filtered(ec2: Client, operation: str, member: str, filters: Json) -> list[Json]:
    """What has all of these values; an id may be one of several."""
    asked = [{"Name": name, "Values": value if isinstance(value, list) else [value]} for name, value in filters.items()]
    return pages(ec2, operation, member, Filters=asked)


@aws_call
def vpcs(ec2: Client) -> list[Json]:
    return pages(ec2, "describe_vpcs", "Vpcs")


@aws_call
def addresses(ec2: Client) -> list[Json]:
    return list(ec2.describe_addresses()["Addresses"])


@aws_call
def load_balancers(elbv2: Client) -> list[Json]:
    found = pages(elbv2, "describe_load_balancers", "LoadBalancers")
    return [_complete(one, "LoadBalancerArn", "Type", "VpcId", "State") for one in found]


@aws_call
def application_load_balancers(elbv2: Client) -> list[Json]:
    return [one for one in load_balancers(elbv2) if one["Type"] == "application"]


def load_balancer_tags(elbv2: Client, *arns: str) -> dict[str, Tags]:
    return tags_of(elbv2, arns)


@aws_call
def load_balancer(elbv2: Client, name: str) -> Json | None:
    wanted = {"LoadBalancerArns" if is_arn(name) else "Names": [name]}
    return _first(elbv2.describe_load_balancers(**wanted)["LoadBalancers"], "LoadBalancerArn", "Type", "VpcId", "State")


@aws_call
def target_group(elbv2: Client, name: str) -> Json | None:
    wanted = {"TargetGroupArns" if is_arn(name) else "Names": [name]}
    return _first(elbv2.describe_target_groups(**wanted)["TargetGroups"], "TargetType", "LoadBalancerArns")


@aws_call
def function(client: Client, arn: str) -> Json:
    return _complete(client.get_function_configuration(FunctionName=arn), "FunctionName", "State")


@aws_call
def listener_rule(elbv2: Client, arn: str) -> Json | None:
    return _first(elbv2.describe_rules(RuleArns=[arn])["Rules"])


@aws_call
def log_group(logs: Client, name: str) -> Json | None:
    found = pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    return next((one for one in found if one["logGroupName"] == name), None)


@aws_call
def parameters(ssm: Client, names: Items) -> dict[str, Json]:
    """Without their values."""
    found: dict[str, Json] = {}
    for some in batches(names, NAMES_BATCH):
        filters = [{"Key": "Name", "Option": "Equals", "Values": some}]
        found |= {one["Name"]: one for one in pages(ssm, "describe_parameters", "Parameters", ParameterFilters=filters)}
    return found


@aws_call
def secret(manager: Client, name: str) -> Json:
    return dict(manager.describe_secret(SecretId=name))


@aws_call
def s3_object(s3: Client, arn: str) -> Json | None:
    name, _slash, key = arn.rpartition(":")[2].partition("/")
    found = s3.list_objects_v2(Bucket=name, Prefix=key, MaxKeys=1).get("Contents") or ()
    return next((dict(one) for one in found if one["Key"] == key), None)


@aws_call
def bucket_region(s3: Client, name: str) -> Json:
    """The oldest region has no name there."""
    return {"region": s3.get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1"}


@aws_call
def file_system(efs: Client, name: str) -> Json | None:
    return _first(efs.describe_file_systems(FileSystemId=name)["FileSystems"], "LifeCycleState")


@aws_call
def access_point(efs: Client, name: str) -> Json | None:
    return _first(efs.describe_access_points(AccessPointId=name)["AccessPoints"], "FileSystemId")


@aws_call
def mount_targets(efs: Client, system: str) -> list[Json]:
    found = pages(efs, "describe_mount_targets", "MountTargets", FileSystemId=system)
    return [{**one, "SecurityGroups": _groups(efs, one["MountTargetId"])} for one in found]


def _groups(efs: Client, target: str) -> list[str]:
    return list(efs.describe_mount_target_security_groups(MountTargetId=target)["SecurityGroups"])


@aws_call
def alarms(cloudwatch: Client, names: Items) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for some in batches(names, NAMES_BATCH):
        answer = cloudwatch.describe_alarms(AlarmNames=some, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        every = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        found |= {one["AlarmName"]: one for one in every}
    return found


@aws_call
def namespace(cloud_map: Client, name: str) -> Json | None:
    if is_arn(name):
        return dict(cloud_map.get_namespace(Id=last(name))["Namespace"])
    found = pages(cloud_map, "list_namespaces", "Namespaces")
    return next((one for one in found if one["Name"] == name), None)


@aws_call
def discovery_service(cloud_map: Client, arn: str) -> Json:
    return _complete(cloud_map.get_service(Id=last(arn))["Service"], "Name")


@aws_call
def certificate(acm: Client, arn: str) -> Json:
    return _complete(acm.describe_certificate(CertificateArn=arn)["Certificate"], "SubjectAlternativeNames")


@aws_call
def hosted_zones(route53: Client) -> list[Json]:
    return pages(route53, "list_hosted_zones", "HostedZones")


@aws_call
def quota(quotas: Client, code: str, service: str) -> Json:
    return _complete(quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"], "Value")


@aws_call
def default_quota(quotas: Client, code: str, service: str) -> Json:
    """Of an account that never asked for another one."""
    answer = quotas.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)
    return _complete(answer["Quota"], "Value")
