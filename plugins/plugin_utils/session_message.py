# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of a data channel of AWS Systems Manager Session Manager, as bytes. Pure.

The layout is that of the open-source agent and client: https://github.com/aws/amazon-ssm-agent, in
agent/session/contracts/agentmessage.go, and https://github.com/aws/session-manager-plugin, in
src/message/clientmessage.go.
"""

from __future__ import annotations

import enum
import hashlib
import struct
import uuid
from dataclasses import dataclass

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"
PAUSE = "pause_publication"
START = "start_publication"
# The client does not validate these: their lengths and digest may be empty.
STEERING = frozenset({PAUSE, START})

SCHEMA_VERSION = 1
# Length of the header, type, schema version, time, sequence number, flags, ID, digest of the payload, payload's type.
HEADER = struct.Struct(">I32sIQqQ16s32sI")
LENGTH = struct.Struct(">I")
# The halves of an ID are exchanged: the agent writes the least significant one first.
HALF = 8
FIRST = 1
ACKNOWLEDGE_FLAGS = 3


class PayloadType(enum.IntEnum):
    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    CHALLENGE_REQUEST = 8
    CHALLENGE_RESPONSE = 9
    FLAG = 10
    STANDARD_ERROR = 11
    EXIT_CODE = 12


TERMINATE_SESSION = struct.pack(">I", 2)


class BadMessage(ValueError):
    """Bytes that are not a valid message."""


@dataclass(frozen=True)
class Message:
    """One message. Its time is in milliseconds since 1970."""

    type: str
    sequence: int
    created: int
    id: uuid.UUID
    payload: bytes
    payload_type: int = PayloadType.NONE
    flags: int = 0

    def encode(self) -> bytes:
        header = HEADER.pack(
            HEADER.size,
            self.type.encode().ljust(32),
            SCHEMA_VERSION,
            self.created,
            self.sequence,
            self.flags,
            self.id.bytes[HALF:] + self.id.bytes[:HALF],
            hashlib.sha256(self.payload).digest(),
            self.payload_type,
        )
        return header + LENGTH.pack(len(self.payload)) + self.payload


def decode(frame: bytes) -> Message:
    """The message that bytes contain. The header may be longer than what is known of it."""
    if len(frame) < HEADER.size + LENGTH.size:
        raise BadMessage(f"expected at least {HEADER.size + LENGTH.size} bytes, got {len(frame)}")
    length, name, _version, created, sequence, flags, identity, digest, payload_type = HEADER.unpack_from(frame)
    kind = name.strip(b"\0 ").decode("utf-8", "replace")
    identifier = uuid.UUID(bytes=identity[HALF:] + identity[:HALF])
    if kind in STEERING:
        return Message(kind, sequence, created, identifier, b"", payload_type, flags)
    if length < HEADER.size or length + LENGTH.size > len(frame):
        raise BadMessage(f"expected a header of {HEADER.size} bytes, got {length}")
    payload = frame[length + LENGTH.size :]
    (expected,) = LENGTH.unpack_from(frame, length)
    if expected != len(payload):
        raise BadMessage(f"expected a payload of {expected} bytes, got {len(payload)}")
    if payload and hashlib.sha256(payload).digest() != digest:
        raise BadMessage("expected a payload that matches the digest in its header, got another one")
    return Message(kind, sequence, created, identifier, payload, payload_type, flags)
