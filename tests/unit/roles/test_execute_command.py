# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud's ExecuteCommand answers as AWS does. What its sessions do: tests/unit/plugins/connection."""

from __future__ import annotations

import asyncio
import inspect
import json
import socketserver
import sys
import threading
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs, kms, ssm
from ministack.services import ecs as emulator

Json = dict[str, t.Any]
AGENT = "ExecuteCommandAgent"
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


def call(operation: str, **members: t.Any) -> Json:
    status, _headers, body = emulator._dispatch_action(operation, members)
    return {"status": status, **json.loads(body)}


@pytest.fixture
def execute() -> Iterator[Callable[..., Json]]:
    """Starts a session in a task that is started with ECS Exec, or without; with members of its container."""
    kept, actions = dict(vars(emulator)), dict(emulator._ACTION_MAP)

    def start(is_enabled: bool, **members: t.Any) -> Json:
        container = {"name": "web", "image": "w", "memory": 64, **members}
        call("RegisterTaskDefinition", family="web", containerDefinitions=[container])
        task = call("RunTask", taskDefinition="web", enableExecuteCommand=is_enabled)["tasks"][0]
        return call("ExecuteCommand", task=task["taskArn"], command="sh -c 'echo a b'", interactive=True)

    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import execute_command  # type: ignore[import-not-found]

        patch.setattr(emulator, "_get_docker", lambda: None)
        execute_command.execute_command(execute_command.Services(emulator, kms, cloudwatch_logs), None, 4566)
        yield start
        emulator.reset()
    vars(emulator).update(kept)
    emulator._ACTION_MAP.update(actions)
    for path in FILES.glob("*.py"):
        sys.modules.pop(path.stem, None)


class HastyEngine(socketserver.StreamRequestHandler):
    """Docker Engine, whose command writes before the client has read the headers of the answer."""

    def handle(self) -> None:
        while request := self.rfile.readline().decode():
            headers = dict(line.split(": ", 1) for line in iter(lambda: self.rfile.readline().decode().strip(), ""))
            self.rfile.read(int(headers.get("Content-Length", 0)))
            if request.startswith("POST /v1.43/exec/1/start "):
                self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nready ")
                self.wfile.write(self.rfile.readline())
                return
            self.wfile.write(b'HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{"Id":"1"}')


@pytest.fixture
def hasty_engine() -> Iterator[t.Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HastyEngine) as server:
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield docker.APIClient(base_url=f"tcp://127.0.0.1:{server.server_address[1]}", version="1.43")
        server.shutdown()


def agents_of(*tasks: str) -> list[list[Json] | None]:
    found = call("DescribeTasks", tasks=tasks)["tasks"]
    return [container.get("managedAgents") for task in found for container in task["containers"]]


def test_session_has_a_stream_and_a_token(execute: Callable[..., Json]) -> None:
    session = execute(True)["session"]
    assert session["streamUrl"].startswith(f"ws://127.0.0.1:4566/v1/data-channel/{session['sessionId']}?")
    assert len(session["tokenValue"]) > 40


@pytest.mark.parametrize(
    ("is_enabled", "members", "agent"),
    [(False, {}, None), (True, {"readonlyRootFilesystem": True}, [{"name": AGENT, "lastStatus": "STOPPED"}])],
)
def test_container_without_an_agent_is_refused(
    execute: Callable[..., Json], is_enabled: bool, members: Json, agent: list[Json] | None
) -> None:
    answer = execute(is_enabled, **members)
    assert (answer["status"], answer["__type"]) == (400, "InvalidParameterException")
    assert answer["message"].startswith("The execute command failed because execute command was not enabled when")
    assert agents_of(*emulator._tasks) == [agent]


def test_agent_runs_in_a_container_in_which_it_can_write(execute: Callable[..., Json]) -> None:
    paths = ("/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm")
    mounts = [{"sourceVolume": "agent", "containerPath": path} for path in paths]
    assert execute(True, readonlyRootFilesystem=True, mountPoints=mounts)["status"] == 200
    assert agents_of(*emulator._tasks) == [[{"name": AGENT, "lastStatus": "RUNNING"}]]


def test_the_emulator_serves_no_session_by_itself() -> None:
    source = inspect.getsource(emulator._execute_command)
    assert "amazonaws.com/v1/data-channel" in source
    assert "enableExecuteCommand" not in source
    assert "managedAgents" not in inspect.getsource(emulator)


def test_the_emulator_has_no_sessions_of_session_manager() -> None:
    """Once it has, session_ports.py need not answer them."""
    assert "StartSession" not in inspect.getsource(ssm)


def test_nothing_that_a_command_writes_at_once_is_lost(execute: Callable[..., Json], hasty_engine: t.Any) -> None:
    module = sys.modules["execute_command"]
    session = module.Session("token", "web", ["sh"], None)

    async def talk() -> bytes:
        terminal = module.DockerTerminal(hasty_engine, session)
        first = await terminal.read()
        await terminal.write(b"and steady\n")
        second = await terminal.read()
        terminal.close()
        return bytes(first + second)

    assert asyncio.run(asyncio.wait_for(talk(), 10)) == b"ready and steady\n"
