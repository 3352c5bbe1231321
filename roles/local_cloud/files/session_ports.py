# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: StartSession forwards a port of a container, or of a host that it reaches, or of an instance.

The emulator has no sessions. On AWS, a container with the agent of ECS Exec is a target of Session Manager, as
https://github.com/aws/aws-cli, awscli/customizations/ecs/executecommand.py, names it: ecs:<cluster>_<task>_<runtime>.
The agent's side is written from https://github.com/aws/amazon-ssm-agent, agent/session/plugins/port/port_mux.go and
port_basic.go, and https://github.com/xtaci/smux, frame.go and session.go.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]
Dial = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

SSH = "AWS-StartSSHSession"
DOCUMENTS = {"AWS-StartPortForwardingSession", "AWS-StartPortForwardingSessionToRemoteHost"}
SYN, FIN, PSH, NOP = range(4)
READ = 16 * 1024
# Chunks that the session has not sent yet.
QUEUED = 64
CLONE_NEWNET = 0x40000000


def properties(document: str, parameters: Json) -> Json:
    """What the agent says of the session."""
    if document == SSH:
        return {"portNumber": (parameters.get("portNumber") or ["22"])[0]}
    host = (parameters.get("host") or [""])[0]
    port = {"portNumber": parameters["portNumber"][0], "type": "LocalPortForwarding"}
    return {**port, "host": host} if host else port


def packed(command: int, stream: int, data: bytes = b"") -> bytes:
    return struct.pack("<BBHI", 1, command, len(data), stream) + data


class Port:
    """In place of a terminal: one connection, whose bytes pass as they are."""

    def __init__(self, values: Json, dial: Dial) -> None:
        self.address = (values.get("host") or "localhost", int(values["portNumber"]))
        self.dial = dial
        self.fail: Callable[[], Awaitable[None]] | None = None
        self.first = b""
        self.failure = ""
        self.connected: asyncio.Task[tuple[asyncio.StreamReader, asyncio.StreamWriter]] | None = None

    async def connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.connected = self.connected or asyncio.create_task(self.dial(*self.address))  # type: ignore[arg-type]
        return await asyncio.shield(self.connected)

    async def read(self) -> bytes:
        try:
            reader, _writer = await self.connection()
        except OSError as error:
            self.failure = f"Unable to connect to specified port: {error}"
            return b""
        with contextlib.suppress(OSError):
            return await reader.read(READ)
        return b""

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            _reader, writer = await self.connection()
            writer.write(data)
            await writer.drain()

    async def resize(self, columns: int, rows: int) -> None:
        """It has no size."""

    async def is_orphaned(self) -> bool:
        return False

    def close(self) -> None:
        if self.connected and self.connected.done() and not self.connected.exception():
            self.connected.result()[1].close()


class Ports:
    """In place of a terminal: what passes through it are frames of connections."""

    def __init__(self, values: Json, dial: Dial) -> None:
        self.host = values.get("host") or "localhost"
        self.port = int(values["portNumber"])
        self.dial = dial
        self.fail: Callable[[], Awaitable[None]] | None = None
        self.first = b""
        self.rest = b""
        self.outgoing: asyncio.Queue[bytes] = asyncio.Queue(QUEUED)
        self.incoming: dict[int, asyncio.Queue[bytes]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def read(self) -> bytes:
        return await self.outgoing.get()

    async def resize(self, columns: int, rows: int) -> None:
        """It has no size."""

    async def is_orphaned(self) -> bool:
        return False

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()

    async def write(self, data: bytes) -> None:
        self.rest += data
        while len(self.rest) >= 8:
            _version, command, length, stream = struct.unpack_from("<BBHI", self.rest)
            if len(self.rest) < 8 + length:
                return
            payload, self.rest = self.rest[8 : 8 + length], self.rest[8 + length :]
            if command == SYN:
                self.incoming[stream] = asyncio.Queue()
                task = asyncio.create_task(self.serve(stream, self.incoming[stream]))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            elif command in (PSH, FIN) and stream in self.incoming:
                self.incoming[stream].put_nowait(payload)

    async def serve(self, stream: int, incoming: asyncio.Queue[bytes]) -> None:
        """Connect, and copy both ways until one side ends, as the agent does."""
        try:
            reader, writer = await self.dial(self.host, self.port)
        except OSError:
            if self.fail:
                await self.fail()
        else:
            copies = [asyncio.create_task(one) for one in (self.receive(stream, reader), self.send(writer, incoming))]
            try:
                await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for copy in copies:
                    copy.cancel()
                writer.close()
        del self.incoming[stream]
        await self.outgoing.put(packed(FIN, stream))

    async def receive(self, stream: int, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(READ):
                await self.outgoing.put(packed(PSH, stream, data))

    async def send(self, writer: asyncio.StreamWriter, incoming: asyncio.Queue[bytes]) -> None:
        with contextlib.suppress(OSError):
            while data := await incoming.get():
                writer.write(data)
                await writer.drain()


def opened(values: Json, dial: Dial) -> Port | Ports:
    """What serves the connections of a session. The agent takes a session without a type for one of ssh."""
    return Ports(values, dial) if "type" in values else Port(values, dial)


def inside(pid: int) -> Dial:
    """Connects as the processes of a container do, in its network."""

    async def dial(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connected = await asyncio.to_thread(connect, pid, host, port)
        return await asyncio.open_connection(sock=connected)

    return dial


def connect(pid: int, host: str, port: int) -> socket.socket:
    """A thread of its own enters the network of the container: the socket stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            return socket.create_connection((host, port), timeout=10)
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)


def start_session(ssm: ModuleType, connected: Callable[[str], Any], register: Callable[[Any, Json], Json]) -> None:
    """Answer StartSession for containers and instances that are connected, which the emulator does not know."""

    @wrap(ssm, "handle_request")
    async def handle(original: Callable[..., Any], *request: Any) -> Any:
        _method, _path, headers, body, *_query = request
        if headers.get("x-amz-target", "") != "AmazonSSM.StartSession":
            return await original(*request)
        data = json.loads(body)
        found = connected(data["Target"])
        if found is None:
            return ssm.error_response_json("TargetNotConnected", f"{data['Target']} is not connected.", 400)
        document = data.get("DocumentName")
        if document not in {*DOCUMENTS, SSH}:
            return ssm.error_response_json("InvalidDocument", "", 400)
        return ssm.json_response(register(found, properties(document, data.get("Parameters") or {})))
