# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: ExecuteCommand runs a command in a container, in a session with a terminal.

The emulator answers a session that nobody serves. On AWS, its stream is a WebSocket to the agent in the container:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html. The command is split into words as a shell
does, and runs as root, whatever user the container has. A task that was started without enableExecuteCommand refuses:
the wording is that in https://github.com/fabfuel/ecs-deploy/issues/193. So does a container with a read-only root file
system, in which the agent stops: https://github.com/aws/containers-roadmap/issues/1359.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import shlex
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import managed_instances
import session_agent
import session_encryption
import session_log
import session_ports
from emulator_patches import wrap
from ministack.core.responses import request_scope

Json = dict[str, Any]
Receive = Callable[[], Awaitable[Json]]
Send = Callable[[Json], Awaitable[None]]
Asgi = Callable[[Json, Receive, Send], Awaitable[None]]

AGENT = "ExecuteCommandAgent"
PATH = "/v1/data-channel/"
NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command"
    " agent isn\N{RIGHT SINGLE QUOTATION MARK}t running. Wait and try again or run a new task with execute command"
    " enabled and try again."
)
# Where the agent writes.
AGENT_WRITES = {"/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"}
# How Docker says that a command cannot be started, and what the agent says then (agent/session/shell/shell_unix.go).
NOT_STARTED = b"OCI runtime exec failed"
AGENT_SAYS = "Unable to start command: Failed to start pty: fork/exec {}: no such file or directory\n\n"
READ = 64 * 1024
# Why a WebSocket is closed.
NORMAL, REJECTED = 1000, 1008
TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


@dataclass
class Session:
    """What a client may do once, with the token that it was given."""

    token: str
    container: str
    command: list[str]
    log: session_log.SessionLog
    encryption: session_encryption.Encryption | None = None
    forwards: Json | None = None
    """The port, where the session is no command."""


OpenTerminal = Callable[[Session], Any]


class Services(NamedTuple):
    """The emulator's modules that sessions use."""

    ecs: ModuleType
    kms: ModuleType
    logs: ModuleType
    ssm: ModuleType | None = None
    agents: managed_instances.Agents | None = None


def execute_command(services: Services, app: Asgi, port: int, terminal: OpenTerminal | None = None) -> Asgi:
    """Answer sessions, and return the application that serves their streams and passes on all else."""
    ecs = services.ecs
    sessions: dict[str, Session] = {}
    agents(ecs)
    open_terminal = terminal or (lambda session: opened(ecs._get_docker().api, session))

    @wrap(ecs, "_execute_command")
    def execute(original: Callable[..., Any], data: Json) -> Any:
        status, headers, body = original(data)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        task = ecs._tasks[answer["taskArn"]]
        container = next((one for one in task["containers"] if one["name"] == answer["containerName"]), {})
        definition = definition_of(ecs, task, answer["containerName"])
        is_enabled = task.get("enableExecuteCommand") and container.get("runtimeId")
        if not is_enabled or not agent_runs(definition):
            return ecs.error_response_json("InvalidParameterException", NOT_ENABLED, 400)
        name = f"ecs-execute-command-{secrets.token_hex(12)}"
        encryption = encryption_of(services, name, task, container["runtimeId"])
        group = session_log.log_group(cluster_of(ecs, task), definition)
        log = session_log.SessionLog(services.logs, (ecs.get_account_id(), ecs.get_region()), group, name)
        session = Session(new_token(), container["runtimeId"], shlex.split(data["command"]), log, encryption)
        sessions[name] = session
        answer["session"] = {"sessionId": name, "streamUrl": url_of(name), "tokenValue": session.token}
        return ecs.json_response(answer)

    def url_of(name: str) -> str:
        return f"ws://127.0.0.1:{port}{PATH}{name}?role=publish_subscribe"

    def forward(runtime: str, values: Json) -> Json:
        name = f"local-{secrets.token_hex(8)}"
        place = (ecs.get_account_id(), ecs.get_region())
        log = session_log.SessionLog(services.logs, place, "", name)
        sessions[name] = Session(new_token(), runtime, [], log, forwards=values)
        return {"SessionId": name, "TokenValue": sessions[name].token, "StreamUrl": url_of(name)}

    if services.ssm:
        session_ports.start_session(services.ssm, lambda target: target_of(services, target), forward)

    async def served(scope: Json, receive: Receive, send: Send) -> None:
        name = scope.get("path", "").removeprefix(PATH)
        if scope["type"] == "websocket" and name in sessions:
            await Stream(name, sessions[name], receive, send, open_terminal).serve()
        else:
            await app(scope, receive, send)

    return served


def agents(ecs: ModuleType) -> None:
    """DescribeTasks says whether the agents of tasks with ECS Exec run, as in the guide above."""

    @wrap(ecs, "_describe_tasks")
    def describe(original: Callable[..., Any], data: Json) -> Any:
        status, headers, body = original(data)
        answer = json.loads(body)
        tasks = [task for task in answer.get("tasks") or () if task.get("enableExecuteCommand")]
        for task in tasks:
            for container in task["containers"]:
                runs = agent_runs(definition_of(ecs, task, container["name"]))
                container["managedAgents"] = [
                    {"name": AGENT, "lastStatus": container["lastStatus"] if runs else "STOPPED"}
                ]
        return ecs.json_response(answer) if tasks else (status, headers, body)


def new_token() -> str:
    return secrets.token_urlsafe(48)


def target_of(services: Services, target: str) -> str | None:
    """The container of a target, which is a container of a task, or an instance."""
    if services.agents and target.startswith("i-"):
        return services.agents.container(target)
    return connected(services.ecs, target)


def connected(ecs: ModuleType, target: str) -> str | None:
    """The container of a target of Session Manager, if its agent runs."""
    for task in ecs._tasks.values():
        name = f"ecs:{task['clusterArn'].rpartition('/')[2]}_{task['taskArn'].rpartition('/')[2]}"
        for container in task["containers"] if task.get("enableExecuteCommand") else ():
            runs = agent_runs(definition_of(ecs, task, container["name"])) and task["lastStatus"] == "RUNNING"
            if runs and target == f"{name}_{container.get('runtimeId')}":
                return str(container["runtimeId"])
    return None


def opened(api: Any, session: Session) -> Any:
    """The terminal of a session, or the ports that it forwards."""
    if not session.forwards:
        return DockerTerminal(api, session)
    state = api.inspect_container(session.container)["State"]
    return session_ports.opened(session.forwards, session_ports.inside(state["Pid"]))


def definition_of(ecs: ModuleType, task: Json, name: str) -> Json:
    """The definition of a container of a task."""
    definition = ecs._task_defs.get(task["taskDefinitionArn"].rpartition("/")[2]) or {}
    return next((one for one in definition.get("containerDefinitions") or () if one["name"] == name), {})


def agent_runs(container: Json) -> bool:
    """Whether the agent can write in a container with this definition."""
    writable = {mount.get("containerPath") for mount in container.get("mountPoints") or () if not mount.get("readOnly")}
    return not container.get("readonlyRootFilesystem") or writable >= AGENT_WRITES


def cluster_of(ecs: ModuleType, task: Json) -> Json:
    return ecs._clusters.get(task["clusterArn"].rpartition("/")[2]) or {}


def encryption_of(services: Services, session: str, task: Json, runtime: str) -> session_encryption.Encryption | None:
    """What the agent does if the cluster has a key for sessions. It has the permissions of the task role."""
    ecs, kms = services.ecs, services.kms
    cluster = cluster_of(ecs, task)
    key = ((cluster.get("configuration") or {}).get("executeCommandConfiguration") or {}).get("kmsKeyId")
    account, region = ecs.get_account_id(), ecs.get_region()
    target = f"ecs:{cluster.get('clusterName')}_{task['taskArn'].rpartition('/')[2]}_{runtime}"

    async def decrypt(encrypted: bytes, context: Json) -> bytes:
        whole = {"aws:ssm:SessionId": session, "aws:ssm:TargetId": target, **context}
        request = {"CiphertextBlob": base64.b64encode(encrypted).decode(), "EncryptionContext": whole}
        with request_scope(account, region):
            status, _headers, body = kms._decrypt(request)
        if status != 200:
            raise PermissionError(f"Fetching data key failed: Unable to retrieve data key, {body!r}")
        return base64.b64decode(json.loads(body)["Plaintext"])

    return session_encryption.Encryption(key, decrypt) if key else None


class DockerTerminal:
    """A command in a container, with a terminal."""

    def __init__(self, api: Any, session: Session) -> None:
        self.api = api
        self.container = session.container
        self.id = api.exec_create(
            session.container, session.command, stdin=True, tty=True, user="0", environment=TERMINAL
        )["Id"]
        self.response = api.exec_start(self.id, tty=True, socket=True)  # its end would close the socket
        self.socket: socket.socket = getattr(self.response, "_sock", self.response)
        self.socket.setblocking(False)
        # What came together with the headers of the answer is in the buffer of the reader, not in the socket.
        self.early: bytes = self.response._response.raw._fp.fp.peek()
        self.first = b""

    async def read(self) -> bytes:
        data, self.early = self.early, b""
        try:
            data = data or await asyncio.get_running_loop().sock_recv(self.socket, READ)
        except OSError:
            return b""
        self.first = self.first or data
        return data

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # its command has ended
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def resize(self, columns: int, rows: int) -> None:
        await asyncio.to_thread(self.api.exec_resize, self.id, height=rows, width=columns)

    async def is_orphaned(self) -> bool:
        """Whether the container has stopped, and with it the agent in it."""
        container = await asyncio.to_thread(self.api.inspect_container, self.container)
        return not container["State"]["Running"]

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Logged:
    """A terminal, with a log of what it shows."""

    def __init__(self, terminal: Any, log: session_log.SessionLog) -> None:
        self.terminal = terminal
        self.log = log
        self.write, self.resize = terminal.write, terminal.resize

    async def read(self) -> bytes:
        data: bytes = await self.terminal.read()
        self.log.add(data)
        return data


class Stream:
    """The stream of one session."""

    def __init__(self, name: str, session: Session, receive: Receive, send: Send, open_terminal: OpenTerminal) -> None:
        self.name = name
        self.session = session
        self.receive = receive
        self.send = send
        self.open_terminal = open_terminal
        self.terminal: Any = None

    async def serve(self) -> None:
        """Accept the client that has the token, and run its command until one of them ends."""
        await self.receive()
        await self.send({"type": "websocket.accept"})
        opened = await self.receive()
        if json.loads(opened.get("text") or "{}").get("TokenValue") != self.session.token:
            await self.send({"type": "websocket.close", "code": REJECTED})
            return
        agent = session_agent.Agent(self.write, lambda: self.open(agent), self.session.encryption)
        if self.session.forwards:
            agent.session_type = {"SessionType": "Port", "Properties": self.session.forwards}
        running = asyncio.create_task(agent.run())
        reading = asyncio.create_task(self.read(agent))
        try:
            await asyncio.wait([running, reading], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await self.end(reading)
        finally:
            for task in (running, reading):
                task.cancel()
            await asyncio.gather(running, reading, return_exceptions=True)
            if self.terminal:
                self.terminal.close()
                self.session.log.store()

    async def open(self, agent: session_agent.Agent) -> Any:
        self.terminal = await asyncio.to_thread(self.open_terminal, self.session)
        if self.session.forwards:
            self.terminal.fail = agent.refuse
        return Logged(self.terminal, self.session.log)

    async def write(self, frame: bytes) -> None:
        await self.send({"type": "websocket.send", "bytes": frame})

    async def read(self, agent: session_agent.Agent) -> None:
        """Pass on what the client sends until it disconnects."""
        while (event := await self.receive())["type"] != "websocket.disconnect":
            if event.get("bytes"):
                await agent.receive(event["bytes"])

    async def end(self, reading: asyncio.Task[None]) -> None:
        """Say that the session has ended, and why if its command could not be started."""
        if self.terminal and await self.terminal.is_orphaned():
            # An agent that died with its container says nothing.
            await reading
            return
        failed = self.terminal and NOT_STARTED in self.terminal.first
        output = AGENT_SAYS.format(self.session.command[0]) if failed else getattr(self.terminal, "failure", "")
        await self.write(session_agent.closed(self.name, output))
        await self.send({"type": "websocket.close", "code": NORMAL})
