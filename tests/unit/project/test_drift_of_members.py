# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each member that an emulator changes is drift: of a service, its scaling, a task definition, a target group, a
security group and a route. The members come from AWS's own description of the call, each with another value."""

from __future__ import annotations

import copy
import json
import typing as t

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.slipway.aws.plugins.module_utils._project import api, model, state
from ansible_collections.slipway.aws.plugins.module_utils._project.drift import model as drift_model
from ansible_collections.slipway.aws.plugins.module_utils._project.kinds.base_api import Account

Json = dict[str, t.Any]
PROJECT = "shop"
CAPITAL = [{"Key": "slipway:project", "Value": PROJECT}]
LOWER = [{"key": "slipway:project", "value": PROJECT}]
pytestmark = [pytest.mark.variants, pytest.mark.own_cloud("makes up values that AWS refuses")]
EMULATORS = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)


class Call(t.NamedTuple):
    """A call that changes one member of a resource of a kind; `label` names it where a test fails."""

    label: str
    kind: str
    service: str
    operation: str
    request: Json


def read(name: str) -> dict[str, Json]:
    """The resources of a kind as the reader returns them, by id."""
    kind = next(one for one in api.KINDS if one.name == name)
    account = Account(
        {service: boto3.client(service) for service in (kind.service, "application-autoscaling", "cloudwatch")}, PROJECT
    )
    found = {}
    for one in api.read(kind, account):
        details = dict(one.details)
        for part in kind.parts:
            try:
                details.update(api.read_part(part, account, one))
            except Exception:  # pylint: disable=broad-exception-caught
                # MiniStack has no Application Auto Scaling.
                assert name == "service"
        resource = {"kind": name, "id": one.id, "name": one.name, "role": kind.role, "tags": one.tags}
        found[one.id] = json.loads(json.dumps({**resource, "details": model.plain(details)}))
    return found


def drift(before: dict[str, Json], after: dict[str, Json]) -> list[Json]:
    """What drift says of resources."""
    states = {f"{one['kind']} {one['id']}": state.converged_state(one) for one in before.values()}
    record = {"role": "ecs_app", "at": "2026-11-29T12:00:00Z", "by": "", "state": states}
    roles = {one["role"] for one in (*before.values(), *after.values())}
    live = drift_model.live({"resources": list(after.values()), "unknown": []})
    found = drift_model.drift(dict.fromkeys(roles, record), {}, live)
    return t.cast(list[Json], found["resources"])


# Values of other members follow from their shapes.
VALUES: dict[str, t.Any] = {
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 3}],
    "deploymentController": {"type": "EXTERNAL"},
    "healthCheckGracePeriodSeconds": 77,
    "Matcher": {"HttpCode": "201"},
    "HealthCheckPort": "8081",
    "placementStrategy": [{"type": "spread", "field": "host"}],
    "platformVersion": "1.3.0",
    "requiresCompatibilities": ["EXTERNAL"],
    "cpu": "512",
    "memory": "1024",
}


def other(shape: t.Any, name: str, above: tuple[str, ...] = ()) -> t.Any:
    """A value of a shape that is not AWS's default."""
    if name in VALUES and not above:
        return VALUES[name]
    if shape.name in above:
        return None
    above = (*above, shape.name)
    if shape.type_name == "structure":
        members = {member: other(inner, member, above) for member, inner in shape.members.items()}
        return {member: value for member, value in members.items() if value is not None}
    if shape.type_name == "list":
        element = other(shape.member, name, above)
        return None if element is None else [element]
    if shape.type_name == "map":
        return {"first": other(shape.value, name, above)}
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long", "double", "float"):
        return 7
    return shape.enum[-1] if getattr(shape, "enum", None) else "by-hand"


def members_of(service: str, operation: str) -> dict[str, t.Any]:
    model_of = boto3.client(service).meta.service_model
    shape = model_of.operation_model(operation).input_shape
    return dict(shape.members) if shape else {}


def network() -> tuple[str, list[str]]:
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"][:2]]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    return vpc, subnets


CONTAINER: Json = {"name": "web", "image": "web:1", "memory": 64, "essential": True}
DEFINITION: Json = {
    "family": "shop-web",
    "containerDefinitions": [CONTAINER],
    "cpu": "256",
    "memory": "512",
    "tags": LOWER,
}


def service_calls() -> t.Iterator[Call]:
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName=PROJECT)
    ecs.register_task_definition(**DEFINITION)
    ecs.create_service(cluster=PROJECT, serviceName="web", taskDefinition="shop-web", desiredCount=0, tags=LOWER)
    own: Json = {"cluster": PROJECT, "service": "web"}
    for name, shape in members_of("ecs", "UpdateService").items():
        if name not in own:
            value = other(shape, name)
            if name == "taskDefinition":
                ecs.register_task_definition(**{**DEFINITION, "cpu": "512"})
                value = "shop-web:2"
            yield Call(name, "service", "ecs", "update_service", {**own, name: value})


def definition_calls() -> t.Iterator[Call]:
    boto3.client("ecs").register_task_definition(**DEFINITION)
    operation = members_of("ecs", "RegisterTaskDefinition")
    for name, shape in operation.items():
        if name not in DEFINITION or name in VALUES:
            request = {**DEFINITION, name: other(shape, name)}
            yield Call(name, "task definition", "ecs", "register_task_definition", request)
    for name, shape in operation["containerDefinitions"].member.members.items():
        if name != "name":
            request = {**DEFINITION, "containerDefinitions": [{**CONTAINER, name: other(shape, name, ("",))}]}
            yield Call(f"containerDefinitions.{name}", "task definition", "ecs", "register_task_definition", request)


ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "77",
    "load_balancing.algorithm.type": "least_outstanding_requests",
    "load_balancing.cross_zone.enabled": "true",
    "slow_start.duration_seconds": "77",
    "stickiness.enabled": "true",
    "stickiness.lb_cookie.duration_seconds": "777",
    "stickiness.type": "app_cookie",
}


def target_group_calls() -> t.Iterator[Call]:
    vpc, _subnets = network()
    elb = boto3.client("elbv2")
    created = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", Tags=CAPITAL)
    own = {"TargetGroupArn": created["TargetGroups"][0]["TargetGroupArn"]}
    for name, shape in members_of("elbv2", "ModifyTargetGroup").items():
        if name not in own:
            value = (
                "/by-hand"
                if name == "HealthCheckPath"
                else False
                if name == "HealthCheckEnabled"
                else other(shape, name)
            )
            yield Call(name, "target group", "elbv2", "modify_target_group", {**own, name: value})
    for key, value in ATTRIBUTES.items():
        request = {**own, "Attributes": [{"Key": key, "Value": value}]}
        yield Call(key, "target group", "elbv2", "modify_target_group_attributes", request)


def security_group_calls() -> t.Iterator[Call]:
    vpc, _subnets = network()
    ec2 = boto3.client("ec2")
    tags = [{"ResourceType": "security-group", "Tags": CAPITAL}]
    group = ec2.create_security_group(VpcId=vpc, GroupName="web", Description="x", TagSpecifications=tags)["GroupId"]
    source = ec2.create_security_group(VpcId=vpc, GroupName="other", Description="x")["GroupId"]
    rule: Json = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    http = {**rule, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[http])
    more = {
        "IpRanges": {**rule, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]},
        "IpRanges.Description": {**rule, "IpRanges": [{"CidrIp": "192.0.3.0/24", "Description": "by hand"}]},
        "Ipv6Ranges": {**rule, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
        "UserIdGroupPairs": {**rule, "UserIdGroupPairs": [{"GroupId": source}]},
        "PrefixListIds": {**rule, "PrefixListIds": [{"PrefixListId": "pl-12345678"}]},
        "FromPort": {**http, "FromPort": 79},
        "ToPort": {**http, "ToPort": 81},
        "IpProtocol": {**http, "IpProtocol": "udp"},
        "every protocol": {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
    }
    for way in ("ingress", "egress"):
        for label, permission in more.items():
            request = {"GroupId": group, "IpPermissions": [permission]}
            yield Call(f"{way} {label}", "security group", "ec2", f"authorize_security_group_{way}", request)
    request = {"GroupId": group, "IpPermissions": [http]}
    yield Call("ingress revoked", "security group", "ec2", "revoke_security_group_ingress", request)
    described = [{**rule, "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "by hand"}]}]
    request = {"GroupId": group, "IpPermissions": described}
    operation = "update_security_group_rule_descriptions_ingress"
    yield Call("ingress description", "security group", "ec2", operation, request)


def route_calls() -> t.Iterator[Call]:
    vpc, subnets = network()
    ec2 = boto3.client("ec2")
    tags = [{"ResourceType": "route-table", "Tags": CAPITAL}]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tags)["RouteTable"]["RouteTableId"]
    gateway, second = (ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _number in range(2))
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    own: Json = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(**own, GatewayId=gateway)
    interface = ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    targets = {
        "GatewayId": second,
        "NatGatewayId": nat,
        "NetworkInterfaceId": interface,
        "TransitGatewayId": "tgw-12345678",
        "VpcPeeringConnectionId": "pcx-12345678",
    }
    for name, value in targets.items():
        yield Call(f"replaced {name}", "route table", "ec2", "replace_route", {**own, name: value})
    more: Json = {"RouteTableId": table, "DestinationCidrBlock": "192.0.2.0/24", "GatewayId": gateway}
    yield Call("DestinationCidrBlock", "route table", "ec2", "create_route", more)
    six: Json = {"RouteTableId": table, "DestinationIpv6CidrBlock": "::/0", "GatewayId": gateway}
    yield Call("DestinationIpv6CidrBlock", "route table", "ec2", "create_route", six)
    associated: Json = {"RouteTableId": table, "SubnetId": subnets[0]}
    yield Call("associated", "route table", "ec2", "associate_route_table", associated)
    yield Call("deleted", "route table", "ec2", "delete_route", own)


def scaling_calls() -> t.Iterator[Call]:
    ecs = boto3.client("ecs")
    ecs.create_cluster(clusterName=PROJECT)
    ecs.register_task_definition(**DEFINITION)
    ecs.create_service(cluster=PROJECT, serviceName="web", taskDefinition="shop-web", desiredCount=1, tags=LOWER)
    own: Json = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": "service/shop/web",
    }
    scaling = boto3.client("application-autoscaling")
    scaling.register_scalable_target(**own, MinCapacity=1, MaxCapacity=4)
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
    tracking: Json = {"TargetValue": 60.0, "ScaleInCooldown": 60, "ScaleOutCooldown": 60, **metric}
    policy: Json = {**own, "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    scaling.put_scaling_policy(**policy, TargetTrackingScalingPolicyConfiguration=tracking)

    def changed(**members: t.Any) -> Json:
        return {**policy, "TargetTrackingScalingPolicyConfiguration": {**tracking, **members}}

    target, put = "register_scalable_target", "put_scaling_policy"
    yield Call("MinCapacity", "service", "application-autoscaling", target, {**own, "MinCapacity": 2})
    yield Call("MaxCapacity", "service", "application-autoscaling", target, {**own, "MaxCapacity": 9})
    suspended = {"DynamicScalingInSuspended": True}
    yield Call("SuspendedState", "service", "application-autoscaling", target, {**own, "SuspendedState": suspended})
    for name, value in {
        "TargetValue": 70.0,
        "ScaleInCooldown": 7,
        "ScaleOutCooldown": 7,
        "DisableScaleIn": True,
    }.items():
        yield Call(name, "service", "application-autoscaling", put, changed(**{name: value}))
    memory = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}}
    yield Call("metric", "service", "application-autoscaling", put, changed(**memory))
    yield Call("policy", "service", "application-autoscaling", put, {**changed(), "PolicyName": "second"})
    step: Json = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
    start: Json = {**own, "PolicyName": "QueueStartFromZero", "PolicyType": "StepScaling"}
    scaling.put_scaling_policy(**start, StepScalingPolicyConfiguration=step)
    alarm: Json = {
        "AlarmName": "StepScaling-service/shop/web-QueueStartFromZero",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    boto3.client("cloudwatch").put_metric_alarm(**alarm)
    yield Call("Threshold", "service", "cloudwatch", "put_metric_alarm", {**alarm, "Threshold": 9.0})
    yield Call("deleted alarm", "service", "cloudwatch", "delete_alarms", {"AlarmNames": [alarm["AlarmName"]]})
    deleted = {**own, "PolicyName": "cpu"}
    yield Call("deleted policy", "service", "application-autoscaling", "delete_scaling_policy", deleted)


class Judged(t.NamedTuple):
    """Members that the emulator changed and drift saw, those that drift missed, and those that the emulator ignores."""

    seen: set[str]
    missed: set[str]
    ignored: set[str]


def judged(calls: t.Iterator[Call]) -> Judged:
    found = Judged(set(), set(), set())
    for call in calls:
        before = read(call.kind)
        try:
            getattr(boto3.client(call.service), call.operation)(**call.request)
        except (ClientError, BotoCoreError):
            found.ignored.add(call.label)
            continue
        after = read(call.kind)
        if relevant(before) == relevant(after):
            found.ignored.add(call.label)
        else:
            (found.seen if drift(before, after) else found.missed).add(call.label)
    return found


def relevant(resources: dict[str, Json]) -> dict[str, Json]:
    """Whole answers, without a log, times and rollouts."""
    found = copy.deepcopy(resources)
    for one in found.values():
        rollouts = ("deployments", "currentServiceDeployment", "currentServiceRevisions", "serviceDeployment")
        for name in ("events", "tasks", "registeredAt", *rollouts):
            one["details"].pop(name, None)
    return found


CASES = {
    "service": (service_calls, 8),
    "task definition": (definition_calls, 25),
    "target group": (target_group_calls, 12),
    "security group": (security_group_calls, 15),
    "route": (route_calls, 7),
}


@pytest.fixture(scope="module")
def ministack(start: t.Callable[..., str]) -> str:
    """Without the checks that refuse most of these values."""
    return start("-m", "ministack")


@EMULATORS
@pytest.mark.parametrize("kind", CASES)
def test_no_member_that_changes_is_missed(aws: None, kind: str) -> None:
    calls, at_least = CASES[kind]
    found = judged(calls())
    assert found.missed == set()
    assert len(found.seen) >= at_least, found


def test_no_member_of_scaling_is_missed(aws: None) -> None:
    found = judged(scaling_calls())
    assert found.missed == set()
    assert {"MinCapacity", "MaxCapacity", "TargetValue", "policy", "deleted policy"} <= found.seen, found
    assert {"Threshold", "deleted alarm"} <= found.seen, found


@pytest.mark.parametrize("member", ["HealthCheckPath", "Attributes"])
def test_a_member_that_is_not_compared_would_be_noticed(
    aws: None, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    ignored = state.Volatile("target group", member, "the test of this test")
    monkeypatch.setattr(state, "VOLATILE", (*state.VOLATILE, ignored))
    expected = set(ATTRIBUTES) - {"stickiness.type"} if member == "Attributes" else {member}
    assert judged(target_group_calls()).missed == expected
