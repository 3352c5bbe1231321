# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that AWS would refuse are refused by the emulator, with AWS's error codes."""

from __future__ import annotations

import functools
import re
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
from request_rules import Rule

REGION = "eu-central-1"
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
        service, _, method = operation.partition(".")
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
    return made


def create_network(account: Account) -> None:
    """Two VPCs, one with subnets in two zones."""
    for prefix, block in (("", "10.0"), ("foreign ", "10.1")):
        vpc = account.call("ec2.create_vpc", CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"]
        for name, zone in (("subnet", "a"), ("second subnet", "b")):
            subnet = account.call(
                "ec2.create_subnet",
                VpcId=vpc,
                CidrBlock=f"{block}.{ord(zone)}.0/24",
                AvailabilityZone=f"{REGION}{zone}",
            )
            account.names[f"<{prefix}{name}>"] = subnet["Subnet"]["SubnetId"]
        group = account.call("ec2.create_security_group", GroupName="tasks", Description="tasks", VpcId=vpc)
        account.names |= {f"<{prefix}vpc>": vpc, f"<{prefix}group>": group["GroupId"]}
    gateway = account.call("ec2.create_internet_gateway")["InternetGateway"]["InternetGatewayId"]
    account.names["<gateway>"] = gateway
    account.call("ec2.attach_internet_gateway", InternetGatewayId=gateway, VpcId="<vpc>")


def create_balancer(account: Account) -> None:
    """A load balancer with two target groups, and a third one that nothing uses."""
    balancer = account.call(
        "elbv2.create_load_balancer", Name="web", Subnets=["<subnet>", "<second subnet>"], SecurityGroups=["<group>"]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    account.names["<balancer>"] = balancer
    for name, kind, port in (("instances", "instance", 80), ("addresses", "ip", 81), ("unused", "instance", 0)):
        group = account.call(
            "elbv2.create_target_group", Name=name, Port=80, Protocol="HTTP", VpcId="<vpc>", TargetType=kind
        )["TargetGroups"][0]["TargetGroupArn"]
        account.names[f"<{name}>"] = group
        if port:
            listener = account.call(
                "elbv2.create_listener",
                LoadBalancerArn=balancer,
                Port=port,
                Protocol="HTTP",
                DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
            )
            account.names[f"<listener {port}>"] = listener["Listeners"][0]["ListenerArn"]


def create_cluster(account: Account) -> None:
    """Clusters in several states, services in several states, and task definitions."""
    for name in ("cluster", "empty", "busy", "idle", "spare"):
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
    account.call("ecs.run_task", cluster="busy", taskDefinition="bridge")


def delete_what_was_created(account: Account) -> None:
    """The service of the examples: the next one has its name."""
    for name in account.call("ecs.list_services", cluster="cluster")["serviceArns"]:
        if name.endswith("/web"):
            account.call("ecs.delete_service", cluster="cluster", service=name, force=True)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "message"),
    [
        (
            "ecs",
            "create_service",
            {"serviceName": "web", "launchType": "LAMBDA"},
            "InvalidParameterException",
            "1 validation error detected: Value 'LAMBDA' at 'launchType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]",
        ),
        (
            "iam",
            "create_role",
            {"RoleName": "a role", "AssumeRolePolicyDocument": "{}"},
            "ValidationError",
            "1 validation error detected: Value 'a role' at 'roleName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            "elbv2",
            "create_target_group",
            {"Name": "web", "Port": 65536, "Protocol": "http"},
            "ValidationError",
            "2 validation errors detected: Value 'http' at 'protocol' failed to satisfy constraint: "
            "Member must satisfy enum value set: [HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE, QUIC, TCP_QUIC]; "
            "Value '65536' at 'port' failed to satisfy constraint: Member must have value less than or equal to 65535",
        ),
        (
            "ec2",
            "create_subnet",
            {"CidrBlock": "10.0.0.0/24"},
            "MissingParameter",
            "The request must contain the parameter VpcId",
        ),
        ("ecs", "register_task_definition", examples.FARGATE, "", ""),
    ],
)
def test_request_that_the_model_does_not_allow_is_refused(
    account: Account, service: str, operation: str, parameters: Json, code: str, message: str
) -> None:
    assert account.refused(f"{service}.{operation}", parameters) == (code, message)


@pytest.mark.parametrize("rule", request_checks.RULES, ids=lambda rule: rule.name)
def test_rule_refuses_what_aws_refuses(rule: Rule, account: Account) -> None:
    example = examples.EXAMPLES[rule.name]
    code, message = account.refused(example.operation, example.wrong)
    assert code == rule.error
    template = re.sub(r"\\{\w+\\}", ".+", re.escape(rule.message))
    assert re.fullmatch(template, message), message
    assert account.refused(example.operation, example.right) == ("", "")
    delete_what_was_created(account)


def test_each_example_belongs_to_a_rule() -> None:
    assert sorted(examples.EXAMPLES) == sorted(rule.name for rule in request_checks.RULES)


@pytest.mark.parametrize("rule", request_checks.RULES, ids=lambda rule: rule.name)
def test_rule_has_a_source(rule: Rule) -> None:
    assert rule.source.startswith("https://docs.aws.amazon.com/")
    assert rule.refuses.endswith(".")
