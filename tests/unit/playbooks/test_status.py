# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook status, without the variables of a site: its table, its JSON, and what it prints where it fails."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.modules import project_status
from ansible_collections.slipway.aws.tests import plays

if t.TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "dict": (dict,),
    "list": (list,),
    "raw": (object,),
}


class Site(t.NamedTuple):
    """A project in an emulator of its own."""

    address: str

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def show(self, *options: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        """Run the playbook with the variables that it needs, and without an inventory."""
        given = {
            "slipway_project": "shop",
            "slipway_region": REGION,
            "slipway_endpoint_url": self.address,
            "slipway_access_key": "key",
            "slipway_secret_key": "b2f0c1d4e7a9",
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        words = ["playbooks/status.yml", "-i", "localhost,", "-c", "slipway.aws.forkserver"]
        return plays.run(*words, *options, extra=given, COLUMNS="100")


def upper(project: str) -> list[Json]:
    return [{"Key": "slipway:project", "Value": project}]


def lower(project: str) -> list[Json]:
    return [{"key": "slipway:project", "value": project}]


def create(site: Site, project: str) -> None:
    """A service behind a load balancer, and one of which no task runs."""
    ec2, ecs, elb = site.client("ec2"), site.client("ecs"), site.client("elbv2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
    balancer = elb.create_load_balancer(Name=project, Subnets=subnets, Tags=upper(project))["LoadBalancers"][0]
    group = elb.create_target_group(
        Name=project, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", Tags=upper(project)
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    ecs.create_cluster(clusterName=project, tags=lower(project))
    for name, balancers in (
        ("web", [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}]),
        ("worker", []),
    ):
        container = {"name": name, "image": f"public.ecr.aws/shop/{name}:v2", "memory": 64}
        container["portMappings"] = [{"containerPort": 80}]
        family = f"{project}-{name}"
        ecs.register_task_definition(
            family=family, networkMode="awsvpc", containerDefinitions=[container], tags=lower(project)
        )
        ecs.create_service(
            cluster=project,
            serviceName=name,
            taskDefinition=family,
            desiredCount=2 if balancers else 0,
            loadBalancers=balancers,
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
            tags=lower(project),
        )


@pytest.fixture(scope="module")
def site(start_cloud: Callable[..., str]) -> Site:
    # Without Docker, its tasks run, but no container.
    found = Site(start_cloud())
    create(found, "shop")
    create(found, "other")
    return found


@pytest.mark.witness("project_status")
def test_the_table_is_all_that_is_printed(site: Site) -> None:
    run = site.show()
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[0].startswith(f"shop in {REGION}, account 000000000000, ")
    rows = [line.split() for line in lines if line.startswith(("  web", "  worker"))]
    assert [row[:3] for row in rows] == [["web", "stable", "2/2"], ["worker", "stopped", "0/0"]]
    assert rows[0][-1] == "v2"
    port = site.address.rpartition(":")[2]
    assert f"    http://shop.alb.localhost:{port}/" in lines
    assert "other" not in run.stdout
    assert max(len(line) for line in lines) <= 100


def test_json_is_all_that_is_printed_and_is_what_is_documented(site: Site) -> None:
    run = site.show(status_format="json")
    assert (run.returncode, run.stderr) == (0, "")
    status = json.loads(run.stdout)
    assert [one["name"] for one in status["services"]] == ["web", "worker"]
    assert status["summary"]["services"] == 2
    documented = yaml.safe_load(project_status.RETURN)["status"]
    assert differences("status", documented, status) == []


def differences(path: str, documented: Json, value: t.Any) -> list[str]:
    """Where data and documentation differ: in members, in types, and in what may be null."""
    if value is None:
        words = str(documented["description"]).lower()
        return [] if "null" in words else [f"{path} is null"]
    if not isinstance(value, TYPES[documented["type"]]):
        return [f"{path} is no {documented['type']}"]
    if "contains" not in documented:
        return []
    found = []
    for number, one in enumerate(value if isinstance(value, list) else [value]):
        where = f"{path}[{number}]" if isinstance(value, list) else path
        found += [f"{where}: {name}" for name in sorted(documented["contains"].keys() ^ one.keys())]
        found += [
            problem
            for name, member in documented["contains"].items()
            if name in one
            for problem in differences(f"{where}.{name}", member, one[name])
        ]
    return found


@pytest.mark.variants
def test_check_mode_shows_the_same(site: Site) -> None:
    run = site.show("--check", status_format="json")
    assert (run.returncode, [one["name"] for one in json.loads(run.stdout)["services"]]) == (0, ["web", "worker"])


@pytest.mark.variants
def test_a_project_without_resources_is_no_failure(site: Site) -> None:
    run = site.show(slipway_project="nobody")
    assert run.returncode == 0
    assert "No services." in run.stdout


def test_a_missing_project_is_named_and_keeps_standard_output_empty(site: Site) -> None:
    run = site.show(slipway_project="", status_format="json")
    assert (run.returncode, run.stdout) == (2, "")
    assert "got slipway_project=none and slipway_region=eu-central-1" in " ".join(run.stderr.split())


def test_a_format_that_does_not_exist_is_refused(site: Site) -> None:
    run = site.show(status_format="xml")
    assert (run.returncode, run.stdout) == (2, "")
    assert "table, json, none, got: xml" in run.stderr
