# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running local cloud opens to other network namespaces: every TCP port of host and instance is tried.

SLIPWAY_ENDPOINT says where the local cloud is. An instance must run; its image brings Python to the other namespaces.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import typing as t
import urllib.parse
import uuid
from pathlib import Path

import docker
import pytest

from ansible_collections.slipway.aws.tests import ports

SCANNER = Path(ports.__file__).read_text()


class Listener(t.NamedTuple):
    """A socket of the host that takes connections."""

    address: str
    port: int
    processes: frozenset[str]


def listeners() -> list[Listener]:
    """Those of all processes that may be looked into; the others have no processes."""
    shown = subprocess.run(["ss", "-Hltnp"], check=True, capture_output=True, text=True).stdout
    sockets = (line.split(maxsplit=5) for line in shown.splitlines())
    return [
        Listener(*endpoint(local[3]), frozenset(re.findall(r"pid=(\d+)", local[5] if len(local) > 5 else "")))
        for local in sockets
    ]


def endpoint(text: str) -> tuple[str, int]:
    """Address and port as ss writes them; the name of a device may stand between."""
    address, __, port = text.rpartition(":")
    return address.partition("%")[0], int(port)


def host_addresses() -> dict[str, str]:
    """Every address of the host but its loopback, and the device that has it."""
    shown = json.loads(subprocess.run(["ip", "-json", "-4", "address"], check=True, capture_output=True).stdout)
    pairs = ((a["local"], link["ifname"]) for link in shown for a in link["addr_info"])
    return {address: device for address, device in pairs if device != "lo"}


@pytest.fixture(scope="module")
def port() -> int:
    """The local cloud's."""
    address = os.environ.get("SLIPWAY_ENDPOINT", "")
    if not address:
        pytest.skip("SLIPWAY_ENDPOINT is not set: it is the address of a local cloud, such as http://127.0.0.1:4566")
    return urllib.parse.urlsplit(address).port or 80


@pytest.fixture(scope="module")
def engine() -> docker.DockerClient:
    return docker.from_env()


@pytest.fixture(scope="module")
def containers(engine: docker.DockerClient, port: int) -> list[t.Any]:
    """Everything that the local cloud runs in Docker."""
    return list(engine.containers.list(filters={"label": f"ministack.instance={socket.gethostname()}:{port}"}))


@pytest.fixture(scope="module")
def instance(containers: list[t.Any]) -> t.Any:
    found = [container for container in containers if "instance_id" in container.labels]
    if not found:
        pytest.skip("the local cloud runs no instance")
    return found[0]


@pytest.fixture(scope="module")
def elsewhere(engine: docker.DockerClient) -> t.Iterator[str]:
    """A network beside the bridge, as far from the local cloud as a neighbour of the host."""
    network = engine.networks.create(f"elsewhere-{uuid.uuid4().hex[:8]}")
    yield str(network.name)
    network.remove()


def scan(engine: docker.DockerClient, instance: t.Any, network: str, *addresses: str) -> dict[str, set[int]]:
    """The open ports of each address as a container in a network finds them."""
    command = ["-c", SCANNER, *addresses]
    image = instance.attrs["Image"]
    found = engine.containers.run(image, command, entrypoint=["python3"], network=network, remove=True)
    return {address: set(open_) for address, open_ in json.loads(found).items()}


def test_local_cloud_is_open_to_the_bridge_and_to_nobody_else(
    engine: docker.DockerClient, containers: list[t.Any], instance: t.Any, elsewhere: str, port: int
) -> None:
    before = listeners()
    own = frozenset[str]().union(*(s.processes for s in before if (s.address, s.port) == ("127.0.0.1", port)))
    assert own, "run this as the user who started the local cloud, or as root"
    device = engine.networks.get("bridge").attrs["Options"]["com.docker.network.bridge.name"]
    bridge = next(address for address, its in host_addresses().items() if its == device)
    assert {(s.address, s.port) for s in before if s.processes & own} == {("127.0.0.1", port), (bridge, port)}
    published = [c.name for c in containers if any((c.attrs["NetworkSettings"]["Ports"] or {}).values())]
    assert not published

    with socket.create_server(("", 0)) as control:
        seen = control.getsockname()[1]
        from_bridge = scan(engine, instance, "bridge", bridge)[bridge]
        from_elsewhere = scan(engine, instance, elsewhere, *host_addresses())
    # What others opened on this machine is none of the local cloud's doing.
    others = {s.port for s in before + listeners() if not s.processes & own} - {port}
    assert from_bridge - others == {port, seen}
    for address, found in from_elsewhere.items():
        assert found - others == {seen}, address


def test_instance_takes_ssh_alone(instance: t.Any) -> None:
    """Scanned from inside: from outside, its security group may drop packets without an answer, which takes long."""
    instance.reload()
    address = instance.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    code, output = instance.exec_run(["python3", "-c", SCANNER, address])
    assert (code, json.loads(output)) == (0, {address: [22]}), output
