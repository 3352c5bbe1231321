# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the service modules shows does what it says, with tasks that really run.

The examples of the other modules need no tasks: the unit tests run them.
"""

from __future__ import annotations

import typing as t

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.modules import ecs_service, ecs_service_info
from ansible_collections.slipway.aws.tests.integration.conftest import SERVE, Json, Shop, default_subnets


def put(value: t.Any, instead: t.Mapping[str, str]) -> t.Any:
    """The value with what really exists instead of the names of the documentation."""
    if isinstance(value, dict):
        return {name: put(member, instead) for name, member in value.items()}
    if isinstance(value, list):
        return [put(element, instead) for element in value]
    return instead.get(value, value) if isinstance(value, str) else value


def examples(text: str, action: str, instead: t.Mapping[str, str]) -> dict[str, Json]:
    """The options of each example by its name."""
    return {task["name"]: put(task[action], instead) for task in yaml.safe_load(text) if action in task}


@pytest.fixture
def alternate_group(aws: None, name: str) -> t.Iterator[str]:
    """A second target group; tests ask for it before the load balancer that uses it, which is deleted first."""
    elbv2, vpc = boto3.client("elbv2"), default_subnets()[0]["VpcId"]
    made = elbv2.create_target_group(
        Name=f"{name}-2", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath="/ready"
    )
    arn = str(made["TargetGroups"][0]["TargetGroupArn"])
    yield arn
    elbv2.delete_target_group(TargetGroupArn=arn)


def rule_of(group: str, alternate: str) -> str:
    """The rule that forwards to both groups, all requests to the first one; its ARN."""
    elbv2 = boto3.client("elbv2")
    (balancer,) = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"]
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    weights = [{"TargetGroupArn": group, "Weight": 100}, {"TargetGroupArn": alternate, "Weight": 0}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    elbv2.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[action])
    (rule,) = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    return str(rule["RuleArn"])


def test_ecs_service(shop: Shop, alternate_group: str, target_group: t.Callable[[str], str]) -> None:
    ec2 = boto3.client("ec2")
    subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
    assert shop.run("ecs_cluster", name=shop.name, capacity_providers=["FARGATE", "FARGATE_SPOT"])["changed"]
    group = target_group("/ready")
    for number in range(3):
        shop.register("perl", "-e", SERVE, fargate=True, portMappings=[{"containerPort": 8080}], cpu=number)
    instead = {
        "shop": shop.name,
        "web:42": f"{shop.name}:1",
        "web:43": f"{shop.name}:2",
        "subnet-0123456789abcdef0": subnets[0]["SubnetId"],
        "subnet-0fedcba9876543210": subnets[1]["SubnetId"],
        "sg-0123456789abcdef0": groups[0]["GroupId"],
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef": group,
        "{{ alternate_target_group }}": alternate_group,
        "{{ production_listener_rule }}": rule_of(group, alternate_group),
        "arn:aws:iam::123456789012:role/web-traffic": shop.role,
    }
    results = []
    for name, options in examples(ecs_service.EXAMPLES, "slipway.aws.ecs_service", instead).items():
        if options.get("task_definition") == "web":
            options["task_definition"] = shop.name
        if "network_configuration" in options:
            # The default network has no NAT gateway.
            options["network_configuration"]["awsvpcConfiguration"]["assignPublicIp"] = "ENABLED"
        deployment = options.get("deployment_configuration", {})
        if "canaryConfiguration" in deployment:
            # The next example is such a deployment: nobody waits a quarter of an hour for it here.
            deployment["bakeTimeInMinutes"] = deployment["canaryConfiguration"]["canaryBakeTimeInMinutes"] = 0
        results.append(shop.run("ecs_service", **options))
        assert results[-1].get("changed"), (name, results[-1])
        if "state" not in options:
            found = [
                shop.run("ecs_service_info", **asked)["services"]
                for asked in examples(ecs_service_info.EXAMPLES, "slipway.aws.ecs_service_info", instead).values()
            ]
            assert [len(services) for services in found] == [1, 1, 1]
            assert found[1][0]["rollout"]["state"] == "succeeded", found[1][0]["rollout"]
        again = shop.run("ecs_service", **options)
        assert not again["changed"], (name, again)
    revisions = [result["service"]["task_definition"].rpartition("/")[2] for result in results]
    assert revisions[:3] == [f"{shop.name}:3", f"{shop.name}:1", f"{shop.name}:2"]
    assert [strategy["capacityProvider"] for strategy in results[3]["service"]["capacity_provider_strategy"]] == [
        "FARGATE",
        "FARGATE_SPOT",
    ]
