# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook run_schedule starts what the schedule would, and names the schedules where it gets another name."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import plays

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}
SCHEDULES = [{"name": "clean.up", "service": "web", "command": ["clean", "up"], "schedule": "rate(1 hour)"}]
# moto, whose tasks have stopped when they are described.
SERVER = """
import os
from moto.moto_api import state_manager
state_manager.set_transition("ecs::task", {"progression": "immediate"})
from moto.server import main
main(["-H", "127.0.0.1", "-p", os.environ["GATEWAY_PORT"]])
"""


@pytest.mark.own_cloud("runs on moto")
@pytest.mark.variants
def test_a_schedule_runs_at_once(start: t.Callable[..., str]) -> None:
    address = start("-c", SERVER)

    def play(name: str) -> subprocess.CompletedProcess[str]:
        given = {
            "slipway_project": "shop",
            "slipway_region": REGION,
            "slipway_endpoint_url": address,
            **{f"slipway_{name}": text for name, text in KEYS.items()},
            "ansible_python_interpreter": sys.executable,
            "ecs_app_schedules": SCHEDULES,
            "run_schedule": name,
        }
        words = ["playbooks/run_schedule.yml", "-i", "localhost,", "-c", "slipway.aws.forkserver"]
        return plays.run(*words, extra=given)

    ecs = boto3.client(
        "ecs",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    )
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=0, launchType="FARGATE")
    unknown = play("night")
    assert unknown.returncode == 2
    assert "run_schedule: expected one of ecs_app_schedules (clean.up), got night." in unknown.stdout + unknown.stderr
    # No container runs on moto, so the task has no exit code.
    play("clean.up")
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster="shop", desiredStatus=status)["taskArns"]
    ]
    [task] = ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
    assert task["startedBy"] == "slipway/schedule/clean-up"
    assert task["overrides"]["containerOverrides"] == [{"name": "web", "command": ["clean", "up"]}]
