# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-inventory lists what runs on an emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, refusal

ROOT = Path(__file__).resolve().parents[4]
REGION, OTHER = "eu-central-1", "us-east-1"
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
Json = dict[str, t.Any]
pytestmark = pytest.mark.own_cloud("runs no module")


class Account(t.NamedTuple):
    """An emulator, and where the inventory file is."""

    address: str
    folder: Path

    def start(self, cluster: str, family: str, image: str, count: int = 1, region: str = REGION) -> None:
        """Run tasks of two containers, on hosts that need not exist."""
        ecs = boto3.client("ecs", endpoint_url=self.address, region_name=region, **KEYS)
        ecs.create_cluster(clusterName=cluster)
        containers = [{"name": name, "image": image, "memory": 64} for name in ("app", "proxy")]
        ecs.register_task_definition(family=family, containerDefinitions=containers)
        for _batch in range(0, count, 10):
            tags = [{"key": "team", "value": "web"}]
            ecs.run_task(cluster=cluster, taskDefinition=family, count=min(count, 10), tags=tags)

    def ask(self, address: str = "", **options: t.Any) -> subprocess.CompletedProcess[str]:
        connection = {"endpoint_url": address or self.address, "access_key": "key", "secret_key": "b2f0c1d4e7a9"}
        path = self.folder / "ecs.yml"
        path.write_text(json.dumps({"plugin": "slipway.aws.ecs", "region": REGION, **connection, **options}))
        command = [Path(sys.executable).with_name("ansible-inventory"), "-i", path, "--list"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
        return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)

    def hosts(self, address: str = "", **options: t.Any) -> tuple[Json, dict[str, list[str]]]:
        """The variables of each host, and the hosts of each group."""
        done = self.ask(address, **options)
        assert done.returncode == 0, done.stderr
        listed = json.loads(done.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one))
        groups = {name: group["hosts"] for name, group in listed.items() if "hosts" in group}
        return listed["_meta"].get("hostvars", {}), groups


@pytest.fixture(scope="module")
def account(start_cloud: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Account:
    found = Account(start_cloud(), tmp_path_factory.mktemp("inventory"))
    found.start("shop", "web", "registry.example.com/web:1.4")
    found.start("shop", "worker", "registry.example.com/worker:2.0")
    found.start("shop", "web", "registry.example.com/web:1.5", region=OTHER)
    return found


def test_each_container_is_a_host_in_its_groups(account: Account) -> None:
    variables, groups = account.hosts(
        clusters=["shop"], regions=[REGION, OTHER], groups={"old": "ecs_version == '1.4'"}, compose={"port": "8000"}
    )
    assert len(variables) == 6
    (name,) = set(groups["family_web"]) & set(groups["container_app"]) & set(groups["region_eu_central_1"])
    assert name.startswith("web-")
    assert name.endswith("-app")
    assert (variables[name]["ecs_version"], variables[name]["port"]) == ("1.4", 8000)
    assert sorted(groups["old"]) == sorted(groups["version_1_4"])
    assert len(groups["tag_team_web"]) == len(groups["cluster_shop"]) == 6


def test_what_is_denied_is_a_warning_with_the_missing_permission(account: Account) -> None:
    def deny(request: Request) -> Answer | None:
        is_denied = request.operation == "DescribeTasks" and request.region == OTHER
        return refusal(request, "AccessDeniedException", "not authorized") if is_denied else None

    with Proxy(account.address, before=deny) as proxy:
        done = account.ask(proxy.address, regions=[REGION, OTHER])
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["_meta"]["hostvars"]) == 4
    assert f"Hosts in {OTHER} may be missing from the inventory: allow ecs:DescribeTasks." in " ".join(
        done.stderr.split()
    )


def test_a_cluster_that_exists_in_no_region_is_refused(account: Account) -> None:
    def miss(request: Request) -> Answer | None:
        """Answer as AWS; the emulator has an empty list."""
        is_missing = request.operation == "ListTasks" and (request.members["cluster"], request.region) != (
            "shop",
            OTHER,
        )
        return refusal(request, "ClusterNotFoundException", "Cluster not found.") if is_missing else None

    with Proxy(account.address, before=miss) as proxy:
        variables, _groups = account.hosts(proxy.address, regions=[REGION, OTHER], clusters=["shop"])
        assert len(variables) == 2
        done = account.ask(proxy.address, regions=[REGION, OTHER], clusters=["shop", "shpo"])
    assert "got shpo, which does not exist" in " ".join(done.stderr.split())
    assert "hostvars" not in done.stdout or not json.loads(done.stdout)["_meta"].get("hostvars")


def test_a_cache_saves_all_calls(account: Account, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path)}
    with Proxy(account.address) as proxy:
        first = account.hosts(proxy.address, **cache)
        made = sum(proxy.calls.values())
        assert made
        assert account.hosts(proxy.address, **cache) == first
        assert sum(proxy.calls.values()) == made


@pytest.mark.variants
def test_a_thousand_tasks_take_less_than_five_seconds(account: Account) -> None:
    """Of the time of Ansible's processes: how long the machine takes depends on what else it does."""
    account.start("large", "many", "registry.example.com/many:1", count=1000)
    begin = os.times()
    variables, _groups = account.hosts(clusters=["large"])
    used = sum(os.times()[2:4]) - sum(begin[2:4])
    assert 0 < used < 5
    assert len(variables) == 2000
