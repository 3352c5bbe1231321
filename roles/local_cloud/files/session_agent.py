# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's side of a data channel of Session Manager, in front of a terminal.

Written from what https://github.com/aws/amazon-ssm-agent does (agent/session/contracts/agentmessage.go,
agent/session/datachannel/datachannel.go, agent/session/shell/shell.go), independently of the client in plugins/, so
that a fault in one of them is not a fault in both.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from session_encryption import Encryption

Json = dict[str, Any]

AGENT_VERSION = "3.3.1142.0"
OUTPUT, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE = 1, 3, 5, 6, 7
CHALLENGE_REQUEST, CHALLENGE_RESPONSE, FLAG = 8, 9, 10
TERMINATE = struct.pack(">I", 2)
CONNECT_TO_PORT_ERROR = struct.pack(">I", 3)
# config.go of the agent: StreamDataPayloadSize, ResendSleepInterval, OutgoingMessageBufferCapacity, and datachannel.go:
# handshakeTimeout, and how long it waits at the end for what is not acknowledged.
PAYLOAD = 1024
RESEND_SECONDS = 0.1
OVERDUE_SECONDS = 1.0
BUFFERED = 10_000
HANDSHAKE_SECONDS = 15
LAST_SECONDS = 2


class Terminal(Protocol):
    """What the session's command reads and writes."""

    async def read(self) -> bytes: ...
    async def write(self, data: bytes) -> None: ...
    async def resize(self, columns: int, rows: int) -> None: ...


def packed(kind: str, payload: bytes, sequence: int = 0, payload_type: int = 0, flags: int = 3) -> bytes:
    identity = uuid.uuid4().bytes
    parts = [
        struct.pack(">I", 116),
        kind.encode().ljust(32, b" "),
        struct.pack(">IQqQ", 1, int(time.time() * 1000), sequence, flags),
        identity[8:],
        identity[:8],
        hashlib.sha256(payload).digest(),
        struct.pack(">II", payload_type, len(payload)),
        payload,
    ]
    return b"".join(parts)


class Agent:
    """One session. `send` writes bytes to the client."""

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        open_terminal: Callable[[], Awaitable[Terminal]],
        encryption: Encryption | None = None,
    ) -> None:
        self.send = send
        self.open_terminal = open_terminal
        self.encryption = encryption
        self.terminal: Terminal | None = None
        self.session_type: Json = {"SessionType": "InteractiveCommands"}
        self.shaken = asyncio.Event()
        self.proven = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()
        self.sequence = 0
        self.expected = 0
        self.unacknowledged: OrderedDict[int, tuple[float, bytes]] = OrderedDict()
        self.early: dict[int, tuple[int, bytes, bytes]] = {}

    async def run(self) -> None:
        """Shake hands, then copy what the terminal writes until its command ends."""
        again = asyncio.create_task(self.resend())
        try:
            await self.shake_hands()
            self.terminal = await self.open_terminal()
            complete = {"HandshakeTimeToComplete": 1_000_000, "CustomerMessage": ""}
            await self.stream(HANDSHAKE_COMPLETE, json.dumps(complete).encode())
            await self.copy(self.terminal)
            deadline = time.monotonic() + LAST_SECONDS
            while self.unacknowledged and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
        finally:
            again.cancel()

    async def shake_hands(self) -> None:
        """Ask for what the session needs, and for a proof that the client has the key."""
        actions: list[Json] = [{"ActionType": "SessionType", "ActionParameters": self.session_type}]
        if self.encryption:
            parameters = {"KMSKeyId": self.encryption.key_id, "Challenge": self.encryption.challenge}
            actions.append({"ActionType": "KMSEncryption", "ActionParameters": parameters})
        request = {"AgentVersion": AGENT_VERSION, "RequestedClientActions": actions}
        await self.stream(HANDSHAKE_REQUEST, json.dumps(request).encode())
        await asyncio.wait_for(self.shaken.wait(), HANDSHAKE_SECONDS)
        if self.encryption:
            proof = base64.b64encode(self.encryption.seal(self.encryption.proof)).decode()
            await self.stream(CHALLENGE_REQUEST, json.dumps({"Challenge": proof}).encode())
            await asyncio.wait_for(self.proven.wait(), HANDSHAKE_SECONDS)

    async def copy(self, terminal: Terminal) -> None:
        """Send what the terminal writes until its command ends, or the client ends the session."""
        cancelled = asyncio.create_task(self.cancelled.wait())
        reading = asyncio.create_task(self.pass_on(terminal))
        try:
            await asyncio.wait([reading, cancelled], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, cancelled):
                task.cancel()
            await asyncio.gather(reading, cancelled, return_exceptions=True)

    async def pass_on(self, terminal: Terminal) -> None:
        while data := await terminal.read():
            for start in range(0, len(data), PAYLOAD):
                await self.stream(OUTPUT, data[start : start + PAYLOAD])

    async def stream(self, payload_type: int, payload: bytes) -> None:
        await self.room.wait()
        if self.encryption and payload_type == OUTPUT:
            payload = self.encryption.seal(payload)
        frame = packed("output_stream_data", payload, self.sequence, payload_type, int(self.sequence == 0))
        self.unacknowledged[self.sequence] = (time.monotonic(), frame)
        if len(self.unacknowledged) >= BUFFERED:
            self.room.clear()
        self.sequence += 1
        await self.send(frame)

    async def refuse(self) -> None:
        """Say that the port of a session that forwards one cannot be reached."""
        await self.stream(FLAG, CONNECT_TO_PORT_ERROR)

    async def resend(self) -> None:
        """Repeat the oldest message that is overdue."""
        while True:
            await asyncio.sleep(RESEND_SECONDS)
            for sequence, (sent, frame) in list(self.unacknowledged.items())[:1]:
                if time.monotonic() - sent > OVERDUE_SECONDS:
                    self.unacknowledged[sequence] = (time.monotonic(), frame)
                    await self.send(frame)

    async def receive(self, frame: bytes) -> None:
        """One message of the client."""
        (length,) = struct.unpack_from(">I", frame)
        kind = frame[4:36].strip(b" \0").decode()
        (sequence,) = struct.unpack_from(">q", frame, 48)
        payload = frame[length + 4 :]
        if hashlib.sha256(payload).digest() != frame[80:112]:
            return
        if kind == "acknowledge":
            self.unacknowledged.pop(json.loads(payload)["AcknowledgedMessageSequenceNumber"], None)
            self.room.set()
        if kind == "input_stream_data":
            (payload_type,) = struct.unpack_from(">I", frame, 112)
            await self.in_order(sequence, payload_type, payload, frame[72:80] + frame[64:72])

    async def in_order(self, sequence: int, payload_type: int, payload: bytes, identity: bytes) -> None:
        """Handle each message once, after the ones before it; acknowledge what is handled, kept or repeated."""
        if sequence != self.expected:
            if sequence > self.expected:
                self.early[sequence] = (payload_type, payload, identity)
            await self.acknowledge(sequence, identity)
            return
        await self.handle(payload_type, payload)
        await self.acknowledge(sequence, identity)
        self.expected += 1
        while self.expected in self.early:
            payload_type, payload, _identity = self.early.pop(self.expected)
            await self.handle(payload_type, payload)
            self.expected += 1

    async def acknowledge(self, sequence: int, identity: bytes) -> None:
        content = {
            "AcknowledgedMessageType": "input_stream_data",
            "AcknowledgedMessageId": str(uuid.UUID(bytes=identity)),
            "AcknowledgedMessageSequenceNumber": sequence,
            "IsSequentialMessage": True,
        }
        await self.send(packed("acknowledge", json.dumps(content).encode()))

    async def handle(self, payload_type: int, payload: bytes) -> None:
        if payload_type == HANDSHAKE_RESPONSE:
            await self.answered(json.loads(payload)["ProcessedClientActions"])
        elif payload_type == CHALLENGE_RESPONSE and self.encryption:
            if self.encryption.open(base64.b64decode(json.loads(payload)["Challenge"])) == self.encryption.proof:
                self.proven.set()
        elif payload_type == FLAG and payload == TERMINATE:
            self.cancelled.set()
        elif self.terminal and payload_type == SIZE:
            size = json.loads(payload)
            await self.terminal.resize(size["cols"], size["rows"])
        elif self.terminal and payload_type == OUTPUT:
            await self.terminal.write(self.encryption.open(payload) if self.encryption else payload)

    async def answered(self, actions: list[Json]) -> None:
        for action in actions:
            if action["ActionStatus"] != 1:
                self.cancelled.set()
                return
            if self.encryption and action["ActionType"] == "KMSEncryption":
                await self.encryption.begin(action["ActionResult"])
        self.shaken.set()


def closed(session: str, output: str) -> bytes:
    """What the service sends to a client when a session has ended."""
    content = {
        "MessageType": "channel_closed",
        "MessageId": str(uuid.uuid4()),
        "CreatedDate": str(int(time.time() * 1000)),
        "DestinationId": session,
        "SessionId": session,
        "SchemaVersion": 1,
        "Output": output,
    }
    return packed("channel_closed", json.dumps(content).encode())
