# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service is renamed together with its target group, its rule and its name in Cloud Map: three roles, one after the
other, as in site.yml. The new ones exist before the old ones go."""

from __future__ import annotations

import typing as t

import pytest

Json = dict[str, t.Any]
REGION = "eu-central-1"
TASKS = [
    {"name": name, "ansible.builtin.import_role": {"name": f"slipway.aws.{name}"}}
    for name in ("service_discovery", "ecs_load_balancer", "ecs_app")
]


def variables(name: str, port: int = 8000) -> Json:
    """A web page, and one more service behind the same load balancer and under a name."""
    container = {"name": "app", "image": "public/app:1", "portMappings": [{"containerPort": port}]}

    def service(own: str, **options: t.Any) -> Json:
        definition = {"family": own, "cpu": 256, "memory": 512, "containerDefinitions": [container]}
        # No task runs here, as there is no Docker.
        asked = {"name": own, "desired_count": 0, "load_balancers": [{"targetGroupArn": own}], "options": options}
        return {**asked, "task_definition": definition}

    return {
        "service_discovery_services": [name],
        "ecs_load_balancer_target_groups": [{"name": "web"}, {"name": name, "paths": [f"/{name}/*"]}],
        "ecs_app_services": [service("web"), service(name, service_registries=[{"registryArn": name}])],
    }


@pytest.fixture(scope="module")
def dependencies(cloud: t.Any) -> Json:
    """The results of earlier roles."""
    ec2 = cloud.client("ec2")
    vpc = cloud.public_vpc()
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="ecs", Description="x", VpcId=vpc)["GroupId"]
    tags = [{"key": "slipway:project", "value": "ecs"}]
    arn = cloud.client("ecs").create_cluster(clusterName="ecs", tags=tags)["cluster"]["clusterArn"]
    role = "arn:aws:iam::123456789012:role/{}".format
    return {
        "ecs_network_result": {
            "vpc_id": vpc,
            "public_subnet_ids": subnets,
            "private_subnet_ids": subnets,
            "security_group_ids": {"load_balancer": group, "tasks": group},
        },
        "ecr_registry_result": {"repositories": {}},
        "ecs_cluster_result": {
            "name": "ecs",
            "arn": arn,
            "execution_role_arn": role("execution"),
            "task_role_arn": role("task"),
            "log_groups": ["/ecs/ecs"],
        },
    }


class Site(t.NamedTuple):
    """The resources that exist."""

    services: list[str]
    target_groups: list[str]
    rules: list[str]
    names: list[str]


def site(cloud: t.Any) -> Site:
    ecs, elb = cloud.client("ecs"), cloud.client("elbv2")
    arns = ecs.list_services(cluster="ecs")["serviceArns"]
    services = ecs.describe_services(cluster="ecs", services=arns)["services"] if arns else []
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    paths = [value for rule in rules for one in rule["Conditions"] for value in one["PathPatternConfig"]["Values"]]
    return Site(
        sorted(one["serviceName"] for one in services if one["status"] == "ACTIVE"),
        sorted(one["TargetGroupName"] for one in elb.describe_target_groups()["TargetGroups"]),
        paths,
        sorted(one["Name"] for one in cloud.client("servicediscovery").list_services()["Services"]),
    )


@pytest.mark.witness("service_discovery", "ecs_load_balancer", "ecs_app")
@pytest.mark.variants
def test_resources_of_a_renamed_service_are_listed_and_pruned(cloud: t.Any, dependencies: Json) -> None:
    def play(name: str, *options: str, port: int = 8000, **more: t.Any) -> t.Any:
        return cloud.play(TASKS, *options, **dependencies, **variables(name, port), **more)

    made = play("api")
    assert made.code == 0, made.output
    assert site(cloud) == (["api", "web"], ["ecs-api", "ecs-web"], ["/api/*"], ["api"])

    # The rule is deleted at once, as it decides where requests go. Everything else is listed and kept.
    renamed = play("orders")
    assert renamed.code == 0, renamed.output
    both = ["api", "orders"]
    assert site(cloud) == ([*both, "web"], ["ecs-api", "ecs-orders", "ecs-web"], ["/orders/*"], both)
    said = " ".join(renamed.output.split())
    assert "No longer in ecs_app_services: service api (0 running tasks), task definition api." in said
    assert "No longer in ecs_load_balancer_target_groups: target group ecs-api." in said
    assert "No longer in service_discovery_services: discovery service api." in said

    # Renamed again and pruned in one run, which is predicted though the rule still points to the old one.
    predicted = play("bills", "--check", slipway_prune=True)
    assert site(cloud).services == [*both, "web"]
    pruned = play("bills", slipway_prune=True)
    assert (pruned.code, pruned.changed) == (0, predicted.changed), predicted.output + pruned.output
    assert site(cloud) == (["bills", "web"], ["ecs-bills", "ecs-web"], ["/bills/*"], ["bills"])
    # The port of a target group cannot change, and need not: services register their own.
    moved = play("bills", port=9000)
    assert moved.code == 0, moved.output
    again = play("bills", port=9000, slipway_prune=True)
    assert (again.code, again.changed, "No longer in" in again.output) == (0, 0, False), again.output
