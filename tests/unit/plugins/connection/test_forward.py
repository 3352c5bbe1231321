# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that are forwarded through a session: real sockets on both sides of a real WebSocket."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.execute_command import model
from ansible_collections.slipway.aws.plugins.plugin_utils.session_forward import Tunnel, Watcher
from ansible_collections.slipway.aws.tests.session_server import listener
from ansible_collections.slipway.aws.tests.unit.plugins.connection.conftest import REGION, Cloud
from ansible_collections.slipway.aws.tests.unit.plugins.connection.test_ecs_exec import Controller

pytestmark = pytest.mark.own_cloud("runs no module")


def serve(server: socket.socket) -> None:
    """Answer each connection with what it sends, and end it after the line that says so."""

    def answer(accepted: socket.socket) -> None:
        with accepted:
            while data := accepted.recv(65536):
                accepted.sendall(data)
                if data.endswith(b"end\n"):
                    return

    while True:
        try:
            accepted = server.accept()[0]
        except OSError:
            return
        threading.Thread(target=answer, args=[accepted], daemon=True).start()


@pytest.fixture
def echo() -> t.Iterator[int]:
    """The port of a server in the container."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=[server], daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def controller(cloud: Cloud, tmp_path: Path) -> Controller:
    return Controller(cloud, tmp_path)


@contextlib.contextmanager
def forwarded(tunnel: Tunnel) -> t.Iterator[int]:
    """The local port, while the tunnel is open."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as local, ThreadPoolExecutor(1) as pool:
        running = pool.submit(tunnel.forward, local, Watcher(stop.is_set))
        try:
            yield int(local.getsockname()[1])
        finally:
            stop.set()
            running.result(10)
            tunnel.close()


def exchange(port: int, data: bytes) -> bytes:
    """What comes back until the other side ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        threading.Thread(target=connection.sendall, args=[data], daemon=True).start()
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def test_connections_pass_side_by_side_unchanged(cloud: Cloud, echo: int) -> None:
    given = [random.Random(number).randbytes(size) + b"end\n" for number, size in enumerate((0, 10, 200_000))]
    tunnel = cloud.tunnel(echo)
    with forwarded(tunnel) as port, ThreadPoolExecutor(len(given)) as pool:
        assert list(pool.map(lambda data: exchange(port, data), given)) == given
    assert (tunnel.opened, tunnel.refused, tunnel.connections) == (3, 0, {})


def test_host_that_the_container_reaches_is_named(cloud: Cloud, echo: int) -> None:
    with forwarded(cloud.tunnel(echo, "127.0.0.1")) as port:
        assert exchange(port, b"end\n") == b"end\n"


def test_lost_and_repeated_messages_do_not_matter(cloud: Cloud, echo: int) -> None:
    given = random.Random(4).randbytes(20_000) + b"end\n"
    with forwarded(cloud.tunnel(echo)) as port:
        cloud.network.loss = 0.1
        assert exchange(port, given) == given
        cloud.network.loss = 0.0


def test_port_that_refuses_ends_the_connection_and_no_other(cloud: Cloud, echo: int) -> None:
    bound = listener()  # it does not listen
    tunnel = cloud.tunnel(bound.getsockname()[1])
    with forwarded(tunnel) as port:
        assert [exchange(port, b""), exchange(port, b"")] == [b"", b""]
    assert (tunnel.opened, tunnel.refused) == (2, 2)


def test_program_that_leaves_ends_the_connection_in_the_container(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, forwarded(cloud.tunnel(server.getsockname()[1])) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            accepted = server.accept()[0]
            connection.sendall(b"a")
            assert accepted.recv(1) == b"a"
        with accepted:
            accepted.settimeout(10)
            assert accepted.recv(1) == b""


def test_task_without_exec_is_no_target(cloud: Cloud) -> None:
    arn = cloud.start("web", is_enabled=False)
    opener = cloud.opener("shop")
    opener.task = arn
    with pytest.raises(SlipwayError, match="expected a task that started with ECS Exec"):
        opener.open_port(cloud.client("ssm"), 80, None, 5)


@pytest.mark.parametrize(
    ("target", "document", "code"),
    [
        ("ecs:shop_none_none", model.TO_CONTAINER, "TargetNotConnected"),
        ("", "AWS-StartInteractiveCommand", "InvalidDocument"),
    ],
)
def test_session_that_cannot_start_has_the_code_of_aws(cloud: Cloud, target: str, document: str, code: str) -> None:
    task = cloud.ecs.describe_tasks(cluster="shop", tasks=[cloud.start("web")])["tasks"][0]
    request = {"Target": target or model.target(task, "app"), "Parameters": {"portNumber": ["80"]}}
    with pytest.raises(ClientError) as refused:
        cloud.client("ssm").start_session(DocumentName=document, **request)
    assert refused.value.response["Error"]["Code"] == code


PLAY = ("ansible-playbook", "playbooks/forward.yml")


def in_a_play(controller: Controller, port: int, **variables: t.Any) -> subprocess.Popen[str]:
    """The playbook that forwards a port of the service web."""
    ecs = controller.cloud.ecs
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "app", "image": "web:1.4", "memory": 64}])
    ecs.create_service(
        cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1, enableExecuteCommand=True
    )
    place = {"slipway_project": "shop", "slipway_region": REGION, "slipway_endpoint_url": controller.cloud.address}
    return controller.popen(*PLAY, **place, service="web", forward_port=port, **variables)


@pytest.mark.variants
def test_the_playbook_forward_forwards_until_it_is_stopped(controller: Controller, echo: int) -> None:
    process = in_a_play(controller, echo, forward_host="127.0.0.1")
    try:
        assert process.stdout
        line = next(line for line in process.stdout if "Ctrl-C" in line)
        local_port = int(line.partition(" ->")[0].rpartition(":")[2])
        assert f"-> 127.0.0.1:{echo}" in line
        assert exchange(local_port, b"end\n") == b"end\n"
        process.send_signal(signal.SIGINT)
        assert "failed=1" not in process.communicate(timeout=60)[0]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", local_port))
    finally:
        process.kill()


@pytest.mark.variants
def test_the_module_counts_connections_and_ends_in_time(controller: Controller, echo: int) -> None:
    controller.cloud.start("web", ["app"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        local_port = taken.getsockname()[1]
        command = ("ansible", "container_app[0]", "-m", "slipway.aws.ecs_port_forward", "-a")
        arguments = f"port={echo} seconds=1 local_port={local_port}"
        output = controller.run(*command, arguments)
        assert f"local_port: expected a free port of 127.0.0.1, got {local_port}" in " ".join(output.split())
    output = controller.run(*command, arguments)
    assert "connections: 0" in output, output
