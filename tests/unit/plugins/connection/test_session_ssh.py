# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ssh reads and writes passes through a session with port 22 of an instance, behind a real WebSocket."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import socketserver
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import session_client, session_ssh, session_stream
from ansible_collections.slipway.aws.tests.unit.plugins.connection.conftest import INSTANCE, REGION, Cloud

pytestmark = pytest.mark.own_cloud("runs no module")

GREETING = b"SSH-2.0-Test\r\n"
PROGRAM = str(session_ssh.__file__)


class Echo(socketserver.BaseRequestHandler):
    """Greets as an SSH server does, returns what it gets, and leaves when it is asked to."""

    def handle(self) -> None:
        self.request.sendall(GREETING)
        while data := self.request.recv(65536):
            if data == b"leave":
                return
            self.request.sendall(data)


@pytest.fixture
def server(cloud: Cloud) -> t.Iterator[None]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as found:
        found.daemon_threads = True
        threading.Thread(target=found.serve_forever, daemon=True).start()
        cloud.ssh_port = found.server_address[1]
        yield
        found.shutdown()


@pytest.fixture
def no_server(cloud: Cloud) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        cloud.ssh_port = free.getsockname()[1]


def settings(cloud: Cloud, **changed: str) -> session_ssh.Settings:
    return session_ssh.Settings(INSTANCE, REGION, cloud.address)._replace(**changed)


class Ends(t.NamedTuple):
    """The descriptors of ssh."""

    given: int
    got: int

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size and (data := os.read(self.got, size - len(found))):
            found += data
        return found


@contextlib.contextmanager
def ssh(cloud: Cloud) -> t.Iterator[Ends]:
    """A connection of ssh, in a thread."""
    begun = session_ssh.start(settings(cloud), cloud.client)
    access = session_client.Access(
        begun["StreamUrl"], begun["TokenValue"], lambda: None, lambda _key, _test: (b"", b"")
    )
    (source, given), (got, target) = os.pipe(), os.pipe()
    stream = session_stream.Stream(access, target, 30)

    def copy() -> None:
        try:
            stream.copy(source)
            stream.close()
        finally:
            os.close(target)

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    try:
        yield Ends(given, got)
    finally:
        os.close(given)
        thread.join(20)
        assert not thread.is_alive()
        os.close(got)
        os.close(source)


def test_ssh_gets_what_the_server_of_the_instance_says(cloud: Cloud, server: None, tmp_path: Path) -> None:
    """As ssh runs it, without Ansible and without credentials in the environment."""
    (tmp_path / "session.json").write_text(json.dumps(settings(cloud)._asdict()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHONPATH"))}
    with subprocess.Popen(
        [sys.executable, PROGRAM, str(tmp_path / "session.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        first = process.stdout.read(len(GREETING))
        assert first == GREETING, process.stderr.read()
        process.stdin.write(b"hello")
        process.stdin.flush()
        assert process.stdout.read(5) == b"hello"
        process.stdin.close()
        assert (process.wait(20), process.stderr.read()) == (0, b"")


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_bytes_pass_unchanged(cloud: Cloud, server: None, loss: float) -> None:
    data = random.Random(1).randbytes(20_000 if loss else 300_000)
    with ssh(cloud) as ends:
        assert ends.read(len(GREETING)) == GREETING
        cloud.network.loss = loss
        threading.Thread(target=os.write, args=(ends.given, data), daemon=True).start()
        assert ends.read(len(data)) == data


def test_connection_ends_with_that_of_the_server(cloud: Cloud, server: None) -> None:
    with ssh(cloud) as ends:
        assert ends.read(len(GREETING)) == GREETING
        os.write(ends.given, b"leave")
        assert ends.read(1) == b""


def test_instance_without_an_ssh_server_is_named(cloud: Cloud, no_server: None) -> None:
    (source, kept), (_got, target) = os.pipe(), os.pipe()
    with pytest.raises(session_ssh.Failure, match=rf"{INSTANCE}: .*Unable to connect.*SSH server is running"):
        session_ssh.connect(settings(cloud), source, target)
    os.close(kept)


def test_instance_that_is_not_connected_is_named(cloud: Cloud) -> None:
    begun = time.monotonic()
    with pytest.raises(session_ssh.Failure, match=r"i-0bad.*is not connected.*--tags docker_instance"):
        session_ssh.start(settings(cloud, instance_id="i-0bad"), cloud.client, seconds=0)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("content", [None, "", "[]"])
def test_missing_settings_are_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "session.json").write_text(content)
    with pytest.raises(session_ssh.Failure, match=r"session.json: expected the settings of a session, got none"):
        session_ssh.read_settings(str(tmp_path / "session.json"))


@pytest.mark.parametrize(
    ("endpoint", "profile", "environment", "is_given"),
    [
        ("http://127.0.0.1:4566", "", {}, True),
        ("http://localhost:4566", "", {}, True),
        ("http://127.0.0.1:4566", "", {"AWS_ACCESS_KEY_ID": "own"}, False),
        ("http://127.0.0.1:4566", "shop", {}, False),
        ("https://ssm.eu-central-1.amazonaws.com", "", {}, False),
        ("http://127.0.0.1.example.com", "", {}, False),
    ],
)
def test_only_the_local_cloud_is_given_keys(
    endpoint: str, profile: str, environment: dict[str, str], is_given: bool
) -> None:
    given = session_ssh.keys(session_ssh.Settings(INSTANCE, REGION, endpoint, profile), environment)
    assert bool(given) is is_given


def test_caller_without_credentials_learns_where_ssh_finds_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    on_aws = session_ssh.Settings(INSTANCE, REGION, "https://ssm.eu-central-1.amazonaws.com")
    with pytest.raises(session_ssh.Failure, match=r"set AWS_PROFILE or AWS_ACCESS_KEY_ID in the environment"):
        session_ssh.start(on_aws, session_ssh.client_factory(on_aws), seconds=0)
    with pytest.raises(session_ssh.Failure, match=r"profile \(nobody\) could not be found"):
        session_ssh.client_factory(on_aws._replace(profile="nobody"))("ssm")
