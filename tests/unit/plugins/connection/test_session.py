# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands in a session: real shells and terminals behind a real WebSocket."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import time
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.plugin_utils import session_client, session_handshake, session_shell
from ansible_collections.slipway.aws.plugins.plugin_utils.session_client import Client
from ansible_collections.slipway.aws.tests.session_server import PtyTerminal
from ansible_collections.slipway.aws.tests.unit.plugins.connection.conftest import KEYS, REGION, Cloud

pytestmark = pytest.mark.own_cloud("runs no module")


def run(client: Client, command: str, given: bytes = b"", seconds: float = 60) -> tuple[int, bytes, bytes]:
    output: list[bytes] = []
    status, errors = client.run(command, session_client.of_bytes(given), output.append, seconds)
    return status, b"".join(output), errors


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> t.Iterator[Client]:
    found = cloud.connect()
    yield found
    found.close()


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 5000, session_shell.CHUNK, session_shell.CHUNK * 3 + 1])
def test_bytes_pass_unchanged(client: Client, size: int) -> None:
    given = bytes(range(256))[:size] + random.Random(size).randbytes(max(0, size - 256))
    assert run(client, "cat", given) == (0, given, b"")


@pytest.mark.parametrize(
    ("command", "status"), [("true", 0), ("exit 3", 3), ("no-such-command", 127), ("kill -9 $$", 137)]
)
def test_exit_status_is_that_of_the_command(client: Client, command: str, status: int) -> None:
    assert run(client, command)[0] == status


def test_both_outputs_are_kept_apart(client: Client) -> None:
    command = "for n in 1 2 3; do echo out; echo err >&2; done; head -c 100000 /dev/zero >&2; printf 'a\\r\\n\\3<>{}'"
    status, output, errors = run(client, command)
    assert (status, output) == (0, b"out\n" * 3 + b"a\r\n\x03<>{}")
    assert errors == b"err\n" * 3 + bytes(100000)


def test_input_that_a_command_does_not_read_is_not_taken_for_the_next_command(client: Client) -> None:
    assert run(client, "exit 1", bytes(300_000)) == (1, b"", b"")
    assert run(client, "head -c 2", b"echo no\n" * 10_000) == (0, b"ec", b"")
    assert run(client, "cat; echo next") == (0, b"next\n", b"")


def test_command_has_no_terminal_and_none_of_the_scripts_descriptors(client: Client) -> None:
    assert run(client, "test -t 0 || test -t 1 || test -t 2")[0] == 1
    assert run(client, "ls /proc/self/fd")[1].split() == [b"0", b"1", b"2", b"3"]  # the last is the folder itself


def test_lost_and_repeated_messages_do_not_matter(cloud: Cloud) -> None:
    client = cloud.connect()
    cloud.network.loss = 0.1
    given = random.Random(2).randbytes(30_000)
    assert run(client, "cat; echo end >&2", given) == (0, given, b"end\n")
    client.close()


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox sh"])
def test_script_runs_in_other_shells(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shell: str) -> None:
    program, *words = shell.split()
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    if words:
        for tool in (*session_shell.TOOLS, "cat", "echo"):
            (tmp_path / tool).symlink_to(str(shutil.which(program)))
        monkeypatch.setitem(PtyTerminal.environment, "PATH", str(tmp_path))
    monkeypatch.setattr(PtyTerminal, "shell", [str(shutil.which(program)), *words])
    client = cloud.connect()
    assert run(client, "cat; echo err >&2; exit 3", b"\0\n" * 5000) == (3, b"\0\n" * 5000, b"err\n")
    assert run(client, "cat", b"") == (0, b"", b"")
    client.close()


def wait_until(condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_command_that_takes_too_long_is_interrupted(cloud: Cloud, tmp_path: Path) -> None:
    client = cloud.connect()
    with pytest.raises(session_client.CommandTimeout, match=r"within 0\.5 s"):
        run(client, f"echo $$ > {tmp_path}/pid; sleep 60; true", seconds=0.5)
    client.close()
    wait_until(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_session_ends_with_its_connection(cloud: Cloud) -> None:
    client = cloud.connect()
    [terminal] = PtyTerminal.started
    client.close()
    wait_until(lambda: terminal.process.poll() is not None)


def test_connection_that_is_cut_is_an_error(cloud: Cloud) -> None:
    client = cloud.connect()
    cloud.network.cut.set()
    with pytest.raises(session_client.SessionError, match=r"the connection was lost|the service closed the stream"):
        run(client, "echo a")


def test_container_that_stops_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its agent stops with it: nothing comes any more, and only ECS knows why."""

    def check() -> None:
        if PtyTerminal.started[0].container_stopped:
            raise SlipwayError("not_found", "The container has stopped.")

    monkeypatch.setattr(session_client, "QUIET_SECONDS", 0.2)
    client = cloud.connect(check)
    client.run("true", None, lambda _data: None, 10)
    PtyTerminal.started[0].stop_container()
    with pytest.raises(SlipwayError, match="The container has stopped"):
        run(client, "sleep 60")
    client.close()


def test_silence_does_not_last_for_ever(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_client, "LOST_SECONDS", 0.5)
    client = cloud.connect()
    cloud.network.loss = 1.0
    with pytest.raises(session_client.SessionError, match="the network may be cut"):
        run(client, "sleep 60")
    client.close()


def test_tool_that_the_container_lacks_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stty").symlink_to(str(shutil.which("stty")))
    monkeypatch.setitem(PtyTerminal.environment, "PATH", str(tmp_path))
    with pytest.raises(session_client.SessionError, match="got one without base64"):
        cloud.connect()


def access(url: str, token: str) -> session_client.Access:
    return session_client.Access(url, token, lambda: None, lambda _key, _challenge: (b"", b""))


def test_token_has_to_be_that_of_the_session(cloud: Cloud) -> None:
    session = cloud.ecs.execute_command(cluster="shop", task=cloud.start("web"), command="sh", interactive=True)
    with pytest.raises(session_client.SessionError):
        Client(access(session["session"]["streamUrl"], "another"), "marker", 5)
    assert PtyTerminal.started == []


def test_file_that_shrinks_while_it_is_copied_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(session_shell.CHUNK * 2))
    given = session_client.of_file(str(path))
    next(given.chunks)
    os.truncate(path, 10)
    with pytest.raises(session_client.SessionError, match="the file was changed in the meantime"):
        list(given.chunks)


def test_session_of_a_cluster_with_a_key_is_encrypted(cloud: Cloud) -> None:
    """The data key belongs to the session and its container: AWS KMS decrypts it for nothing else."""
    kms = boto3.client("kms", endpoint_url=cloud.address, region_name=REGION, **KEYS)
    configuration = {"executeCommandConfiguration": {"kmsKeyId": kms.create_key()["KeyMetadata"]["Arn"]}}
    cloud.ecs.create_cluster(clusterName="secret", configuration=configuration)
    client = cloud.connect(cluster="secret")
    assert client.cipher
    given = random.Random(3).randbytes(5000)
    assert run(client, "cat; exit 3", given) == (3, given, b"")
    client.close()


@pytest.mark.parametrize(("logging", "shown"), [("OVERRIDE", True), ("NONE", False)])
def test_session_is_logged_where_the_cluster_says(cloud: Cloud, logging: str, shown: bool) -> None:
    """The log has the command's output in base64, as this connection passes it."""
    logs = boto3.client("logs", endpoint_url=cloud.address, region_name=REGION, **KEYS)
    logs.create_log_group(logGroupName=f"/sessions/{logging}")
    log = {"logging": logging, "logConfiguration": {"cloudWatchLogGroupName": f"/sessions/{logging}"}}
    cloud.ecs.create_cluster(clusterName=f"logged-{logging}", configuration={"executeCommandConfiguration": log})
    client = cloud.connect(cluster=f"logged-{logging}")
    assert run(client, "echo for the log")[1] == b"for the log\n"
    client.close()

    def messages() -> list[str]:
        return [one["message"] for one in logs.filter_log_events(logGroupName=f"/sessions/{logging}")["events"]]

    if shown:
        wait_until(lambda: bool(messages()))
    assert any(base64.b64encode(b"for the log\n").decode() in message for message in messages()) is shown


def test_what_the_agent_requests_and_the_client_does_not_know_is_named() -> None:
    request = {"RequestedClientActions": [{"ActionType": "New", "ActionParameters": {}}]}
    answer = session_handshake.answer(json.dumps(request).encode())
    [action] = json.loads(answer.payload)["ProcessedClientActions"]
    assert (action["ActionType"], action["ActionStatus"]) == ("New", session_handshake.UNSUPPORTED)
    assert answer.problems == ["expected a session with a terminal, got New"]
