# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible in the containers of the workshop, by inventory and connection: a task of it that is started with ECS Exec.

SLIPWAY_ENDPOINT and SLIPWAY_REGION say where the local cloud is, on which the workshop's service has to run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT = os.environ.get("SLIPWAY_ENDPOINT")
REGION = os.environ.get("SLIPWAY_REGION", "ap-northeast-2")
# Those of inventory/local.
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "the-local-cloud-takes-any-key"}
pytestmark = pytest.mark.skipif(not ENDPOINT, reason="SLIPWAY_ENDPOINT does not name a local cloud")
Json = dict[str, t.Any]

PLAY = """
- hosts: family_workshop
  gather_facts: false
  tasks:
    - name: Check a file in every container
      ansible.builtin.raw: test -s /etc/os-release && echo "in $(id -un)"
      register: checked
      failed_when: checked.stdout | trim != 'in root'
    - ansible.builtin.script: {folder}/given.sh word
      register: script
      failed_when: script.stdout | trim != 'got word'

- hosts: container_django:&family_workshop
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
    - ansible.builtin.setup:
        gather_subset: [min]
    - ansible.builtin.copy:
        src: {folder}/given
        dest: /tmp/given
        mode: "0600"
    - ansible.builtin.command: sha256sum /tmp/given
      register: copied
      changed_when: false
      failed_when: copied.stdout.split() | first != '{digest}'
    - ansible.builtin.fetch:
        src: /tmp/given
        dest: {folder}/fetched
        flat: true
    - ansible.builtin.command: id -un
      become: true
      become_method: ansible.builtin.su
      become_user: www-data
      become_flags: -s /bin/sh
      register: became
      changed_when: false
      failed_when: became.stdout != 'www-data'
"""


class Workshop(t.NamedTuple):
    """A task of the workshop in which commands may run."""

    ecs: t.Any
    cluster: str
    arn: str


def service(ecs: t.Any) -> Json:
    for cluster in ecs.list_clusters()["clusterArns"]:
        for found in ecs.describe_services(cluster=cluster, services=["workshop"])["services"]:
            return dict(found)
    pytest.fail("The service workshop does not exist.")


def wait_until(condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture
def workshop() -> t.Iterator[Workshop]:
    names = {name.lower(): value for name, value in KEYS.items()}
    ecs = boto3.client("ecs", endpoint_url=ENDPOINT, region_name=REGION, **names)
    found = service(ecs)
    network = {"networkConfiguration": found["networkConfiguration"]} if found.get("networkConfiguration") else {}
    arn = ecs.run_task(
        cluster=found["clusterArn"], taskDefinition=found["taskDefinition"], enableExecuteCommand=True, **network
    )["tasks"][0]["taskArn"]

    def is_running() -> bool:
        task = ecs.describe_tasks(cluster=found["clusterArn"], tasks=[arn])["tasks"][0]
        return all(one["lastStatus"] == "RUNNING" for one in (task, *task["containers"]))

    try:
        wait_until(is_running)
        yield Workshop(ecs, found["clusterArn"], arn)
    finally:
        ecs.stop_task(cluster=found["clusterArn"], task=arn)


def start(workshop: Workshop, folder: Path, *command: str) -> subprocess.Popen[str]:
    """Run one of Ansible's programs with the hosts of the task."""
    (folder / "ecs.yml").write_text(
        json.dumps(
            {
                "plugin": "slipway.aws.ecs",
                "region": REGION,
                "endpoint_url": ENDPOINT,
                "clusters": [workshop.cluster],
                "groups": {"chosen": f"ecs_task_arn == '{workshop.arn}'"},
            }
        )
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    program = Path(sys.executable).with_name(command[0])
    return subprocess.Popen(
        [program, "-i", folder / "ecs.yml", "--limit", "chosen", *command[1:]],
        cwd=ROOT,
        env={**kept, **KEYS, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_modules_run_in_containers(workshop: Workshop, tmp_path: Path) -> None:
    given = random.Random(1).randbytes(500_000)
    (tmp_path / "given").write_bytes(given)
    (tmp_path / "given.sh").write_text('echo "got $1"\n')
    digest = subprocess.run(["sha256sum", tmp_path / "given"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "play.yml").write_text(PLAY.format(folder=tmp_path, digest=digest.split()[0]))
    output = start(workshop, tmp_path, "ansible-playbook", str(tmp_path / "play.yml")).communicate(timeout=600)[0]
    assert output.count("failed=0") == 2, output
    assert output.count("unreachable=0") == 2, output
    assert (tmp_path / "fetched").read_bytes() == given


def test_task_that_stops_while_a_command_runs_is_named(workshop: Workshop, tmp_path: Path) -> None:
    process = start(workshop, tmp_path, "ansible", "container_nginx", "-m", "ansible.builtin.raw", "-a", "sleep 600")
    task = workshop.arn.rpartition("/")[2]

    def is_sleeping() -> bool:
        shown = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
        return "sleep 600" in [line.strip() for line in shown.splitlines()]

    wait_until(is_sleeping)
    workshop.ecs.stop_task(cluster=workshop.cluster, task=workshop.arn, reason="Stopped by a test")
    output = " ".join(process.communicate(timeout=120)[0].split())
    assert f"Task {task}: expected a running task, got one that is STOPP" in output or "which does not exist" in output
