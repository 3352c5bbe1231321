# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook drift, without the variables of a site: its list, its JSON, its report, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.modules import project_drift
from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.unit.playbooks.test_status import differences

if t.TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[3]
REGION, PROJECT = "eu-central-1", "shop"
ROLES = ("ecr_registry", "container_image", "ecs_cluster", "ecs_app")
TAGS = {"slipway:project": PROJECT, "team": "web"}
LOWER = [{"key": key, "value": value} for key, value in TAGS.items()]
UPPER = [{"Key": key, "Value": value} for key, value in TAGS.items()]


class Site(t.NamedTuple):
    """A project in an emulator of its own."""

    address: str
    folder: Path

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def play(self, playbook: str, *options: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        """Run a playbook with the variables that drift needs, and without an inventory."""
        given = {
            "slipway_project": PROJECT,
            "slipway_region": REGION,
            "slipway_endpoint_url": self.address,
            "slipway_access_key": "key",
            "slipway_secret_key": "b2f0c1d4e7a9",
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        return plays.run(playbook, "-i", "localhost,", "-c", "slipway.aws.forkserver", *options, extra=given)

    def drift(self, *options: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        return self.play("playbooks/drift.yml", *options, **variables)

    def record(self) -> None:
        """Record the roles, as site.yml does at its end."""
        keys = {"access_key": "key", "secret_key": "b2f0c1d4e7a9", "endpoint_url": self.address, "region": REGION}
        roles = [{"role": role, "inputs": {}, "result": {}, "before": ""} for role in ROLES]
        tasks = [{"slipway.aws.project_record": {**keys, "project": PROJECT, "roles": roles}}]
        playbook = self.folder / "record.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        done = self.play(str(playbook))
        assert done.returncode == 0, done.stdout + done.stderr


def create(site: Site) -> None:
    ecs = site.client("ecs")
    site.client("ecr").create_repository(repositoryName="shop/web", tags=UPPER)
    ecs.create_cluster(clusterName=PROJECT, tags=LOWER)
    environment = [{"name": "DEBUG", "value": "0"}, {"name": "DB_PASSWORD", "value": "hunter2"}]
    container = {"name": "web", "image": "web:1", "memory": 64, "environment": environment}
    ecs.register_task_definition(family="shop-web", containerDefinitions=[container], tags=LOWER)
    ecs.create_service(cluster=PROJECT, serviceName="web", taskDefinition="shop-web", desiredCount=0, tags=LOWER)


@pytest.fixture(scope="module")
def site(start_cloud: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Site:
    found = Site(start_cloud(), tmp_path_factory.mktemp("drift"))
    create(found)
    return found


def test_without_a_record_it_fails_and_keeps_standard_output_empty(site: Site) -> None:
    run = site.drift(drift_format="json")
    assert (run.returncode, run.stdout) == (1, "")
    said = " ".join(run.stderr.split())
    assert "Drift of the project shop: expected the record of a run in eu-central-1, got none. Run site.yml" in said


def test_a_missing_project_is_named(site: Site) -> None:
    run = site.drift(slipway_project="")
    assert (run.returncode, run.stdout) == (1, "")
    assert "got slipway_project=none and slipway_region=eu-central-1" in " ".join(run.stderr.split())


@pytest.fixture(scope="module")
def recorded(site: Site) -> Site:
    site.record()
    return site


@pytest.mark.witness("project_drift")
def test_no_drift_is_three_lines_and_no_failure(recorded: Site) -> None:
    run = recorded.drift()
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[:2] == ["shop in eu-central-1, account 000000000000", "0 resources with drift, 5 without."]
    assert lines[2].startswith("Compared with 4 records of ")
    assert len(lines) == 3


@pytest.fixture(scope="module")
def changed(recorded: Site) -> Site:
    """The service is changed by hand, the repository is deleted, and there is one more."""
    recorded.client("ecs").update_service(cluster=PROJECT, service="web", desiredCount=3)
    recorded.client("ecr").delete_repository(repositoryName="shop/web")
    recorded.client("ecr").create_repository(repositoryName="shop/by-hand", tags=UPPER)
    return recorded


@pytest.mark.parametrize("options", [(), pytest.param(("--check",), marks=pytest.mark.variants)])
def test_drift_is_listed_and_ends_with_2(changed: Site, options: tuple[str, ...]) -> None:
    run = changed.drift(*options)
    assert (run.returncode, run.stderr) == (2, "")
    assert "  service web\n    desiredCount: 0 → 3\n" in run.stdout
    assert "    Rerun site.yml --tags service.\n" in run.stdout
    assert "MISSING since the last run: site.yml creates it\n" in run.stdout
    assert "  repository shop/web\n    Rerun site.yml --tags registry.\n" in run.stdout
    assert "NOT IN THE RECORD, but with the project's tag\n  repository shop/by-hand\n" in run.stdout


def test_json_is_all_that_is_printed_and_is_what_is_documented(changed: Site, tmp_path: Path) -> None:
    run = changed.drift(drift_format="json", drift_junit=str(tmp_path / "reports/drift.xml"))
    assert (run.returncode, run.stderr) == (2, "")
    drift = json.loads(run.stdout)
    assert {(one["kind"], one["name"], one["drift"]) for one in drift["resources"]} == {
        ("service", "web", "changed"),
        ("repository", "shop/web", "missing"),
        ("images", "shop/web", "missing"),
        ("repository", "shop/by-hand", "unrecorded"),
    }
    documented = yaml.safe_load(project_drift.RETURN)["drift"]
    assert differences("drift", documented, drift) == []
    report = ElementTree.parse(tmp_path / "reports/drift.xml").getroot()
    assert (report.get("tests"), report.get("failures"), report.get("errors")) == ("6", "4", "0")


@pytest.mark.variants
def test_a_secret_that_someone_changed_is_not_shown(changed: Site) -> None:
    environment = [{"name": "DEBUG", "value": "1"}, {"name": "DB_PASSWORD", "value": "hunter3"}]
    container = {"name": "web", "image": "web:1", "memory": 64, "environment": environment}
    ecs = changed.client("ecs")
    ecs.register_task_definition(family="shop-web", containerDefinitions=[container], tags=LOWER)
    run = changed.drift("-vvv")
    assert run.returncode == 2
    assert "containerDefinitions[web].environment[DEBUG].value: 0 → 1" in run.stdout
    assert "hunter" not in run.stdout + run.stderr


@pytest.mark.variants
def test_a_role_without_a_record_is_unknown_and_ends_with_1(changed: Site) -> None:
    vpc = changed.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    changed.client("ec2").create_tags(Resources=[vpc], Tags=UPPER)
    run = changed.drift()
    assert (run.returncode, run.stderr) == (1, "")
    assert "record: The role ecs_network cannot be compared: it has no record. Rerun site.yml" in run.stdout
    assert "desiredCount: 0 → 3" in run.stdout


def test_a_format_that_does_not_exist_is_refused(changed: Site) -> None:
    run = changed.drift(drift_format="xml")
    assert (run.returncode, run.stdout) == (1, "")
    assert "list, json, none, got: xml" in run.stderr
