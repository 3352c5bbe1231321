# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles are run by ansible-playbook, against the local cloud's emulator with its patches and without Docker."""

from __future__ import annotations

import json
import os
import re
import sys
import typing as t
from pathlib import Path

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.tests import emulators, plays

Json = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}


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

    def public_vpc(self) -> str:
        """A VPC with an internet gateway, without which AWS refuses a public load balancer."""
        ec2 = self.client("ec2")
        vpc = str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return vpc

    def play(self, tasks: list[Json], *options: str, **variables: t.Any) -> Run:
        """Run tasks in a playbook of their own; `module_keys` are the keys of someone else."""
        keys = variables.pop("module_keys", KEYS)
        playbook = {
            "hosts": "localhost",
            "connection": "slipway.aws.forkserver",
            "gather_facts": False,
            "module_defaults": {
                "group/slipway.aws.aws": {"region": REGION, "endpoint_url": self.address, **keys},
            },
            "vars": {"ansible_python_interpreter": sys.executable, "slipway_region": REGION, **variables},
            "tasks": tasks,
        }
        path = self.folder / "playbook.yml"
        path.write_text(yaml.safe_dump([playbook], sort_keys=False))
        # Those that a test sets.
        settings = {name: value for name, value in os.environ.items() if name.startswith("ANSIBLE_")}
        done = plays.run("--inventory", "localhost,", *options, path, **settings)
        run = Run(done.returncode, done.stdout + done.stderr)
        # A rescue hides an error that the user sees nevertheless.
        assert run.code or "[ERROR]" not in run.output, run.output
        return run


@pytest.fixture(scope="module")
def cloud(
    request: pytest.FixtureRequest,
    start: t.Callable[..., str],
    start_cloud: t.Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Cloud:
    """The local cloud's emulator, or by parametrize(…, indirect=True) moto."""
    folder = tmp_path_factory.mktemp("playbook")
    if getattr(request, "param", "ministack") == "moto":
        return Cloud(start(*emulators.MOTO), folder)
    return Cloud(start_cloud(MINISTACK_REGION=REGION), folder)


# A module of community.docker that writes down its call, and answers.
MODULE = """#!/usr/bin/python
# WANT_JSON
import json, os, shutil, sys
with open(sys.argv[1]) as file:
    given = {{name: value for name, value in json.load(file).items() if not name.startswith("_ansible")}}
with open({calls!r}, "a") as file:
    file.write(json.dumps([{name!r}, given]) + "\\n")
answer = {answer!r}
{more}
print(json.dumps(answer))
"""
# The image has the user of its Dockerfile.
BUILD = """
with open(os.path.join(os.path.expanduser(given["path"]), given.get("dockerfile") or "Dockerfile")) as file:
    users = [line.split()[1] for line in file if line.startswith("USER ")]
answer["image"]["Config"] = {{"User": users[-1] if users else ""}}
shutil.rmtree({built!r}, ignore_errors=True)
shutil.copytree(os.path.expanduser(given["path"]), {built!r})
"""
# Each manifest has a digest of its own, as the name of the image is in it.
PUSH = """
import boto3
keys = {{"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": {region!r}}}
repository, tag = given["name"].split("/", 1)[1].rsplit(":", 1)
boto3.client("ecr", endpoint_url={address!r}, **keys).put_image(
    repositoryName=repository, imageTag=tag,
    imageManifest=json.dumps({{"schemaVersion": 2, "layers": [], "annotations": {{"name": tag}}}})
)
"""
BASE = {"image": {"RepoDigests": ["debian@sha256:" + "0" * 64], "Architecture": "amd64"}, "changed": False}
RUNNING = {"exists": True, "container": {"State": {"Running": True, "ExitCode": 0}}, "changed": False}


class Engine(t.NamedTuple):
    """A Docker Engine that builds nothing, and pushes an empty image."""

    log: Path
    built: Path
    """The source of the newest build."""

    def calls(self) -> list[str]:
        """The request."""
        return [json.loads(line)[0] for line in self.log.read_text().splitlines()]


@pytest.fixture
def engine(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine(tmp_path / "calls", tmp_path / "built")
    folder = tmp_path / "collections/ansible_collections/community/docker/plugins/modules"
    folder.mkdir(parents=True)
    found.log.touch()
    more = {
        "image_build": BUILD.format(built=str(found.built)),
        "image_push": PUSH.format(address=cloud.address, region=REGION),
    }
    for name in ("image_pull", "image_build", "login", "image_push", "container", "container_info"):
        answer = RUNNING if name == "container_info" else BASE | {"changed": name != "image_pull"}
        source = MODULE.format(calls=str(found.log), name=name, more=more.get(name, ""), answer=answer)
        (folder / f"docker_{name}.py").write_text(source)
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", f"{tmp_path / 'collections'}:.ansible/collections")
    return found
