# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the variables of the role docker_instance, and what is wrong with them. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils import session_client

PREFIX = "docker_instance_"
# Types with AWS's own Graviton processors have a g right after the generation, and a1 was the first of them.
GRAVITON = re.compile(r"(?:[a-z]+[0-9]+[a-z]*g[a-z]*|a1)(?:-[a-z0-9]+)?[.]")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
IMAGE = re.compile(r"(ami-|resolve:ssm:).+", re.DOTALL)
POLICY = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+")
SMALLEST_VOLUME = 8
SSH, SESSIONS = "ssh", "session_manager"
# https://docs.aws.amazon.com/systems-manager/latest/userguide/ami-preinstalled-agent.html does not name Debian's.
WITHOUT_AGENT = {"debian_13"}
PROXY = Path(__file__).resolve().parent / "session_ssh.py"


def instance_architecture(instance_type: str) -> str:
    """The processor of an instance type, as task definitions spell it."""
    return "ARM64" if GRAVITON.match(instance_type) else "X86_64"


def proxy_command(python: str, settings_file: str) -> str:
    """What ssh runs to reach the instance by a session. ssh replaces what follows a percent sign."""
    return shlex.join([python, str(PROXY), settings_file]).replace("%", "%%")


def settings(variables: Json, parameter: str, python: str = "python3") -> Json:
    """Tags, filters and files of the instance.

    `parameter` is the SSM parameter of the chosen image, `python` what runs Ansible and has boto3.
    """
    v = {name.removeprefix(PREFIX): value for name, value in variables.items()}
    tags = tagging.checked({**v["tags"], tagging.PROJECT: v["project"]}, f"{PREFIX}tags") or {}
    return {
        "tags": tags,
        # IAM has no regions: a role says which region's site it belongs to, so that no other site adopts or deletes it.
        # The cluster has IAM roles of its own, which destroy.yml deletes with another tag of the playbook.
        "role_tags": {**tags, tagging.REGION: v["region"], tagging.ROLE: "docker_instance"},
        # What finds the instance again, whoever created it and however far that run came.
        "filters": {
            f"tag:{tagging.PROJECT}": v["project"],
            "tag:Name": v["name"],
            "instance-state-name": ["pending", "running", "stopping", "stopped"],
        },
        "key_prefix": f"{v['project']}-{v['name']}-",
        "known_hosts": f"{v['directory']}/known_hosts",
        "ssh_config": f"{v['directory']}/ssh_config",
        "session_file": f"{v['directory']}/session.json",
        "proxy_command": proxy_command(python, f"{v['directory']}/session.json"),
        "problems": list(_problems(v, parameter)),
    }


def _problems(v: Json, parameter: str) -> Iterator[str]:
    if not NAME.fullmatch(v["name"]):
        yield (
            f"{PREFIX}name: expected letters, digits, dots, underscores and hyphens, because it is"
            f' also the host name in ssh_config and the inventory, got "{v["name"]}". Use a name such as docker-EC2.'
        )
    if not IMAGE.fullmatch(v["image_id"]):
        yield (
            f"{PREFIX}image_id: expected an id such as ami-0123456789abcdef0, or resolve:ssm: and the name of an SSM"
            f' parameter with an ID, got "{v["image_id"]}". Correct it, or remove it for the default image.'
        )
    boundary = v["permissions_boundary"]
    if boundary and not POLICY.fullmatch(boundary):
        yield (
            f"{PREFIX}permissions_boundary: expected the ARN of a managed policy, such as"
            f' arn:aws:iam::123456789012:policy/shop-boundary, got "{boundary}". Set the ARN of the policy.'
        )
    if int(v["volume_size"]) < SMALLEST_VOLUME:
        yield (
            f"{PREFIX}volume_size: expected at least {SMALLEST_VOLUME} GiB, which the instance's image requires, got"
            f" {v['volume_size']}. Container images need space as well: 30 is a good start."
        )
    if v["connection"] == SESSIONS:
        yield from _session_problems(v, parameter)
    kind, architecture = v["type"], v["architecture"]
    # An image of one's own says nothing about its processor.
    if v["image_id"] == f"resolve:ssm:{parameter}" and instance_architecture(kind).lower() != architecture:
        yield (
            f"{PREFIX}type: expected an instance type for {architecture} ({PREFIX}architecture), such as"
            f" {'t4g' if architecture == 'arm64' else 't3'}.small, got {kind}. Change one of them."
        )


def _session_problems(v: Json, parameter: str) -> Iterator[str]:
    option = f"{PREFIX}connection: expected"
    # An image of one's own may have the agent.
    if v["image"] in WITHOUT_AGENT and v["image_id"] == f"resolve:ssm:{parameter}":
        yield (
            f"{option} {SSH} for the image {v['image']}, which has no SSM Agent, got {SESSIONS}. Set {PREFIX}image to"
            f" amazon_linux_2023 or an Ubuntu, or {PREFIX}image_id to an image with the agent."
        )
    if v["host_key"] != "console":
        yield (
            f"{option} {SSH} where {PREFIX}host_key is {v['host_key']}, because the key of the SSH server cannot be"
            f" read without a session, got {SESSIONS}. Set {PREFIX}host_key to console."
        )
    if not session_client.HAS_WEBSOCKET:
        yield f"{option} websocket-client for {SESSIONS}, got none. Install it for the Python that runs Ansible."
