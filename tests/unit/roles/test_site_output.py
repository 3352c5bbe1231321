# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a rerun of the whole site prints that changes nothing."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.tests import plays

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
# A line that says how long a task has taken so far: a busy machine prints more of them.
ELAPSED = re.compile(r"… \d+ s|… \d+ min")
MOST_LINES = 40


def run(cloud: t.Any, folder: Path, *options: str, variables: dict[str, t.Any]) -> list[str]:
    """The lines that a run of the site prints, without those about tasks that take long."""
    given = {
        "slipway_endpoint_url": cloud.address,
        "slipway_region": REGION,
        "slipway_directory": str(folder),
        **variables,
    }
    settings = {name: value for name, value in os.environ.items() if name.startswith("ANSIBLE_")}
    done = plays.run("site.yml", *options, extra=given, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in (done.stdout + done.stderr).splitlines() if not ELAPSED.search(line)]


@pytest.mark.variants
def test_a_rerun_without_changes_is_short(cloud: t.Any, engine: t.Any, tmp_path: Path) -> None:
    """The emulator has neither hosts nor pages: this machine takes the place of the Docker host."""
    here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts = {"docker_hosts": {"hosts": {"docker-EC2": here}}}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"children": hosts}}))
    container = {"name": "shop", "image": "shop", "portMappings": [{"containerPort": 8080}]}
    definition = {"family": "shop", "cpu": 256, "memory": 512, "containerDefinitions": [container]}
    source = tmp_path / "shop"
    source.mkdir()
    (source / "Dockerfile").write_text("FROM scratch\nUSER 1000\n")
    variables = {
        "docker_instance_result": {"address": "127.0.0.1", "name": "docker-EC2"},
        "container_image_images": [{"name": "shop", "path": str(source), "tags": ["1"]}],
        "ecs_app_services": [{"name": "shop", "desired_count": 0, "task_definition": definition}],
    }
    places = ("-i", "inventory/local", "-i", str(inventory), "--skip-tags", "docker_instance,docker_host,verify")
    first = run(cloud, tmp_path, *places, variables=variables)
    assert [line for line in first if line.startswith("ecs_network: Create the VPC … changed, ")], "\n".join(first)
    again = run(cloud, tmp_path, *places, variables=variables)
    assert len(again) <= MOST_LINES, "\n".join(again)
    end = again[again.index(next(line for line in again if line.startswith("PLAY RECAP"))) :]
    roles = ("ecs_network", "ecr_registry", "container_image", "ecs_cluster", "ecs_load_balancer", "ecs_app")
    states = {line.split()[0]: line.split(maxsplit=1)[1] for line in end if line.startswith(roles)}
    assert set(states) == set(roles)
    assert set(states.values()) <= {"unchanged", "skipped (converged)"}
