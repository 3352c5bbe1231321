# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible in the containers of the workshop, by inventory and connection.

SLIPWAY_ENDPOINT says where the local cloud is, on which the workshop's service has to run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import boto3
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT = os.environ.get("SLIPWAY_ENDPOINT")
INVENTORY = yaml.safe_load((ROOT / "inventory/local_ecs.yml").read_text())
pytestmark = pytest.mark.skipif(not ENDPOINT, reason="SLIPWAY_ENDPOINT does not name a local cloud")
Json = dict[str, t.Any]
BESIDE = "beside"

PLAY = """
- hosts: service_workshop:service_beside
  gather_facts: false
  tasks:
    - name: Check a file in every container
      ansible.builtin.raw: test -s /etc/os-release && echo "in $(id -un)"
      register: checked
      failed_when: checked.stdout | trim != 'in root'
    - ansible.builtin.script: {folder}/given.sh word
      register: script
      failed_when: script.stdout | trim != 'got word'

- hosts: service_beside:&container_django
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


class Ansible(t.NamedTuple):
    """Ansible with the shipped inventory of containers, for this local cloud."""

    folder: Path

    def start(self, *command: str, **options: t.Any) -> subprocess.Popen[str]:
        """Run one of Ansible's programs."""
        inventory = self.folder / "local_ecs.yml"
        inventory.write_text(yaml.safe_dump({**INVENTORY, "endpoint_url": ENDPOINT, **options}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
        return subprocess.Popen(
            [Path(sys.executable).with_name(command[0]), "-i", inventory, *command[1:]],
            cwd=ROOT,
            env={**kept, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, **options: t.Any) -> str:
        return self.start(*command, **options).communicate(timeout=600)[0]


class Service(t.NamedTuple):
    """A second service with the containers of the workshop."""

    ecs: t.Any
    cluster: str

    def task(self) -> Json:
        """Its task, once all of its containers run."""
        deadline = time.monotonic() + 120
        while True:
            arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=BESIDE)["taskArns"]
            found = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []
            for task in found:
                if all(one["lastStatus"] == "RUNNING" for one in (task, *task["containers"])):
                    return dict(task)
            assert time.monotonic() < deadline, found
            time.sleep(0.5)


@pytest.fixture
def beside() -> t.Iterator[Service]:
    ecs = boto3.client(
        "ecs",
        endpoint_url=ENDPOINT,
        region_name=INVENTORY["region"],
        aws_access_key_id=INVENTORY["access_key"],
        aws_secret_access_key=INVENTORY["secret_key"],
    )
    [cluster] = INVENTORY["clusters"]
    [workshop] = ecs.describe_services(cluster=cluster, services=["workshop"])["services"]
    same = {
        name: workshop[name] for name in ("taskDefinition", "launchType", "networkConfiguration") if name in workshop
    }
    ecs.create_service(cluster=cluster, serviceName=BESIDE, desiredCount=1, enableExecuteCommand=True, **same)
    try:
        yield Service(ecs, cluster)
    finally:
        ecs.delete_service(cluster=cluster, service=BESIDE, force=True)


def commands() -> list[str]:
    """The commands that run on this machine, also in containers."""
    shown = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line.strip() for line in shown.splitlines()]


@pytest.fixture
def ansible(tmp_path: Path) -> Ansible:
    return Ansible(tmp_path)


def test_every_task_of_the_workshop_answers(ansible: Ansible) -> None:
    output = ansible.run("ansible", "service_workshop", "-m", "ansible.builtin.ping")
    assert (output.count("SUCCESS"), output.count("pong")) == (2, 2), output


def test_modules_run_in_the_containers_of_two_services(ansible: Ansible, beside: Service) -> None:
    beside.task()
    folder = ansible.folder
    given = random.Random(1).randbytes(500_000)
    (folder / "given").write_bytes(given)
    (folder / "given.sh").write_text('echo "got $1"\n')
    digest = subprocess.run(["sha256sum", folder / "given"], check=True, capture_output=True, text=True).stdout
    (folder / "play.yml").write_text(PLAY.format(folder=folder, digest=digest.split()[0]))
    output = ansible.run("ansible-playbook", str(folder / "play.yml"), containers=[])
    # Two tasks of the workshop and one of the other service, each with two containers.
    assert (output.count("failed=0"), output.count("unreachable=0")) == (6, 6), output
    assert (folder / "fetched").read_bytes() == given


def test_task_that_stops_while_a_command_runs_is_named(ansible: Ansible, beside: Service) -> None:
    task = beside.task()
    process = ansible.start("ansible", "service_beside", "-m", "ansible.builtin.raw", "-a", "sleep 600")
    deadline = time.monotonic() + 60
    while "sleep 600" not in commands():
        assert time.monotonic() < deadline
        time.sleep(0.5)
    beside.ecs.stop_task(cluster=beside.cluster, task=task["taskArn"], reason="Stopped by a test")
    output = " ".join(process.communicate(timeout=120)[0].split())
    name = task["taskArn"].rpartition("/")[2]
    stopped = f"Task {name}: expected a running task, got one with status STOPP"
    assert stopped in output or "which does not exist" in output
