# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that AWS would refuse are refused by the emulator, with AWS's error codes."""

from __future__ import annotations

import functools
import json
import re
import string
import sys
import typing as t
import urllib.request
from pathlib import Path

import boto3
import botocore.client
import botocore.exceptions
import pytest

from ansible_collections.slipway.aws.tests.unit.roles import request_examples as examples

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "roles/local_cloud/files"))
import request_checks  # found by the line before
from request_parser import Request
from request_rules import Rule, State

REGION = "eu-central-1"
pytestmark = pytest.mark.own_cloud("runs no module")
Json = dict[str, t.Any]


@functools.cache
def client(service: str, address: str) -> t.Any:
    """A client that sends what its own checks would stop, as other clients do."""
    return boto3.client(
        service,
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="key",
        aws_secret_access_key="b2f0c1d4e7a9",
        config=botocore.client.Config(parameter_validation=False, retries={"max_attempts": 1}),
    )


class Account:
    """What the examples need, on one emulator; names in angle brackets stand for IDs and ARNs."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.names: dict[str, str] = {}

    def call(self, operation: str, **parameters: t.Any) -> Json:
        service, _dot, method = operation.partition(".")
        return dict(getattr(client(service, self.address), method)(**self.resolved(parameters)))

    def resolved(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: self.resolved(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        return re.sub(r"<.*?>", lambda found: self.names[found[0]], value) if isinstance(value, str) else value

    def refused(self, operation: str, parameters: Json) -> tuple[str, str]:
        """Code and message of the error; empty if the request is accepted."""
        try:
            self.call(operation, **parameters)
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        return "", ""


@pytest.fixture(scope="module")
def account(ministack: str) -> Account:
    urllib.request.urlopen(urllib.request.Request(f"{ministack}/_ministack/reset", method="POST"), timeout=10).close()
    made = Account(ministack)
    create_network(made)
    create_balancer(made)
    create_cluster(made)
    create_stores(made)
    return made


def create_network(account: Account) -> None:
    """A VPC with subnets in two zones and all that belongs to it, a foreign one, and others that examples delete."""
    names = account.names
    for prefix, block in (
        ("", "10.0"),
        ("foreign ", "10.1"),
        ("bare ", "10.2"),
        ("routed ", "10.3"),
        ("spare ", "10.4"),
    ):
        vpc = account.call("ec2.create_vpc", CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
        names[f"<{prefix}vpc>"] = vpc
    for prefix, block in (("", "10.0"), ("foreign ", "10.1")):
        for number, (name, zone) in enumerate((("", "a"), ("second ", "b"), ("third ", "a"), ("spare ", "a"))):
            subnet = account.call(
                "ec2.create_subnet",
                VpcId=f"<{prefix}vpc>",
                CidrBlock=f"{block}.{97 + number}.0/24",
                AvailabilityZone=f"{REGION}{zone}",
            )
            names[f"<{prefix}{name}subnet>"] = subnet["Subnet"]["SubnetId"]
        for name in ("group", "second group", "spare group", "rules"):
            group = account.call("ec2.create_security_group", GroupName=name, Description=name, VpcId=f"<{prefix}vpc>")
            names[f"<{prefix}{name}>"] = group["GroupId"]
    account.call("ec2.modify_vpc_attribute", VpcId="<vpc>", EnableDnsHostnames={"Value": True})
    account.call("ec2.authorize_security_group_ingress", GroupId="<rules>", **examples.permission("10.0.0.0/8"))
    create_routes(account)


def create_routes(account: Account) -> None:
    """Gateways, route tables, addresses and an endpoint."""
    names = account.names
    for name in ("gateway", "routed gateway", "spare gateway", "detached gateway"):
        names[f"<{name}>"] = account.call("ec2.create_internet_gateway")["InternetGateway"]["InternetGatewayId"]
    for prefix in ("", "routed "):
        account.call("ec2.attach_internet_gateway", InternetGatewayId=f"<{prefix}gateway>", VpcId=f"<{prefix}vpc>")
    for name in ("routes", "empty routes", "second routes", "third routes", "spare routes", "foreign routes"):
        vpc = "<foreign vpc>" if name.startswith("foreign") else "<vpc>"
        names[f"<{name}>"] = account.call("ec2.create_route_table", VpcId=vpc)["RouteTable"]["RouteTableId"]
    account.call("ec2.create_route_table", VpcId="<routed vpc>")
    account.call(
        "ec2.create_route",
        RouteTableId="<routes>",
        DestinationCidrBlock=examples.DEFAULT_ROUTE,
        GatewayId="<gateway>",
    )
    account.call("ec2.associate_route_table", RouteTableId="<routes>", SubnetId="<subnet>")
    for name in ("address", "spare address", "free address"):
        names[f"<{name}>"] = account.call("ec2.allocate_address", Domain="vpc")["AllocationId"]
    nat = account.call("ec2.create_nat_gateway", SubnetId="<subnet>", AllocationId="<address>")
    names["<nat>"] = nat["NatGateway"]["NatGatewayId"]
    account.call("ec2.create_vpc_endpoint", VpcId="<vpc>", **examples.ENDPOINT)


def create_balancer(account: Account) -> None:
    """Two load balancers, target groups of both types, and others that nothing uses."""
    for name, scheme in (("", "internet-facing"), ("second ", "internal")):
        balancer = account.call(
            "elbv2.create_load_balancer",
            Name=f"{name}web".replace(" ", "-"),
            Subnets=["<subnet>", "<second subnet>"],
            SecurityGroups=["<group>"],
            Scheme=scheme,
        )
        account.names[f"<{name}balancer>"] = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    for name, kind in (("instances", "instance"), ("addresses", "ip"), ("unused", "instance"), ("spare", "ip")):
        group = account.call("elbv2.create_target_group", **examples.NEW_GROUP | {"Name": name, "TargetType": kind})
        account.names[f"<{name}>"] = group["TargetGroups"][0]["TargetGroupArn"]
    for name, port in (("instances", 80), ("addresses", 81)):
        actions = [{"Type": "forward", "TargetGroupArn": f"<{name}>"}]
        listener = account.call(
            "elbv2.create_listener", **examples.NEW_LISTENER | {"Port": port, "DefaultActions": actions}
        )
        account.names[f"<listener {port}>"] = listener["Listeners"][0]["ListenerArn"]
    account.call("elbv2.create_rule", **examples.NEW_RULE | {"Priority": 1})
    certificate = account.call("acm.request_certificate", DomainName="www.example.com")
    account.names["<certificate>"] = certificate["CertificateArn"]
    actions = [{"Type": "forward", "TargetGroupArn": "<instances>"}]
    secure = {"Port": 443, "Protocol": "HTTPS", "Certificates": [{"CertificateArn": "<certificate>"}]}
    listener = account.call("elbv2.create_listener", **examples.NEW_LISTENER | secure | {"DefaultActions": actions})
    account.names["<listener 443>"] = listener["Listeners"][0]["ListenerArn"]
    account.call(
        "s3.create_bucket", Bucket="logs-of-balancers", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    grant = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    account.call("s3.put_bucket_policy", Bucket="logs-of-balancers", Policy=policy)


def create_cluster(account: Account) -> None:
    """Clusters in several states, services in several states, and task definitions."""
    for name in ("cluster", "empty", "spare"):
        account.call("ecs.create_cluster", clusterName=name)
    account.call(
        "ecs.create_capacity_provider",
        name="hosts",
        autoScalingGroupProvider={"autoScalingGroupArn": "arn:aws:autoscaling:a"},
    )
    account.call(
        "ecs.put_cluster_capacity_providers",
        cluster="cluster",
        capacityProviders=["FARGATE", "hosts"],
        defaultCapacityProviderStrategy=[],
    )
    web = examples.CONTAINER | {"portMappings": [{"containerPort": 80, "name": "http"}]}
    one = {"containerDefinitions": [web]}
    account.call("ecs.register_task_definition", family="bridge", **one)
    account.call("ecs.register_task_definition", family="with-role", taskRoleArn=examples.ROLE, **one)
    account.call("ecs.register_task_definition", family="awsvpc", networkMode="awsvpc", **one)
    account.call("ecs.register_task_definition", **examples.FARGATE | {"family": "fargate"} | one)
    account.call("ecs.register_task_definition", family="inactive", **one)
    account.call("ecs.deregister_task_definition", taskDefinition="inactive:1")
    for name in ("active", "deleted"):
        account.call("ecs.create_service", **examples.SERVICE | {"serviceName": name})
    account.call("ecs.delete_service", cluster="cluster", service="deleted", force=True)


def create_stores(account: Account) -> None:
    """Roles, a repository, a secret and a log group."""
    for name in ("tasks", "with-ten-policies"):
        account.call("iam.create_role", RoleName=name, AssumeRolePolicyDocument=examples.policy(examples.ASSUME))
    for number in range(10):
        made = account.call(
            "iam.create_policy", PolicyName=f"p{number}", PolicyDocument=examples.policy(examples.ALLOW)
        )
        account.call("iam.attach_role_policy", RoleName="with-ten-policies", PolicyArn=made["Policy"]["Arn"])
    account.call("ecr.create_repository", repositoryName="images")
    account.call("secretsmanager.create_secret", Name="old", SecretString="1")
    account.call("logs.create_log_group", logGroupName="logs")


def delete_what_was_created(account: Account, service: str) -> None:
    """What examples created: the next ones have the same names."""
    if service == "ecs":
        for name in account.call("ecs.list_services", cluster="cluster")["serviceArns"]:
            if name.endswith("/web"):
                account.call("ecs.delete_service", cluster="cluster", service=name, force=True)
    elif service == "elbv2":
        delete_listeners(account)
        for balancer in account.call("elbv2.describe_load_balancers")["LoadBalancers"]:
            if balancer["LoadBalancerName"] not in {"web", "second-web"}:
                account.call("elbv2.delete_load_balancer", LoadBalancerArn=balancer["LoadBalancerArn"])
        for group in account.call("elbv2.describe_target_groups")["TargetGroups"]:
            if group["TargetGroupName"] not in {"instances", "addresses", "unused", "spare"}:
                account.call("elbv2.delete_target_group", TargetGroupArn=group["TargetGroupArn"])


def delete_listeners(account: Account) -> None:
    """The listener and the rule of the examples."""
    for listener in account.call("elbv2.describe_listeners", LoadBalancerArn="<balancer>")["Listeners"]:
        if listener["Port"] == 8080:
            account.call("elbv2.delete_listener", ListenerArn=listener["ListenerArn"])
    for listener_rule in account.call("elbv2.describe_rules", ListenerArn="<listener 80>")["Rules"]:
        if listener_rule["Priority"] == "9":
            account.call("elbv2.delete_rule", RuleArn=listener_rule["RuleArn"])


def pattern_of(message: str) -> str:
    """A regular expression for a message with what it names."""
    parts = string.Formatter().parse(message)
    return "".join(re.escape(text) + (".+" if name is not None else "") for text, name, _form, _kind in parts)


# Without Docker, a task of the emulator soon stops.
TESTED_WITHOUT_EMULATOR = {"cluster_with_tasks"}


def test_cluster_in_which_a_task_runs_is_not_deleted() -> None:
    clusters = {"busy": {"clusterArn": "arn:busy"}}
    request = Request("POST", "/", {"x-amz-target": "ECS.DeleteCluster"}, b'{"cluster": "busy"}', {})
    for status, code in (("RUNNING", "ClusterContainsTasksException"), ("STOPPED", None)):
        tasks = {"one": {"clusterArn": "arn:busy", "lastStatus": status}}
        state = State({"clusters": clusters, "services": {}, "tasks": tasks})
        found = request_checks.refusal(request_checks.load_model("ecs"), request, state)
        assert (found.code if found else None) == code


@pytest.mark.parametrize(
    "rule",
    [rule for rule in request_checks.RULES if rule.name not in TESTED_WITHOUT_EMULATOR],
    ids=lambda rule: rule.name,
)
def test_rule_refuses_what_aws_refuses(rule: Rule, account: Account) -> None:
    example = examples.EXAMPLES[rule.name]
    code, message = account.refused(example.operation, example.wrong)
    assert code == rule.error
    assert re.fullmatch(pattern_of(rule.message), message), message
    assert account.refused(example.operation, example.right) == ("", "")
    delete_what_was_created(account, example.operation.partition(".")[0])


def test_each_example_belongs_to_a_rule() -> None:
    assert sorted([*examples.EXAMPLES, *TESTED_WITHOUT_EMULATOR]) == sorted(rule.name for rule in request_checks.RULES)


@pytest.mark.parametrize("rule", request_checks.RULES, ids=lambda rule: rule.name)
def test_rule_has_a_source(rule: Rule) -> None:
    assert rule.source.startswith("https://docs.aws.amazon.com/")
    assert rule.refuses.endswith(".")
