# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles are run for real, by ansible-playbook, against the local cloud's emulator with its seams and without Docker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import boto3
import pytest
import yaml

Json = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}
# What the local cloud does, as far as load balancers are concerned.
SERVER = """
import asyncio, os, sys
os.environ["MINISTACK_REGION"] = sys.argv[2]
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.services import alb, ecs
sys.path.insert(0, sys.argv[1])
import seams
seams.load_balancers(alb)
seams.missing(alb, ecs)
config = Config()
config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
asyncio.run(serve(app, config))
"""


class Run(t.NamedTuple):
    """How a playbook ended, and what it printed."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        return int(re.findall(r"changed=(\d+)", self.output)[-1])


class Cloud(t.NamedTuple):
    """An emulator of our own."""

    address: str
    folder: Path

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def play(self, tasks: list[Json], *options: str, **variables: t.Any) -> Run:
        """Run tasks in a playbook of their own; `module_keys` are the keys of somebody else."""
        keys = variables.pop("module_keys", KEYS)
        playbook = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "module_defaults": {
                "group/slipway.aws.aws": {"region": REGION, "endpoint_url": self.address, **keys},
            },
            "vars": {"ansible_python_interpreter": sys.executable, "slipway_region": REGION, **variables},
            "tasks": tasks,
        }
        path = self.folder / "playbook.yml"
        path.write_text(yaml.safe_dump([playbook], sort_keys=False))
        command = ["ansible-playbook", "--inventory", "localhost,", *options, str(path)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def cloud(start: t.Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    address = start("-c", SERVER, str(ROOT / "roles/local_cloud/files"), REGION)
    return Cloud(address, tmp_path_factory.mktemp("playbook"))
