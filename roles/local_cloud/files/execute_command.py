# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: ExecuteCommand runs a command in a container, in a session with a terminal.

The emulator answers a session that nobody serves. On AWS, its stream is a WebSocket to the agent in the container:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html. The command is split into words as a shell
does, and runs as root, whatever user the container has. A task that was started without enableExecuteCommand refuses:
the wording is that in https://github.com/fabfuel/ecs-deploy/issues/193.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shlex
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import session_agent
from emulator_patches import wrap

Json = dict[str, Any]
Asgi = Callable[[Json, Callable[[], Awaitable[Json]], Callable[[Json], Awaitable[None]]], Awaitable[None]]

PATH = "/v1/data-channel/"
NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command"
    " agent isn\N{RIGHT SINGLE QUOTATION MARK}t running. Wait and try again or run a new task with execute command"
    " enabled and try again."
)
# How Docker says that a command cannot be started, and what the agent says then (agent/session/shell/shell_unix.go).
NOT_STARTED = b"OCI runtime exec failed"
AGENT_SAYS = "Unable to start command: Failed to start pty: fork/exec {}: no such file or directory\n\n"
READ = 64 * 1024
TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


@dataclass
class Session:
    """What a client may do once, with the token that it was given."""

    token: str
    container: str
    command: list[str]


def execute_command(ecs: ModuleType, app: Any, port: int) -> Asgi:
    """Answer sessions, and return the application that serves their streams and passes on all else."""
    sessions: dict[str, Session] = {}

    @wrap(ecs, "_execute_command")
    def execute(original: Callable[..., Any], data: Json) -> Any:
        status, headers, body = original(data)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        task = ecs._tasks[answer["taskArn"]]
        container = next((one for one in task["containers"] if one["name"] == answer["containerName"]), {})
        if not task.get("enableExecuteCommand") or not container.get("runtimeId"):
            return ecs.error_response_json("InvalidParameterException", NOT_ENABLED, 400)
        name = f"ecs-execute-command-{secrets.token_hex(12)}"
        token = secrets.token_urlsafe(48)
        sessions[name] = Session(token, container["runtimeId"], shlex.split(data["command"]))
        url = f"ws://127.0.0.1:{port}{PATH}{name}?role=publish_subscribe"
        answer["session"] = {"sessionId": name, "streamUrl": url, "tokenValue": token}
        return ecs.json_response(answer)

    async def served(scope: Json, receive: Callable[[], Awaitable[Json]], send: Callable[[Json], Awaitable[None]]) -> None:
        name = scope.get("path", "").removeprefix(PATH)
        if scope["type"] == "websocket" and name in sessions:
            await Stream(name, sessions[name], receive, send).serve(ecs._get_docker())
        else:
            await app(scope, receive, send)

    return served


class Terminal:
    """A command in a container, with a terminal."""

    def __init__(self, engine: Any, session: Session) -> None:
        self.api = engine.api
        self.id = self.api.exec_create(
            session.container, session.command, stdin=True, tty=True, user="0", environment=TERMINAL
        )["Id"]
        response = self.api.exec_start(self.id, tty=True, socket=True)
        self.response = response  # its end would close the socket
        self.socket: socket.socket = getattr(response, "_sock", response)
        self.socket.setblocking(False)
        self.first = b""

    async def read(self) -> bytes:
        try:
            data = await asyncio.get_running_loop().sock_recv(self.socket, READ)
        except OSError:
            return b""
        self.first = self.first or data
        return data

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # its command has ended
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def resize(self, columns: int, rows: int) -> None:
        await asyncio.to_thread(self.api.exec_resize, self.id, height=rows, width=columns)

    def close(self) -> None:
        """Hang up: the command's terminal is gone."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Stream:
    """The stream of one session."""

    def __init__(
        self,
        name: str,
        session: Session,
        receive: Callable[[], Awaitable[Json]],
        send: Callable[[Json], Awaitable[None]],
    ) -> None:
        self.name = name
        self.session = session
        self.receive = receive
        self.send = send
        self.terminal: Terminal | None = None

    async def serve(self, engine: Any) -> None:
        """Accept the client that has the token, and run its command until one of them ends."""
        await self.receive()
        await self.send({"type": "websocket.accept"})
        opened = await self.receive()
        if json.loads(opened.get("text") or "{}").get("TokenValue") != self.session.token:
            await self.send({"type": "websocket.close", "code": 1008})
            return
        agent = session_agent.Agent(self.write, lambda: self.open(engine))
        running = asyncio.create_task(agent.run())
        reading = asyncio.create_task(self.read(agent))
        await asyncio.wait([running, reading], return_when=asyncio.FIRST_COMPLETED)
        if running.done() and await self.lives(engine):
            await self.end()
        elif running.done():
            # An agent that died with its container says nothing.
            await reading
        for task in (running, reading):
            task.cancel()
        await asyncio.gather(running, reading, return_exceptions=True)
        if self.terminal:
            self.terminal.close()

    async def open(self, engine: Any) -> Terminal:
        self.terminal = await asyncio.to_thread(Terminal, engine, self.session)
        return self.terminal

    async def write(self, frame: bytes) -> None:
        await self.send({"type": "websocket.send", "bytes": frame})

    async def read(self, agent: session_agent.Agent) -> None:
        """Pass on what the client sends until it is gone."""
        while (event := await self.receive())["type"] != "websocket.disconnect":
            if event.get("bytes"):
                await agent.receive(event["bytes"])

    async def lives(self, engine: Any) -> bool:
        container = await asyncio.to_thread(engine.api.inspect_container, self.session.container)
        return bool(container["State"]["Running"])

    async def end(self) -> None:
        """Say that the session has ended, and why if its command could not be started."""
        failed = self.terminal and NOT_STARTED in self.terminal.first
        output = AGENT_SAYS.format(self.session.command[0]) if failed else ""
        await self.send({"type": "websocket.send", "bytes": session_agent.closed(self.name, output)})
        await self.send({"type": "websocket.close", "code": 1000})
