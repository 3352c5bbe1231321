# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml creates, verifies, then skips. A role whose resources or variables differ from its record runs in full."""

from __future__ import annotations

import json
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import plays

Json = dict[str, t.Any]

# Every day, Molecule runs the whole site with and without skipping.
pytestmark = pytest.mark.variants

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
KEYS = {"slipway_access_key": "key", "slipway_secret_key": "b2f0c1d4e7a9"}
# Two roles that need no others.
TAGS = "registry,cluster"
ROLES = {"ecr_registry", "ecs_cluster"}
# What a run with both of them skipped consists of: less than one of them in full.
TASKS = 30
SERVICE = {
    "name": "web",
    "desired_count": 0,
    "load_balancers": [{"targetGroupArn": "web"}],
    "task_definition": {
        "family": "web",
        "cpu": 256,
        "memory": 512,
        "containerDefinitions": [
            {"name": "web", "image": f"web@sha256:{'0' * 64}", "portMappings": [{"containerPort": 8080}]}
        ],
    },
}
SITE: Json = {
    "slipway_region": REGION,
    "container_image_images": [],
    "ecr_registry_repositories": [{"name": "web"}],
    "ecs_network_docker_host_cidrs": ["192.0.2.1/32"],
    "ecs_load_balancer_target_groups": [{"name": "web"}],
    "service_discovery_services": ["web"],
    "ecs_app_images": {"web": f"public/web@sha256:{'0' * 64}"},
    "ecs_app_secrets": {},
    "ecs_app_services": [SERVICE],
}


@dataclass
class Run:
    """What a run of site.yml reports."""

    plays: list[Json]
    code: int
    output: str

    def results(self) -> t.Iterator[tuple[str, Json]]:
        for play in self.plays:
            for task in play["tasks"]:
                for result in task["hosts"].values():
                    yield task["task"]["name"].rpartition(" : ")[2], result

    @property
    def tasks(self) -> int:
        return sum(not result.get("skipped") for _name, result in self.results())

    @property
    def skipped(self) -> set[str]:
        return {
            result["msg"].split()[1].rstrip(":") for _name, result in self.results() if result.get("slipway_skipped")
        }

    @property
    def in_full(self) -> dict[str, str]:
        """The roles that ran in full, and why."""
        return {
            result["run"]["role"]: result["msg"]
            for _name, result in self.results()
            if result.get("run", {}).get("role")
        }

    @property
    def changed(self) -> list[str]:
        return [name for name, result in self.results() if result.get("changed")]


@dataclass
class Account:
    """An emulator of our own, and site.yml on it."""

    address: str

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": KEYS["slipway_secret_key"]}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def site(self, *options: str, tags: str = TAGS, **variables: t.Any) -> Run:
        given = {**SITE, **KEYS, "slipway_endpoint_url": self.address, **variables}
        given |= {"ansible_connection": "slipway.aws.forkserver", "ansible_python_interpreter": sys.executable}
        words = ["--inventory", "localhost,", "--tags", tags, *options, "playbooks/site.yml"]
        ended = plays.run(*words, extra=given, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
        # What roles say by themselves is in front of the JSON.
        _said, brace, rest = (
            ended.stdout.partition("\n{\n") if not ended.stdout.startswith("{") else ("", "", ended.stdout)
        )
        report = json.loads((brace + rest).strip() or "{}")
        run = Run(report.get("plays", []), ended.returncode, ended.stdout + ended.stderr)
        assert run.plays, run.output
        return run


@pytest.fixture(scope="module")
def account(cloud: t.Any) -> Account:
    return Account(cloud.address)


@pytest.fixture(scope="module")
def runs(account: Account) -> dict[str, Run]:
    """The runs of a site on which nothing but the site itself works: created, verified, skipped."""
    return {name: account.site() for name in ("create", "verify", "skip")}


@pytest.mark.witness("ecr_registry", "ecs_cluster")
def test_the_first_run_creates_and_the_second_verifies(runs: dict[str, Run]) -> None:
    assert runs["create"].in_full == dict.fromkeys(ROLES, "no record")
    assert runs["create"].changed
    assert set(runs["verify"].in_full) == ROLES
    assert runs["verify"].changed == []


def test_the_third_run_skips(runs: dict[str, Run]) -> None:
    assert (runs["skip"].code, runs["skip"].changed) == (0, [])
    assert (runs["skip"].skipped, runs["skip"].in_full) == (ROLES, {})
    assert runs["skip"].tasks < TASKS


def test_a_change_by_hand_is_reverted_by_its_role_alone(account: Account, runs: dict[str, Run]) -> None:
    ecs = account.client("ecs")
    ecs.update_cluster_settings(cluster="ecs", settings=[{"name": "containerInsights", "value": "enabled"}])
    run = account.site()
    assert (run.skipped, set(run.in_full)) == ({"ecr_registry"}, {"ecs_cluster"})
    assert "not as recorded: cluster" in run.in_full["ecs_cluster"]
    [cluster] = ecs.describe_clusters(clusters=["ecs"], include=["SETTINGS"])["clusters"]
    assert cluster["settings"] == [{"name": "containerInsights", "value": "disabled"}]


def test_a_changed_variable_runs_its_role_alone(account: Account, runs: dict[str, Run]) -> None:
    run = account.site(ecr_registry_repositories=[{"name": "web", "scan_on_push": False}])
    assert run.in_full["ecr_registry"] == "changed: its variables"
    assert run.changed == ["Create the repositories"]


def test_a_damaged_record_is_none(account: Account, runs: dict[str, Run]) -> None:
    name = "/slipway/ecs/record/ecs_cluster/0"
    account.client("ssm").put_parameter(Name=name, Value="x", Type="SecureString", Overwrite=True)
    run = account.site()
    assert run.in_full["ecs_cluster"] == "its record cannot be read"
    assert "ecs_cluster runs in full: its record cannot be read." in run.output


@pytest.mark.parametrize("options", [("--check",), ("-e", "slipway_skip_converged=false")])
def test_nothing_is_skipped(account: Account, runs: dict[str, Run], options: tuple[str, ...]) -> None:
    assert account.site(*options).skipped == set()


def test_a_whole_site_is_created_verified_and_skipped(account: Account) -> None:
    tags = "network,registry,discovery,cluster,load_balancer,service"
    shop = {"slipway_project": "shop", "ecr_registry_repositories": [{"name": "shop"}]}
    first, second, third = (account.site(tags=tags, **shop) for _number in range(3))
    assert (first.code, second.code, third.code) == (0, 0, 0), first.output + second.output
    assert second.changed == []
    every = {
        "preflight",
        "ecs_network",
        "ecr_registry",
        "service_discovery",
        "ecs_cluster",
        "ecs_load_balancer",
        "ecs_app",
    }
    assert (third.skipped, third.in_full, third.changed) == (every, {}, [])
    ec2 = account.client("ec2")
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["shop-tasks"]}])["SecurityGroups"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=groups[0]["GroupId"], IpPermissions=[permission])
    mended = account.site(tags=tags, **shop)
    assert (set(mended.in_full), mended.changed) == ({"ecs_network"}, ["Create the security groups"])
    service = {**SERVICE, "task_definition": {**SERVICE["task_definition"], "memory": 1024}}
    released = account.site(tags=tags, ecs_app_services=[service], **shop)
    assert set(released.in_full) == {"ecs_network", "ecs_app"}
