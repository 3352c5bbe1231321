# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole site is changed by hand in every kind of resource: drift names each change, the next run of site.yml mends
it, and then there is no drift."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import details_flow, state
from ansible_collections.slipway.aws.plugins.module_utils._project.drift.members import changes
from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.unit.playbooks.changes_by_hand import CHANGES, Account, Change

Json = dict[str, t.Any]

pytestmark = pytest.mark.variants
ROOT = Path(__file__).resolve().parents[3]
REGION, PROJECT = "eu-central-1", "shop"
# Without an engine, no task runs. CloudTrail's events say who changed what.
SERVER = {
    "MINISTACK_REGION": REGION,
    "CLOUDTRAIL_RECORDING": "1",
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
}
# Without Docker there is no Docker host.
SKIPPED = "docker_instance,docker_host,image,verify"


OPTIONS: Json = {
    "enable_execute_command": False,
    "health_check_grace_period_seconds": 30,
    "platform_version": "1.4.0",
    "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
}


def service(name: str, port: int, **options: t.Any) -> Json:
    """A service of which no task runs, as there is no Docker. What its variables do not set, site.yml leaves."""
    container = {
        "name": "app",
        "image": "public/app:1",
        "portMappings": [{"containerPort": port}],
        "environment": [{"name": "DEBUG", "value": "0"}],
        "secrets": [{"name": "KEY", "valueFrom": "key"}, {"name": "GREETING", "valueFrom": "greeting"}],
    }
    return {
        "name": name,
        "desired_count": 0,
        "load_balancers": [{"targetGroupArn": name}],
        "options": {**OPTIONS, **options},
        "task_definition": {"family": f"shop-{name}", "cpu": 256, "memory": 512, "containerDefinitions": [container]},
    }


VARIABLES: Json = {
    "slipway_project": PROJECT,
    "slipway_region": REGION,
    "slipway_access_key": "key",
    "slipway_secret_key": "b2f0c1d4e7a9",
    "slipway_tags": {"team": "web"},
    "ansible_python_interpreter": sys.executable,
    "ecs_network_docker_host_cidrs": ["203.0.113.7/32"],
    "ecs_network_endpoints": ["s3"],
    "ecr_registry_repositories": [{"name": "shop/web"}],
    "service_discovery_services": ["api"],
    "ecs_load_balancer_target_groups": [{"name": "web"}, {"name": "api", "paths": ["/api/*"]}],
    "ecs_load_balancer_access_logs_bucket": "shop-logs-0123",
    "ecs_load_balancer_access_logs_create": True,
    "ecs_app_settings": {"greeting": "hello"},
    "ecs_app_secrets": {"key": {"length": 20}},
    "ecs_app_services": [
        service("web", 8000),
        service("api", 8001, service_registries=[{"registryArn": "api"}]),
    ],
}


class Site(t.NamedTuple):
    """A site in an emulator of its own."""

    address: str
    folder: Path

    def client(self, name: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
        return boto3.client(name, endpoint_url=self.address, region_name=REGION, **keys)

    def play(self, playbook: str, *options: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        given = {"slipway_endpoint_url": self.address, "slipway_directory": str(self.folder), **variables}
        return plays.run(playbook, "-i", "localhost,", "-c", "slipway.aws.forkserver", *options, extra=given)

    def converge(self) -> None:
        done = self.play("site.yml", "--skip-tags", SKIPPED, **VARIABLES)
        assert done.returncode == 0, done.stdout + done.stderr

    def drift(self, code: int) -> Json:
        """What the playbook prints, without the variables of the site."""
        names = ("slipway_project", "slipway_region", "slipway_access_key", "slipway_secret_key")
        given = {name: VARIABLES[name] for name in (*names, "ansible_python_interpreter")}
        done = self.play(
            "playbooks/drift.yml", drift_format="json", drift_junit=str(self.folder / "drift.xml"), **given
        )
        assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
        return t.cast(Json, json.loads(done.stdout))

    def resources(self) -> list[Json]:
        return t.cast(list[Json], details_flow.run(self.client, PROJECT)["resources"])


def states(resources: list[Json]) -> dict[str, Json]:
    """The states of resources by kind and id."""
    return {key: one for some in state.by_role(resources).values() for key, one in some.items()}


class Drifted(t.NamedTuple):
    """What was before, which changes the account refused, and what drift said of the others."""

    before: list[Json]
    refused: dict[str, str]
    drift: Json


@pytest.fixture(scope="module")
def site(start_cloud: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(start_cloud(**SERVER), tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def drifted(site: Site) -> Drifted:
    site.converge()
    assert site.drift(0)["resources"] == []
    before = site.resources()
    refused = {}
    for change in CHANGES:
        account = Account(site.client, before)
        try:
            change.apply(account, account.one(*change.target))
        except Exception as error:  # pylint: disable=broad-exception-caught
            refused[str(change)] = repr(error)
    return Drifted(before, refused, site.drift(2))


@pytest.fixture(scope="module")
def after(site: Site, drifted: Drifted) -> list[Json]:
    """What there is after the next run of site.yml. What it keeps is in its record."""
    site.converge()
    assert site.drift(0)["resources"] == []
    return site.resources()


@pytest.fixture(params=CHANGES, ids=str)
def change(request: pytest.FixtureRequest) -> Change:
    return t.cast(Change, request.param)


def found_of(drifted: Drifted, change: Change) -> list[Json]:
    resources = [one for one in drifted.drift["resources"] if one["kind"] == change.kind]
    return [one for one in resources if change.name in one["name"] and one["drift"] == change.drift]


def test_the_account_accepts_each_change(drifted: Drifted) -> None:
    assert drifted.refused == {}


def test_each_change_is_seen(drifted: Drifted, change: Change) -> None:
    found = found_of(drifted, change)
    members = [member["member"] for one in found for member in one["members"]]
    assert found
    assert not change.member or [name for name in members if name.startswith(change.member)]


def test_the_next_run_mends_each_change_or_keeps_it_with_reason(
    drifted: Drifted, after: list[Json], change: Change
) -> None:
    before, now = states(drifted.before), states(after)
    names = [f"{one['kind']} {one['id']}" for one in found_of(drifted, change)]
    if change.drift == "changed":
        paths = [one.member for name in names for one in changes(before[name], now.get(name, {}))]
        left = [path for path in paths if path.startswith(change.member.replace("tags.", "[slipway:tags]."))]
    else:
        left = [name for name in names if (name in now) == (change.drift == "unrecorded")]
    assert names
    assert bool(left) == bool(change.kept)


def test_drift_says_who_changed_a_resource(drifted: Drifted) -> None:
    events = [event for one in drifted.drift["resources"] for event in one["events"]]
    assert {event["by"] for event in events} == {"key"}
