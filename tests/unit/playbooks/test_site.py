# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml refuses what is wrong before it asks AWS for anything, whichever role it is for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEFINITION = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": [{"name": "web", "image": "webapp"}]}
SERVICE = {"name": "web", "task_definition": DEFINITION}
BALANCER = {"targetGroupArn": "workshop", "containerName": "web", "containerPort": 8080}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"slipway_region": "ap-northeast-22"}, "slipway_region is ap-northeast-22"),
        ({"docker_instance_volume_size": 4}, "docker_instance_volume_size is 4"),
        ({"ecs_cluster_default_strategy": [{"capacityProvider": "SPOT", "weight": 1}]}, "names SPOT"),
        ({"service_discovery_services": ["Data Base"]}, "service_discovery_services ['Data Base']"),
        ({"ecs_load_balancer_certificate_arn": CERTIFICATE}, "in ap-northeast-2 is right"),
        (
            {"ecs_app_services": [{**SERVICE, "task_definition": {**DEFINITION, "cpu": 300}}]},
            "task_definition.cpu is 300, Fargate has 256, 512",
        ),
        ({"ecs_app_services": [{**SERVICE, "load_balancers": [BALANCER]}]}, "8080"),
        ({"ecs_verify_checks": [{"name": "page", "type": "smtp"}]}, "smtp"),
    ],
)
def test_wrong_variable_is_refused_before_anything_is_asked(wrong: dict[str, t.Any], said: str) -> None:
    # Nobody listens there: a run that asked would fail with that.
    given = {"slipway_endpoint_url": "http://127.0.0.1:9"} | wrong
    command = [Path(sys.executable).with_name("ansible-playbook"), "site.yml", "--extra-vars", json.dumps(given)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    run = subprocess.run(
        command, cwd=ROOT, env={**kept, "ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True, check=False
    )
    told = " ".join((run.stdout + run.stderr).split())
    assert run.returncode == 2
    assert said in told
    assert "127.0.0.1:9" not in told
