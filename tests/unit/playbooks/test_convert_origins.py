# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects of other tools, converted by the playbook, and what they become run on an emulator."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.tests import plays

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
DEPLOY = """\
# Deploys the shop.
- name: Deploy the shop
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/aws: &connection
      region: eu-central-1
      endpoint_url: "{{ endpoint }}"
      access_key: key
      secret_key: b2f0c1d4e7a9
    group/community.aws.aws: *connection
  tasks:
    - name: Create the repository
      community.aws.ecs_ecr:
        name: shop
        scan_on_push: true   # each image
        image_tag_mutability: immutable
      register: repository

    - name: Create the cluster
      community.aws.ecs_cluster:
        name: shop
        state: present
        capacity_providers: [FARGATE, FARGATE_SPOT]
        capacity_provider_strategy:
          - capacity_provider: FARGATE
            weight: 1
      register: cluster

    - name: Register the task definition
      community.aws.ecs_taskdefinition:
        state: present
        family: shop
        launch_type: FARGATE
        network_mode: awsvpc
        cpu: "256"
        memory: "512"
        execution_role_arn: arn:aws:iam::000000000000:role/others
        containers:
          - name: web
            image: "{{ repository.repository.repositoryUri }}:v1"
            essential: true
            portMappings:
              - {containerPort: 80, protocol: tcp}
      register: definition

    - name: Update the service
      community.aws.ecs_service:
        name: web
        state: present
        cluster: "{{ cluster.cluster.clusterArn }}"
        task_definition: "{{ definition.taskdefinition.family }}:{{ definition.taskdefinition.revision }}"
        desired_count: 0
        launch_type: FARGATE
        network_configuration:
          subnets: ["{{ subnet }}"]
          security_groups: ["{{ group }}"]
          assign_public_ip: false
        deployment_configuration:
          minimum_healthy_percent: 100
          maximum_percent: 200
      register: service

    - name: Show the service
      ansible.builtin.debug:
        msg: "service={{ service.service.serviceName }}"
"""


class Run(t.NamedTuple):
    """How a playbook ended, and what it printed."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        return int(re.findall(r"changed=(\d+)", self.output)[-1])


class Cloud(t.NamedTuple):
    """An emulator with a network that others own."""

    address: str
    vpc: str
    subnets: list[str]
    group: str

    def client(self, service: str) -> t.Any:
        return client(self.address, service)


def client(address: str, service: str) -> t.Any:
    keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
    return boto3.client(service, endpoint_url=address, region_name=REGION, **keys)


@pytest.fixture(scope="module")
def cloud(start_cloud: t.Callable[..., str]) -> Cloud:
    address = start_cloud()
    ec2 = client(address, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="tasks", Description="x", VpcId=vpc)["GroupId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]:
        ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return Cloud(address, vpc, subnets, group)


def play(playbook: str, *options: str, environment: dict[str, str] | None = None, **variables: t.Any) -> Run:
    own = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", **(environment or {})}
    run = plays.run(playbook, *options, extra=variables, **own)
    return Run(run.returncode, run.stdout + run.stderr)


def convert(origin: str, source: Path, inventory: Path, **more: t.Any) -> Run:
    return play(
        "playbooks/convert.yml", origin=origin, source=str(source), inventory=str(inventory), region=REGION, **more
    )


def check_site(cloud: Cloud, inventory: Path, environment: dict[str, str], **more: t.Any) -> Run:
    where = {f"slipway_{name}": value for name, value in {"endpoint_url": cloud.address, **KEYS}.items()}
    return play("site.yml", "-i", str(inventory), "--check", environment=environment, **where, **more)


@pytest.mark.variants
def test_a_converted_playbook_changes_nothing_of_what_the_old_one_created(cloud: Cloud, tmp_path: Path) -> None:
    old = tmp_path / "deploy.yml"
    old.write_text(DEPLOY)
    where = {"endpoint": cloud.address, "subnet": cloud.subnets[0], "group": cloud.group}
    assert (created := play(str(old), **where)).code == 0, created.output
    converted = play("playbooks/convert.yml", origin="community_aws", source=str(old))
    assert converted.code == 0, converted.output
    assert "wait: false" in converted.output
    new = tmp_path / "deploy.slipway.yml"
    assert "community.aws" not in new.read_text().replace("group/community.aws.aws", "")
    for options in (["--check", "--diff"], ["--diff"]):
        run = play(str(new), *options, **where)
        assert (run.code, run.changed) == (0, 0), run.output
        assert "service=web" in run.output
    # What it has next to it is not overwritten.
    new.write_text("# mine\n")
    refused = play("playbooks/convert.yml", origin="community_aws", source=str(old))
    assert refused.code != 0
    assert f"expected a new or identical file at {new}" in " ".join(refused.output.split())
    assert new.read_text() == "# mine\n"


def balanced(cloud: Cloud) -> str:
    """A target group of others, and the load balancer that forwards to it."""
    elb = cloud.client("elbv2")
    found = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=cloud.vpc, TargetType="ip")
    group = str(found["TargetGroups"][0]["TargetGroupArn"])
    balancer = elb.create_load_balancer(Name="others", Subnets=cloud.subnets, SecurityGroups=[cloud.group])
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return group


# A plan of a whole site takes a minute.
@pytest.mark.variants
def test_services_of_ecspresso_are_planned_on_what_others_own(cloud: Cloud, tmp_path: Path) -> None:
    group = balanced(cloud)
    cloud.client("ecs").create_cluster(clusterName="others", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    cloud.client("iam").create_role(RoleName="others", AssumeRolePolicyDocument=json.dumps(TRUST))
    service = {
        "desiredCount": 1,
        "launchType": "FARGATE",
        "loadBalancers": [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["{{ tfstate `aws_subnet.a.id` }}", "{{ cfn_output `net` `SubnetB` }}"],
                "securityGroups": [cloud.group],
                "assignPublicIp": "ENABLED",
            }
        },
    }
    container = {
        "name": "web",
        "image": "nginx:{{ must_env `TAG` }}",
        "portMappings": [{"containerPort": 80}],
        "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}],
    }
    task = {
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::000000000000:role/others",
        "containerDefinitions": [container],
    }
    state = {
        "resources": [
            {
                "type": "aws_subnet",
                "name": "a",
                "instances": [{"attributes": {"id": cloud.subnets[0], "vpc_id": cloud.vpc}}],
            }
        ]
    }
    config = {
        "region": REGION,
        "cluster": "others",
        "service": "web",
        "service_definition": "service.json",
        "task_definition": "task.json",
        "plugins": [{"name": "tfstate", "config": {"path": "terraform.tfstate"}}, {"name": "cloudformation"}],
    }
    for name, document in {"service.json": service, "task.json": task, "terraform.tfstate": state}.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "ecspresso.yml").write_text(yaml.safe_dump(config))
    inventory = tmp_path / "inventory"
    converted = convert("ecspresso", tmp_path / "ecspresso.yml", inventory, project="others-web")
    assert converted.code == 0, converted.output
    written = "".join(path.read_text() for path in inventory.rglob("*") if path.is_file())
    assert "hunter2" not in written + converted.output
    again = convert("ecspresso", tmp_path / "ecspresso.yml", inventory, project="others-web")
    assert again.changed == 0
    # What is missing is named, one after the other.
    missing = check_site(cloud, inventory, {"TAG": "v1", "DB_PASSWORD": "x"})
    assert missing.code != 0
    assert "cfn_output_net_subnetb: expected the value of cfn_output net SubnetB, got none" in missing.output
    secret = {"TAG": "v1", "DB_PASSWORD": "x"}
    subnet = {"cfn_output_net_subnetb": cloud.subnets[1]}
    # What the note on the secret says is what the preflight misses.
    allow = check_site(cloud, inventory, secret, **subnet)
    assert "expected a role that can use parameter /others-web/db-password" in allow.output
    planned = check_site(cloud, inventory, secret, **subnet, slipway_preflight=False)
    assert planned.code == 0, planned.output
    assert "failed=0" in planned.output
    assert cloud.client("ecs").list_services(cluster="others")["serviceArns"] == []


# A plan of a whole site takes a minute.
@pytest.mark.variants
def test_an_application_of_copilot_is_planned(cloud: Cloud, tmp_path: Path) -> None:
    web = {
        "name": "web",
        "type": "Load Balanced Web Service",
        "image": {"build": "web/Dockerfile", "port": 8080},
        "http": {"path": "/", "healthcheck": "/ready"},
        "count": 2,
        "environments": {"prod": {"count": 3}},
    }
    job = {
        "name": "report",
        "type": "Scheduled Job",
        "image": {"location": "public.ecr.aws/docker/library/busybox:1"},
        "on": {"schedule": "@daily"},
    }
    for manifest in (web, job):
        path = tmp_path / f"copilot/{manifest['name']}/manifest.yml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(manifest))
    (tmp_path / "copilot/.workspace").write_text("application: shop\n")
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").write_text("FROM public.ecr.aws/docker/library/nginx:1\n")
    inventory = tmp_path / "inventory/prod"
    converted = convert("copilot", tmp_path, inventory, copilot_environment="prod")
    assert converted.code == 0, converted.output
    planned = check_site(cloud, inventory, {}, ecs_network_docker_host_cidrs=["10.0.0.0/8"])
    assert planned.code == 0, planned.output
    assert "Release all services together" in planned.output
    assert planned.changed > 10
