# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Health checks of target groups: created with the load balancer, changed with the services, by a release."""

from __future__ import annotations

import typing as t

import pytest

Json = dict[str, t.Any]

REGION = "eu-central-1"


def roles(*names: str) -> list[Json]:
    return [{"name": name, "ansible.builtin.import_role": {"name": f"slipway.aws.{name}"}} for name in names]


@pytest.fixture(scope="module")
def dependencies(cloud: t.Any) -> Json:
    """The results of the roles before."""
    ec2 = cloud.client("ec2")
    vpc = cloud.public_vpc()
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    group = ec2.create_security_group(GroupName="ecs", Description="x", VpcId=vpc)["GroupId"]
    cluster = cloud.client("ecs").create_cluster(clusterName="ecs")["cluster"]
    arn = "arn:aws:iam::123456789012:role/{}".format
    return {
        "ecs_network_result": {
            "vpc_id": vpc,
            "public_subnet_ids": ids,
            "private_subnet_ids": ids,
            "security_group_ids": {"load_balancer": group, "tasks": group},
        },
        "ecr_registry_result": {"repositories": {}},
        "ecs_cluster_result": {
            "name": "ecs",
            "arn": cluster["clusterArn"],
            "execution_role_arn": arn("execution"),
            "task_role_arn": arn("task"),
            "log_groups": ["/ecs/ecs"],
        },
    }


def site(path: str, version: str) -> Json:
    """A version of the application, and where it answers health checks; a target group that no service uses."""
    container = {"name": "web", "image": f"nginx:{version}", "portMappings": [{"containerPort": 8080}]}
    definition = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": [container]}
    # No task: what it takes for one to be healthy is tested with real containers.
    service = {"name": "web", "desired_count": 0, "task_definition": definition}
    return {
        "ecs_app_services": [{**service, "load_balancers": [{"targetGroupArn": "web"}]}],
        "ecs_load_balancer_target_groups": [
            {"name": "web", "health_check_path": path},
            {"name": "free", "port": 9000, "health_check_path": path},
        ],
    }


def paths(cloud: t.Any) -> Json:
    groups = cloud.client("elbv2").describe_target_groups()["TargetGroups"]
    return {group["TargetGroupName"]: group["HealthCheckPath"] for group in groups}


@pytest.mark.variants
def test_health_checks_change_with_the_services_that_use_them(cloud: t.Any, dependencies: Json) -> None:
    both = roles("ecs_load_balancer", "ecs_app")
    old, new = {**dependencies, **site("/", "1")}, {**dependencies, **site("/readyz", "2")}
    created = cloud.play(both, **old)
    assert (created.code, paths(cloud)) == (0, {"ecs-web": "/", "ecs-free": "/"}), created.output

    predicted = cloud.play(both, "--check", "--diff", **new)
    assert predicted.code == 0, predicted.output
    assert "health_check_path: /readyz" in predicted.output
    assert paths(cloud) == {"ecs-web": "/", "ecs-free": "/"}

    # Nothing that the services need changes before they do.
    alone = cloud.play(roles("ecs_load_balancer"), **new)
    assert (alone.code, paths(cloud)) == (0, {"ecs-web": "/", "ecs-free": "/readyz"}), alone.output

    released = cloud.play(roles("ecs_app"), **new)
    assert (released.code, paths(cloud)) == (0, {"ecs-web": "/readyz", "ecs-free": "/readyz"}), released.output
    again = cloud.play(both, **new)
    assert (again.code, again.changed) == (0, 0), again.output
