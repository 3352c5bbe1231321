# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible in containers: the inventory finds them, and modules run in them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests.unit.plugins.connection.conftest import Cloud

ROOT = Path(__file__).resolve().parents[4]
Json = dict[str, t.Any]
pytestmark = pytest.mark.own_cloud("runs no module")

PLAY = """
- hosts: container_app
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
    - ansible.builtin.setup:
        gather_subset: [min]
    - ansible.builtin.raw: printf 'out\\r\\n'; echo err >&2; exit 4
      register: status
      failed_when: false
    - ansible.builtin.copy:
        src: "{{ folder }}/given"
        dest: "{{ folder }}/copied"
        mode: "0600"
    - ansible.builtin.command: wc -c {{ folder }}/copied
      register: counted
      changed_when: false
    - ansible.builtin.fetch:
        src: "{{ folder }}/copied"
        dest: "{{ folder }}/fetched"
        flat: true
    - ansible.builtin.script: "{{ folder }}/given.sh word"
      register: script
    - ansible.builtin.debug:
        msg: >-
          status {{ status.rc }} {{ status.stdout | trim }} {{ status.stderr | trim }},
          script {{ script.stdout | trim }}, container {{ ecs_container }}, size {{ counted.stdout.split() | first }}
"""


class Controller(t.NamedTuple):
    """Where Ansible runs."""

    cloud: Cloud
    folder: Path

    def run(self, *command: str, **variables: t.Any) -> str:
        """The output of one of Ansible's programs."""
        done = self.start(*command, **variables)
        return done.stdout + done.stderr

    def start(
        self, *command: str, callback: str = "ansible.builtin.default", **variables: t.Any
    ) -> subprocess.CompletedProcess[str]:
        with self.popen(*command, callback=callback, **variables) as process:
            output, errors = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def popen(
        self, *command: str, callback: str = "ansible.builtin.default", **variables: t.Any
    ) -> subprocess.Popen[str]:
        options = {"plugin": "slipway.aws.ecs", "region": "eu-central-1", "endpoint_url": self.cloud.address}
        (self.folder / "ecs.yml").write_text(json.dumps(options))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "b2f0c1d4e7a9"}
        programs = Path(sys.executable).parent
        extra = json.dumps({"ansible_python_interpreter": sys.executable, "folder": str(self.folder), **variables})
        return subprocess.Popen(
            [programs / command[0], "-i", self.folder / "ecs.yml", "-e", extra, *command[1:]],
            cwd=ROOT,
            env={**kept, **keys, "ANSIBLE_STDOUT_CALLBACK": callback, "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def controller(cloud: Cloud, tmp_path: Path) -> Controller:
    return Controller(cloud, tmp_path)


def test_modules_and_files_pass(controller: Controller) -> None:
    controller.cloud.start("web", ["app", "proxy"])
    given = random.Random(1).randbytes(100_000)
    (controller.folder / "given").write_bytes(given)
    (controller.folder / "given.sh").write_text('#!/bin/sh\necho "got $1"\n')
    (controller.folder / "play.yml").write_text(PLAY)
    output = controller.run("ansible-playbook", str(controller.folder / "play.yml"))
    assert "failed=0" in output, output
    assert (controller.folder / "fetched").read_bytes() == given
    assert "status 4 out err, script got word, container app, size 100000" in output


VERB = {
    "the output and the exit code": ({"container": "app", "command": "echo $((40+2)); exit 3"}, 3, "  42"),
    "no container": ({"command": "id"}, 2, "Container: expected one of app, proxy, got none. Add -e container=app."),
    "a wrong one": ({"container": "other", "command": "id"}, 2, "Container: expected one of app, proxy, got other."),
    "a wrong task": ({"task": "no", "command": "id"}, 2, "with an ID that begins with no, got none."),
    "no command": ({"command": ""}, 2, "Service and command: expected both, got service=web and command=none."),
}


@pytest.mark.variants
def test_the_playbook_exec_runs_one_command_or_says_why_not(controller: Controller) -> None:
    ecs, place = controller.cloud.ecs, {"slipway_project": "shop", "slipway_region": "eu-central-1"}
    definitions = [{"name": name, "image": "web:1.4", "memory": 64} for name in ("app", "proxy")]
    ecs.register_task_definition(family="web", containerDefinitions=definitions)
    ecs.create_service(
        cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1, enableExecuteCommand=True
    )
    place |= {"slipway_endpoint_url": controller.cloud.address, "service": "web"}
    for case, (variables, code, said) in VERB.items():
        done = controller.start(
            "ansible-playbook", "playbooks/exec.yml", callback="slipway.aws.steps", **{**place, **variables}
        )
        output = " ".join((done.stdout + done.stderr).split())
        assert (done.returncode, " ".join(said.split()) in output) == (code, True), (case, done.stdout + done.stderr)
    keys = {"slipway_access_key": "key", "slipway_secret_key": "b2f0c1d4e7a9"}
    output = controller.run(
        "ansible-playbook", "playbooks/exec.yml", "-v", **place, **keys, container="app", command="id"
    )
    assert "uid=" in output
    assert "b2f0c1d4e7a9" not in output


FAILURES = {
    "not enabled": ({}, "expected a task that started with ECS Exec, got one without"),
    "no container": (
        {"ecs_container": "none"},
        "ecs_container: expected one of app, got none, which the task does not",
    ),
    "no task": ({"ecs_task_arn": "arn:aws:ecs:eu-central-1:000000000000:task/shop/none"}, "which does not exist"),
}


def test_reason_why_nothing_can_run_is_named(controller: Controller) -> None:
    controller.cloud.start("closed", is_enabled=False)
    tasks = [
        {"ansible.builtin.raw": "id", "vars": variables, "ignore_unreachable": True}
        for variables, _message in FAILURES.values()
    ]
    play = {"hosts": "family_closed", "gather_facts": False, "tasks": tasks}
    (controller.folder / "play.yml").write_text(json.dumps([play]))
    output = " ".join(controller.run("ansible-playbook", str(controller.folder / "play.yml")).split())
    assert [name for name, (_variables, message) in FAILURES.items() if message not in output] == []
