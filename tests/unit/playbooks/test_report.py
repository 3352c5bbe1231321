# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook report writes one file of what is in an account, for its owner alone; and none where it fails."""

from __future__ import annotations

import subprocess
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
REGION = "eu-central-1"
SECRET = "b2f0c1d4e7a9"


class Account(t.NamedTuple):
    """An emulator with a project in it."""

    address: str

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": SECRET}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def report(self, *options: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        """Run the playbook without an inventory."""
        given = {
            "slipway_project": "shop",
            "slipway_region": REGION,
            "slipway_endpoint_url": self.address,
            "slipway_access_key": "key",
            "slipway_secret_key": SECRET,
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        words = ["playbooks/report.yml", "-i", "localhost,", "-c", "slipway.aws.forkserver"]
        return plays.run(*words, *options, extra=given)


@pytest.fixture(scope="module")
def account(start_cloud: Callable[..., str]) -> Account:
    """A service behind a load balancer."""
    account = Account(start_cloud())
    capital, lower = [{"Key": "slipway:project", "Value": "shop"}], [{"key": "slipway:project", "value": "shop"}]
    ec2, ecs, elb = account.client("ec2"), account.client("ecs"), account.client("elbv2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets, Tags=capital)["LoadBalancers"][0]
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", Tags=capital)
    target = group["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target}]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward)
    ecs.create_cluster(clusterName="shop", tags=lower)
    container = {
        "name": "web",
        "image": "web:v7",
        "portMappings": [{"containerPort": 80}],
        "environment": [{"name": "TOKEN", "value": "never-in-a-report"}],
    }
    ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
        tags=lower,
    )
    ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition="web",
        desiredCount=0,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": target, "containerName": "web", "containerPort": 80}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
        tags=lower,
    )
    return account


@pytest.mark.witness("project_report")
def test_the_file_shows_what_exists_and_is_private(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "new folder/report.html"
    run = account.report(report_file=str(path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"file://{path}" in run.stdout
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]
    text = path.read_text()
    for part in ("Load balancer shop", "web:1", "v7", "http://shop.alb.localhost", "The local cloud is free"):
        assert part in text
    for secret in ("never-in-a-report", SECRET):
        assert secret not in text + run.stdout


@pytest.mark.variants
def test_check_mode_writes_nothing(account: Account, tmp_path: Path) -> None:
    run = account.report("--check", report_file=str(tmp_path / "report.html"))
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.variants
def test_a_project_without_resources_has_a_report_at_the_default_path(account: Account, tmp_path: Path) -> None:
    run = account.report(slipway_project="other", slipway_directory=str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "This project has no services" in (tmp_path / "report.html").read_text()


def test_a_report_that_fails_leaves_the_last_one(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the last one")
    run = account.report(report_file=str(path), slipway_region="no region")
    assert run.returncode == 2
    assert path.read_text() == "the last one"


@pytest.mark.variants
def test_a_path_that_cannot_be_written_is_refused(account: Account, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = account.report(report_file=str(tmp_path / "file/report.html"))
    assert run.returncode == 2
    assert "dest: expected a path that can be written" in " ".join((run.stdout + run.stderr).split())
