# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""While a service has a strategy that shifts traffic, the weights of its two target groups are those of ECS."""

from __future__ import annotations

import copy
import datetime
import time
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import state

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
TAGS = {"slipway:project": "shop"}
UPPER = [{"Key": name, "Value": text} for name, text in TAGS.items()]
LOWER = [{"key": name, "value": text} for name, text in TAGS.items()]
ROLES = ("ecs_app", "ecs_cluster", "ecs_load_balancer")


class Site:
    """A service behind a load balancer, deployed blue/green without tasks."""

    def __init__(self) -> None:
        self.ecs, self.elb = boto3.client("ecs"), boto3.client("elbv2")
        ec2 = boto3.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = self.subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
        balancer = self.elb.create_load_balancer(Name="shop", Subnets=subnets, Tags=UPPER)["LoadBalancers"][0]
        common: Json = {"Protocol": "HTTP", "Port": 80, "VpcId": vpc, "TargetType": "ip", "Tags": UPPER}
        self.groups = [
            str(self.elb.create_target_group(Name=name, **common)["TargetGroups"][0]["TargetGroupArn"])
            for name in ("shop-web", "shop-web-2")
        ]
        weighted = [
            {"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(self.groups, (100, 0), strict=True)
        ]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}]
        listener = {"LoadBalancerArn": balancer["LoadBalancerArn"], "Protocol": "HTTP", "Port": 80}
        made = self.elb.create_listener(**listener, DefaultActions=actions)["Listeners"][0]
        self.listener = str(made["ListenerArn"])
        self.rule = str(self.elb.describe_rules(ListenerArn=self.listener)["Rules"][0]["RuleArn"])
        self._create_service()

    def _create_service(self) -> None:
        self.ecs.create_cluster(clusterName="shop", tags=LOWER)
        container = {"name": "web", "image": "web", "memory": 64, "portMappings": [{"containerPort": 80}]}
        self.ecs.register_task_definition(
            family="shop-web", networkMode="awsvpc", containerDefinitions=[container], tags=LOWER
        )
        advanced = {
            "alternateTargetGroupArn": self.groups[1],
            "productionListenerRule": self.rule,
            "roleArn": "arn:aws:iam::000000000000:role/shop-load-balancing",
        }
        balanced = {"targetGroupArn": self.groups[0], "containerName": "web", "containerPort": 80}
        self.ecs.create_service(
            cluster="shop",
            serviceName="web",
            taskDefinition="shop-web",
            desiredCount=0,
            networkConfiguration={"awsvpcConfiguration": {"subnets": self.subnets}},
            loadBalancers=[{**balanced, "advancedConfiguration": advanced}],
            deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0},
            tags=LOWER,
        )
        self.wait()

    def wait(self) -> None:
        limit = datetime.datetime.now() + datetime.timedelta(seconds=30)
        while self.deployment() != "SUCCESSFUL":
            assert datetime.datetime.now() < limit
            time.sleep(0.2)

    def deployment(self) -> str:
        listed = self.ecs.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]
        return str(listed[0]["status"])

    def weights(self) -> list[int]:
        action = self.elb.describe_rules(ListenerArn=self.listener)["Rules"][0]["Actions"][0]
        found = {one["TargetGroupArn"]: one["Weight"] for one in action["ForwardConfig"]["TargetGroups"]}
        return [found.get(arn, 0) for arn in self.groups]


# Two deployments go through all stages.
@pytest.mark.variants
@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_a_shift_is_no_drift_and_is_left_as_it_is(aws: None, run: RunModule) -> None:
    site = Site()
    roles = [{"role": role, "inputs": {}, "result": {}, "before": ""} for role in ROLES]
    run("project_record", project="shop", roles=roles)
    assert site.weights() == [100, 0]
    site.ecs.update_service(cluster="shop", service="web", forceNewDeployment=True)
    site.wait()
    assert site.weights() == [0, 100]
    drift = run("project_drift", project="shop", format="none", events=False)["drift"]
    assert [(one["kind"], one["members"]) for one in drift["resources"]] == []
    default = {"target_group_arn": site.groups[0], "alternate_target_group_arn": site.groups[1]}
    again = run("elb_listener_rules", listener_arn=site.listener, rules=[], default_action=default)
    assert (again["changed"], site.weights()) == (False, [0, 100])


def resources(strategy: str = "CANARY", weights: tuple[int, int] = (100, 0)) -> list[Json]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(("blue", "green"), weights, strict=True)]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    rules = [{"RuleArn": "rule", "Priority": "10", "Actions": actions}]
    balanced = {"targetGroupArn": "blue", "advancedConfiguration": {"alternateTargetGroupArn": "green"}}
    service: Json = {"deploymentConfiguration": {"strategy": strategy}, "loadBalancers": [balanced]}
    common: Json = {"tags": TAGS}
    return [
        {**common, "kind": "service", "id": "web", "role": "ecs_app", "details": service},
        {
            **common,
            "kind": "load balancer",
            "id": "shop",
            "role": "ecs_load_balancer",
            "details": {"Listeners": [{"Port": 80, "DefaultActions": copy.deepcopy(actions), "Rules": rules}]},
        },
    ]


def states(*args: t.Any) -> Json:
    return state.by_role(resources(*args))["ecs_load_balancer"]


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY", "LINEAR"])
def test_weights_that_ecs_shifts_do_not_count(strategy: str) -> None:
    assert states(strategy, (0, 100)) == states(strategy, (90, 10)) == states(strategy)


def test_weights_of_other_services_count() -> None:
    """ECS no longer shifts those of a service with the strategy ROLLING; what is wrong there, someone has set."""
    assert states("ROLLING", (0, 100)) != states("ROLLING")


def test_another_target_group_counts() -> None:
    changed = resources()
    action = changed[1]["details"]["Listeners"][0]["Rules"][0]["Actions"][0]
    action["ForwardConfig"]["TargetGroups"][1]["TargetGroupArn"] = "red"
    assert state.by_role(changed)["ecs_load_balancer"] != states()
