# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a project owns is found, each kind of it; what another one owns is not, nor what is deleted."""

from __future__ import annotations

import json
import typing as t

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._project import api
from ansible_collections.slipway.aws.plugins.module_utils._project.kinds.base_api import Account, Found, Kind
from ansible_collections.slipway.aws.plugins.plugin_utils.teardown import teardown

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
CONTAINER = {"name": "web", "image": "web", "memory": 64, "portMappings": [{"containerPort": 80}]}
TRUST = '{"Version": "2012-10-17", "Statement": []}'


def upper(project: str) -> list[Json]:
    return [{"Key": "slipway:project", "Value": project}]


def lower(project: str) -> list[Json]:
    return [{"key": "slipway:project", "value": project}]


def specified(kind: str, project: str) -> list[Json]:
    return [{"ResourceType": kind, "Tags": upper(project)}]


def make_network(project: str) -> str:
    ec2 = boto3.client("ec2")

    def tagged(kind: str) -> Json:
        return {"TagSpecifications": specified(kind, project)}

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", **tagged("vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", **tagged("subnet"))["Subnet"]["SubnetId"]
    ec2.create_internet_gateway(**tagged("internet-gateway"))
    ec2.create_route_table(VpcId=vpc, **tagged("route-table"))
    ec2.create_security_group(VpcId=vpc, GroupName="web", Description="web", **tagged("security-group"))
    address = ec2.allocate_address(Domain="vpc", **tagged("elastic-ip"))["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address, **tagged("natgateway"))
    gone = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private", **tagged("natgateway"))["NatGateway"]
    ec2.delete_nat_gateway(NatGatewayId=gone["NatGatewayId"])
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.eu-central-1.s3", **tagged("vpc-endpoint"))
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="REJECT",
        LogGroupName=f"/ecs/{project}/flow-logs",
        DeliverLogsPermissionArn=f"arn:aws:iam::123456789012:role/{project}-flow-logs",
        **tagged("vpc-flow-log"),
    )
    return str(subnet)


def make_host(project: str, subnet: str) -> None:
    ec2, iam = boto3.client("ec2"), boto3.client("iam")
    ec2.create_key_pair(KeyName=f"{project}-key", TagSpecifications=specified("key-pair", project))
    machines = ec2.run_instances(
        ImageId="ami-0123456789abcdef0",
        MinCount=2,
        MaxCount=2,
        SubnetId=subnet,
        TagSpecifications=specified("instance", project) + specified("volume", project),
    )["Instances"]
    ec2.terminate_instances(InstanceIds=[machines[0]["InstanceId"]])
    iam.create_role(RoleName=f"{project}-host", AssumeRolePolicyDocument=TRUST, Tags=upper(project))
    elsewhere = [*upper(project), {"Key": "slipway:region", "Value": "us-east-1"}]
    iam.create_role(RoleName=f"{project}-elsewhere", AssumeRolePolicyDocument=TRUST, Tags=elsewhere)
    iam.create_instance_profile(InstanceProfileName=f"{project}-host", Tags=upper(project))
    data = {"InstanceType": "t3.micro"}
    template = {"LaunchTemplateName": f"{project}-hosts", "LaunchTemplateData": data}
    ec2.create_launch_template(**template, TagSpecifications=specified("launch-template", project))
    boto3.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=f"{project}-hosts",
        LaunchTemplate={"LaunchTemplateName": f"{project}-hosts"},
        MinSize=0,
        MaxSize=0,
        VPCZoneIdentifier=subnet,
        Tags=upper(project),
    )


def make_site(project: str) -> None:
    ecs, elb = boto3.client("ecs"), boto3.client("elbv2")
    ecs.create_cluster(clusterName=project, tags=lower(project))
    provider = {"autoScalingGroupArn": "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:1:group/a"}
    ecs.create_capacity_provider(name=f"{project}-hosts", autoScalingGroupProvider=provider, tags=lower(project))
    ecs.register_task_definition(family=f"{project}-web", containerDefinitions=[CONTAINER], tags=lower(project))
    ecs.create_service(
        cluster=project, serviceName="web", taskDefinition=f"{project}-web", desiredCount=0, tags=lower(project)
    )
    vpc = boto3.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    zones = boto3.client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    elb.create_load_balancer(Name=project, Subnets=[zone["SubnetId"] for zone in zones], Tags=upper(project))
    elb.create_target_group(Name=project, Protocol="HTTP", Port=80, VpcId=vpc, Tags=upper(project))
    make_rule_on_load_balancer_of_others(project, [zone["SubnetId"] for zone in zones])
    boto3.client("acm").request_certificate(DomainName=f"{project}.example.com", Tags=upper(project))
    boto3.client("servicediscovery").create_http_namespace(Name=project, Tags=upper(project))
    make_schedule(project)


def make_rule_on_load_balancer_of_others(project: str, subnets: list[str]) -> None:
    elb = boto3.client("elbv2")
    balancer = elb.create_load_balancer(Name=f"of-others-{project}", Subnets=subnets)["LoadBalancers"][0]
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[nothing]
    )["Listeners"][0]["ListenerArn"]
    [group] = elb.describe_target_groups(Names=[project])["TargetGroups"]
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}
    for priority, tags in ((5, {"Tags": upper(project)}), (6, {})):
        path = [{"Field": "path-pattern", "Values": [f"/{priority}"]}]
        elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=path, Actions=[forward], **tags)


def make_schedule(project: str) -> None:
    scheduler = boto3.client("scheduler")
    scheduler.create_schedule_group(Name=project, Tags=upper(project))
    here = "eu-central-1:123456789012"
    overrides = {"containerOverrides": [{"name": "web", "environment": [{"name": "API_TOKEN", "value": "x"}]}]}
    scheduler.create_schedule(
        GroupName=project,
        Name="night",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:ecs:{here}:cluster/{project}",
            "RoleArn": "arn:aws:iam::123456789012:role/schedules",
            "EcsParameters": {"TaskDefinitionArn": f"arn:aws:ecs:{here}:task-definition/{project}-web:1"},
            "Input": json.dumps(overrides),
        },
    )


def make_data(project: str) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=f"{project}-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_tagging(Bucket=f"{project}-logs", Tagging={"TagSet": upper(project)})
    boto3.client("ecr").create_repository(repositoryName=f"{project}/web", tags=upper(project))
    boto3.client("logs").create_log_group(logGroupName=f"/ecs/{project}", tags={"slipway:project": project})
    boto3.client("ssm").put_parameter(Name=f"/{project}/key", Value="x", Type="SecureString", Tags=upper(project))
    boto3.client("secretsmanager").create_secret(Name=f"{project}-key", SecretString="x", Tags=upper(project))


def make_all(project: str) -> None:
    make_host(project, make_network(project))
    make_site(project)
    make_data(project)


# Of these, moto cannot list the tags, and MiniStack keeps none.
MOTO = {"instance profile"}
MINISTACK = {"volume"}


@pytest.mark.witness("project_info")
@pytest.mark.parametrize(("emulator", "untold"), [("moto", MOTO), ("ministack", MINISTACK)], indirect=["emulator"])
def test_one_of_each_kind_is_found_and_nothing_of_others(
    run: RunModule, untold: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tuple(kind for kind in api.KINDS if kind.name not in untold and not kind.detailed)
    monkeypatch.setattr(api, "KINDS", told)
    make_all("ours")
    make_all("theirs")
    boto3.client("logs").create_log_group(logGroupName="/without/tags")
    found = run("project_info", project="ours")
    assert not found["changed"]
    assert [one["kind"] for one in found["resources"]] == [kind.name for kind in told]
    assert {one["tags"]["slipway:project"] for one in found["resources"]} == {"ours"}
    assert run("project_info", project="nobody")["resources"] == []


def test_what_may_not_be_read_is_no_empty_answer(run: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_account: Account) -> t.Iterator[Found]:
        answer: Json = {"Error": {"Code": "AccessDenied", "Message": "not for you"}}
        raise ClientError(answer, "ListRoles")

    monkeypatch.setattr(api, "KINDS", (*api.KINDS[:1], Kind("IAM role", "ecs_cluster", "iam", denied)))
    found = run("project_info", project="ours")
    assert (found["failed"], found["code"]) == (True, "access_denied")


def test_a_bucket_of_somebody_else_is_none_of_ours(run: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "KINDS", tuple(kind for kind in api.KINDS if kind.name == "bucket"))
    for name in ("ours", "hidden", "gone"):
        make_data(name)
    codes = {"hidden-logs": "AccessDenied", "gone-logs": "NoSuchBucket"}
    call = botocore.client.BaseClient._make_api_call

    def refused(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "GetBucketTagging" and request["Bucket"] in codes:
            raise ClientError({"Error": {"Code": codes[request["Bucket"]], "Message": ""}}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refused)
    assert [one["name"] for one in run("project_info", project="ours")["resources"]] == ["ours-logs"]
    codes["hidden-logs"] = "InternalError"
    assert run("project_info", project="ours")["failed"]


def resource(kind: str, tag: str, **members: str) -> Json:
    return {"kind": kind, "tag": tag, "id": "", "name": "", "holds": "", **members}


RESOURCES = [
    resource("load balancer", "load_balancer", name="web", id="arn:aws:elb:1"),
    resource("repository", "registry", name="full", id="full", holds="images"),
    resource("repository", "registry", name="empty", id="empty"),
    resource("IAM role", "docker_instance", name="host", id="host"),
    resource("VPC", "network", name="ecs-vpc", id="vpc-1"),
]


@pytest.mark.parametrize(
    ("run_tags", "skip_tags", "images", "deleted", "kept"),
    [
        (["all"], [], False, ["web", "empty", "host", "ecs-vpc  vpc-1"], ["full"]),
        (["all"], [], True, ["web", "full", "empty", "host", "ecs-vpc  vpc-1"], []),
        (["registry", "cluster"], [], False, ["empty"], ["full"]),
        (["docker_instance"], [], False, ["host"], []),
        (["all"], ["network", "registry"], False, ["web", "host"], []),
    ],
)
def test_a_teardown_lists_what_it_deletes_and_what_it_keeps(
    run_tags: list[str], skip_tags: list[str], images: bool, deleted: list[str], kept: list[str]
) -> None:
    retention = {"repository": {"variable": "with_images", "value": images}}
    listed = teardown(RESOURCES, run_tags, skip_tags, retention)
    # After the kind, in a column of its own.
    assert [line[19:] for line in listed["deleted"]] == deleted
    assert [line[19:] for line in listed["kept"]] == [
        f"{name}  holds images; delete with -e with_images=true" for name in kept
    ]
