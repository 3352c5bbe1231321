# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the variables of the role docker_instance, and what it refuses."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import docker_instance
from ansible_collections.slipway.aws.plugins.plugin_utils.docker_instance import instance_architecture, settings
from ansible_collections.slipway.aws.plugins.plugin_utils.role_defaults import resolved

PARAMETER = "/aws/service/debian/release/13/latest/amd64"
VARIABLES: dict[str, Any] = {
    "project": "shop",
    "tags": {"critical": True},
    "region": "eu-west-1",
    "name": "docker-EC2",
    "architecture": "x86_64",
    "connection": "ssh",
    "host_key": "console",
    "image": "amazon_linux_2023",
    "type": "t3.small",
    "image_id": f"resolve:ssm:{PARAMETER}",
    "volume_size": 30,
    "permissions_boundary": "",
    "directory": "/tmp/shop",
}


def of(**changed: Any) -> dict[str, Any]:
    return settings({f"docker_instance_{name}": value for name, value in (VARIABLES | changed).items()}, PARAMETER)


def test_an_instance_is_found_by_the_tags_that_it_gets() -> None:
    known = of()
    assert known["problems"] == []
    assert known["tags"] == {"critical": "true", "slipway:project": "shop"}
    assert known["filters"]["tag:slipway:project"] == "shop"
    assert known["role_tags"]["slipway:region"] == "eu-west-1"
    assert known["role_tags"]["slipway:role"] == "docker_instance"
    assert (known["known_hosts"], known["key_prefix"]) == ("/tmp/shop/known_hosts", "shop-docker-EC2-")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"name": "docker host"}, "name: expected letters, digits, dots, underscores and hyphens"),
        ({"image_id": "debian"}, "image_id: expected an id such as ami-0123456789abcdef0"),
        ({"permissions_boundary": "shop"}, "permissions_boundary: expected the ARN of a managed policy"),
        ({"volume_size": 4}, "volume_size: expected at least 8 GiB"),
        ({"type": "m7g.large"}, "type: expected an instance type for x86_64"),
        ({"architecture": "arm64"}, "type: expected an instance type for arm64"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(changed: dict[str, Any], problem: str) -> None:
    assert [one.startswith(f"docker_instance_{problem}") for one in of(**changed)["problems"]] == [True]


def test_an_image_of_ones_own_may_have_any_processor() -> None:
    assert of(image_id="ami-1", type="m7g.large")["problems"] == []


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [
        *(
            (kind, "ARM64")
            for kind in (
                "t4g.small",
                "m7g.large",
                "c7gn.xlarge",
                "x2gd.large",
                "is4gen.large",
                "a1.large",
                "g5g.xlarge",
            )
        ),
        *(
            (kind, "X86_64")
            for kind in ("t3.small", "m7i-flex.large", "g4dn.xlarge", "g6e.xlarge", "c7a.large", "u7i-12tb.224xlarge")
        ),
    ],
)
def test_instance_types_have_an_architecture(kind: str, architecture: str) -> None:
    assert instance_architecture(kind) == architecture


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image": "debian_13"}, "which has no SSM Agent"),
        ({"host_key": "scan"}, "where docker_instance_host_key is scan"),
    ],
)
def test_sessions_need_an_agent_and_a_key_from_the_console(changed: dict[str, Any], message: str) -> None:
    assert not of(**changed)["problems"]
    [problem] = of(connection="session_manager", **changed)["problems"]
    assert message in problem
    assert not of(connection="session_manager")["problems"]


def test_image_of_ones_own_may_have_the_agent() -> None:
    assert not of(connection="session_manager", image="debian_13", image_id="ami-0123456789abcdef0")["problems"]


def test_missing_websocket_client_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_instance.session_client, "HAS_WEBSOCKET", False)
    [problem] = of(connection="session_manager")["problems"]
    assert "expected websocket-client" in problem
    assert not of()["problems"]


def test_ssh_runs_the_proxy_whatever_the_folders_are_called() -> None:
    """ssh replaces what follows a percent sign, then a shell splits the words."""
    command = docker_instance.proxy_command("/opt/my python/bin/python3", "/srv/100% mine/session.json")
    python, program, settings_file = shlex.split(command.replace("%%", "%"))
    assert (python, settings_file) == ("/opt/my python/bin/python3", "/srv/100% mine/session.json")
    assert Path(program).is_file()
    assert "%%" in command


NETWORK = {"ecs_network_result": {"public_subnet_ids": ["public"], "private_subnet_ids": ["private"]}}
IMAGES = {"container_image_images": [{"name": "web", "smoke_test": {"port": 10001}}]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {},
            {
                "ecs_network_docker_host_ports": [22, 10000, 10001],
                "docker_instance_address_type": "public",
                "docker_instance_subnet_id": "public",
                "container_image_smoke_test_from": "here",
                "container_image_address": "203.0.113.7",
                "deployer_variants": ["changes"],
            },
        ),
        (
            {"docker_instance_connection": "session_manager"},
            {
                "ecs_network_docker_host_ports": [],
                "docker_instance_address_type": "private",
                "docker_instance_subnet_id": "private",
                "container_image_smoke_test_from": "docker_host",
                "container_image_address": "127.0.0.1",
                "deployer_variants": ["changes", "session_manager"],
            },
        ),
        (
            {"docker_instance_connection": "session_manager", "docker_instance_address_type": "public"},
            {"ecs_network_docker_host_ports": [], "docker_instance_subnet_id": "public"},
        ),
    ],
)
def test_one_variable_closes_the_docker_host(given: dict[str, Any], expected: dict[str, Any]) -> None:
    variables = {**NETWORK, **IMAGES, "ansible_host": "203.0.113.7", **given}
    assert resolved(variables, expected) == expected
