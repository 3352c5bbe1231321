# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole site in an account where cluster, network, roles and load balancer belong to others: site.yml needs no Docker
host, changes nothing the second time, and destroy leaves what is theirs."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import plays

if t.TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[3]
REGION, PROJECT = "eu-central-1", "shop"
KEYS = {"slipway_access_key": "key", "slipway_secret_key": "b2f0c1d4e7a9"}
# Without an engine, no task runs.
SERVER = {"MINISTACK_REGION": REGION, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
CONTAINER = {"name": "app", "image": "public.ecr.aws/nginx/nginx:1.27", "portMappings": [{"containerPort": 80}]}
DEFINITION = {"family": "shop-web", "cpu": 256, "memory": 512, "containerDefinitions": [CONTAINER]}
SERVICE = {"name": "web", "desired_count": 0, "load_balancers": [{"targetGroupArn": "web"}]}


class Run(t.NamedTuple):
    code: int
    output: str

    @property
    def changed(self) -> int:
        return sum(int(number) for number in re.findall(r"changed=(\d+)", self.output))


class Others(t.NamedTuple):
    """What other people have in the account, and the playbooks of a project that uses it."""

    address: str
    variables: Json
    balancer: str

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": KEYS["slipway_secret_key"]}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def play(self, playbook: str, *options: str, **more: t.Any) -> Run:
        given = {**self.variables, **KEYS, "slipway_endpoint_url": self.address, **more}
        given |= {"ansible_python_interpreter": sys.executable, "ansible_connection": "slipway.aws.forkserver"}
        words = ["-i", "localhost,", *options, f"playbooks/{playbook}.yml"]
        done = plays.run(*words, extra=given, COLUMNS="100")
        return Run(done.returncode, done.stdout + done.stderr)

    def state(self) -> str:
        """All that AWS says about what is not this project's."""
        ec2, ecs, elb, iam = (self.client(name) for name in ("ec2", "ecs", "elbv2", "iam"))
        listeners = elb.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        rules = [one for item in listeners for one in elb.describe_rules(ListenerArn=item["ListenerArn"])["Rules"]]
        tags = {
            one["ResourceArn"]: one["Tags"]
            for rule in rules
            for one in elb.describe_tags(ResourceArns=[rule["RuleArn"]])["TagDescriptions"]
        }
        ours = {"Key": "slipway:project", "Value": PROJECT}
        clusters = ecs.describe_clusters(clusters=["shared"], include=["SETTINGS", "TAGS"])["clusters"]
        counts = {"activeServicesCount", "runningTasksCount", "pendingTasksCount"}
        parts = [
            [{name: value for name, value in one.items() if name not in counts} for one in clusters],
            [one for one in rules if ours not in tags.get(one["RuleArn"], [])],
            listeners,
            elb.describe_load_balancers()["LoadBalancers"],
            elb.describe_tags(ResourceArns=[self.balancer])["TagDescriptions"],
            ec2.describe_vpcs()["Vpcs"],
            ec2.describe_subnets()["Subnets"],
            ec2.describe_security_groups()["SecurityGroups"],
            sorted(iam.list_roles()["Roles"], key=lambda one: str(one["RoleName"])),
        ]
        return json.dumps(parts, default=str, sort_keys=True)

    def services(self) -> list[str]:
        return [arn.rpartition("/")[2] for arn in self.client("ecs").list_services(cluster="shared")["serviceArns"]]

    def target_groups(self) -> list[str]:
        return [one["TargetGroupName"] for one in self.client("elbv2").describe_target_groups()["TargetGroups"]]


def network(ec2: t.Any) -> tuple[str, list[str], str]:
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.8.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="others", Description="x", VpcId=vpc)["GroupId"]
    return vpc, [one["Subnet"]["SubnetId"] for one in subnets], group


def balancer_of(elb: t.Any, subnets: list[str], group: str) -> str:
    """A load balancer with a rule and a service of others."""
    arn = elb.create_load_balancer(Name="shared", Subnets=subnets, SecurityGroups=[group])["LoadBalancers"][0]
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = elb.create_listener(
        LoadBalancerArn=arn["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=nothing
    )["Listeners"][0]["ListenerArn"]
    path = [{"Field": "path-pattern", "Values": ["/theirs"]}]
    elb.create_rule(ListenerArn=listener, Priority=5, Conditions=path, Actions=nothing)
    return str(arn["LoadBalancerArn"])


@pytest.fixture(scope="module")
def others(start_cloud: Callable[..., str]) -> Others:
    found = Others(start_cloud(**SERVER), {}, "")
    ecs, iam = found.client("ecs"), found.client("iam")
    cluster = ecs.create_cluster(clusterName="shared", tags=[{"key": "owner", "value": "platform"}])["cluster"]
    statement = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="shared", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )["Role"]["Arn"]
    vpc, subnets, group = network(found.client("ec2"))
    variables: Json = {
        "slipway_project": PROJECT,
        "slipway_region": REGION,
        "container_image_images": [],
        "ecs_network_vpc_id": vpc,
        "ecs_network_private_subnet_ids": subnets,
        "ecs_network_security_group_ids": {"tasks": group},
        "ecs_cluster_arn": cluster["clusterArn"],
        "ecs_cluster_execution_role_arn": role,
        "ecs_cluster_task_role": "",
        "ecs_cluster_log_groups": [],
        "ecs_load_balancer_arn": "shared",
        "ecs_load_balancer_target_groups": [{"name": "web", "hosts": ["shop.example.com"], "priority": 20}],
        "ecs_app_services": [{**SERVICE, "task_definition": DEFINITION}],
    }
    return Others(found.address, variables, balancer_of(found.client("elbv2"), subnets, group))


@pytest.mark.variants
def test_a_site_of_others_is_used_released_on_and_left(others: Others) -> None:
    before = others.state()
    predicted = others.play("site", "--check")
    assert predicted.code == 0, predicted.output
    assert (others.services(), others.target_groups()) == ([], [])
    created = others.play("site")
    assert created.code == 0, created.output
    assert (others.services(), others.target_groups()) == (["web"], ["shop-web"])
    assert others.state() == before
    again = others.play("site", slipway_skip_converged=False)
    assert (again.code, again.changed) == (0, 0), again.output
    recorded = others.play("site")
    assert (recorded.code, recorded.changed) == (0, 0), recorded.output
    drift = others.play("drift")
    assert drift.code == 0, drift.output
    status = others.play("status")
    assert status.code == 0, status.output
    assert "web" in status.output
    assert "http://shop.example.com" in status.output
    deleted = others.play("destroy", destroy_confirm=PROJECT)
    assert deleted.code == 0, deleted.output
    assert "listener rule" in deleted.output
    assert (others.services(), others.target_groups()) == ([], [])
    assert others.state() == before
