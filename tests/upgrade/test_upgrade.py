# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site of the previous release is converged by this version, and the changelog names every change that it makes."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.tests.artifact.installed import ROOT, Installed
from ansible_collections.slipway.aws.tests.artifact.test_workshop import changes, page
from ansible_collections.slipway.aws.tests.upgrade.identities import identities, replaced

# The commit of the previous release: its archive is built from it.
PREVIOUS = "1194e53"
# Beside the local clouds of other tests.
PORT = 4593
ON_PORT = f"-elocal_cloud_port={PORT}"
AWS_PORT = 4594

Play = t.Callable[..., str]
Site = tuple[Play, Play]


def checkout(commit: str, folder: Path) -> Path:
    """The files of a commit, in an empty folder."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    return folder


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[Installed, Installed]]:
    """The previous release and this version, for one user with one state folder."""
    folder = tmp_path_factory.mktemp("upgrade")
    previous = Installed(folder / "previous", checkout(PREVIOUS, folder / "checkout"), folder / "here")
    current = Installed(folder / "current", here=folder / "here")
    yield previous, current
    previous.play("slipway.aws.local_cloud", ON_PORT, "-elocal_cloud_state=absent")


# What leads the inventory of a real account to a local cloud. Everything else is as on AWS.
LEADING_HERE = {
    "slipway_endpoint_url": f"http://127.0.0.1:{AWS_PORT}",
    "slipway_access_key": "local",
    "slipway_secret_key": "the-local-cloud-takes-any-key",
    "ecr_registry_address": f"localhost:{AWS_PORT}",
    "container_image_base_image": f"localhost:{AWS_PORT}/base/debian:trixie",
    "ecs_network_docker_host_cidrs": ["172.16.0.0/12", "192.168.0.0/16"],
    "ecs_load_balancer_url": f"http://ecs-workshop.alb.localhost:{AWS_PORT}",
    "ecs_verify_address": f"127.0.0.1:{AWS_PORT}",
}
# The stage is production, of this account.
PRODUCTION = {"slipway_production": True, "slipway_account": "000000000000"}
# The task that brings each default which the previous release did not have.
NEW_DEFAULTS = {
    "subnets give no public addresses": "Create the public subnets",
    "the default security group is closed": "Remove the rules of the default security group",
    "refused connections are recorded": "Create the flow log of the VPC",
    "tags of images are immutable": "Create the repositories",
    "logs are kept for a year": "Create the log groups",
    "the cluster has Container Insights": "Create the cluster",
    "access is logged": "Create the bucket for access logs",
    "access logs are kept for a year": "Set the retention of access logs",
    "the load balancer is protected from deletion": "Create the load balancer",
    "root file systems are read-only": "Release all services together",
}


@pytest.fixture
def site_of_aws(versions: tuple[Installed, Installed]) -> t.Iterator[Site]:
    """How the previous release and this version run the site of the inventory `aws` on a local cloud."""
    previous, current = versions
    current.play("slipway.aws.local_cloud", f"-elocal_cloud_port={AWS_PORT}")
    here = ("slipway.aws.site", "-e", json.dumps(LEADING_HERE))
    yield (
        lambda *options: previous.play(*here, *options, inventory="aws"),
        lambda *options: current.play(*here, "-e", json.dumps(PRODUCTION), *options, inventory="aws"),
    )
    current.play("slipway.aws.local_cloud", f"-elocal_cloud_port={AWS_PORT}", "-elocal_cloud_state=absent")


def changed_tasks(output: str) -> list[str]:
    """The names of the tasks that changed something, without their roles, in the order of the run."""
    names, task = [], ""
    for line in output.splitlines():
        if header := re.match(r"(?:TASK|RUNNING HANDLER) \[(?:[\w.]+ : )?(.*?)\] \**$", line):
            task = header[1]
        elif line.startswith("changed: ") and task not in names:
            names.append(task)
    return names


def named_by_the_changelog() -> set[str]:
    """The tasks that a fragment names as those that change something in the first run after an upgrade."""
    fragments = [yaml.safe_load(path.read_text()) for path in (ROOT / "changelogs/fragments").glob("*.yml")]
    entries = [str(entry) for fragment in fragments for section in fragment.values() for entry in section]
    upgrading = [entry for entry in entries if entry.startswith("upgrade - ")]
    return {name for entry in upgrading for name in re.findall(r"``(.+?)``", entry)}


def test_this_version_converges_a_site_of_the_previous_release(versions: tuple[Installed, Installed]) -> None:
    previous, current = versions
    previous.play("slipway.aws.local_cloud", ON_PORT)
    previous.play("slipway.aws.site", ON_PORT)
    assert "Django" in page(PORT)

    # The cloud stays that of the previous release: a new one would begin empty. Its registry forgets which tags may
    # move, so that they stay mutable here; tests/unit/roles/test_image_tags.py has this change.
    settings = (ON_PORT, "-eecr_registry_mutability=MUTABLE")
    upgraded = changed_tasks(current.play("slipway.aws.site", *settings))
    print(f"{len(upgraded)} tasks changed something", *upgraded, sep="\n  ")
    assert "Django" in page(PORT)
    again = current.play("slipway.aws.site", *settings)
    assert changes(again) == 0, again
    assert [name for name in upgraded if name not in named_by_the_changelog()] == []


def test_a_real_account_gets_the_new_defaults_and_nothing_is_replaced(site_of_aws: Site) -> None:
    previous, current = site_of_aws
    endpoint, region = LEADING_HERE["slipway_endpoint_url"], "ap-northeast-2"
    previous()
    assert "Django" in page(AWS_PORT)
    before = identities(str(endpoint), region)

    plan = current("--check", "--diff")
    planned = changed_tasks(plan)
    assert {default: task for default, task in NEW_DEFAULTS.items() if task not in planned} == {}, plan
    assert replaced(before, identities(str(endpoint), region)) == {}
    done = changed_tasks(current("--diff"))
    print(f"{len(done)} tasks changed something", *done, sep="\n  ")
    assert "Django" in page(AWS_PORT)
    assert sorted(set(done) - set(planned)) == [], "the plan names each change"
    assert {default: task for default, task in NEW_DEFAULTS.items() if task not in done} == {}
    assert replaced(before, identities(str(endpoint), region)) == {}
    assert [name for name in done if name not in named_by_the_changelog()] == []
    again = current()
    assert changes(again) == 0, again
