# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections side by side in one stream of bytes, as sessions that forward ports have them. Pure: no socket, no clock.

The agent and the client of AWS use version 1 of https://github.com/xtaci/smux: frame.go has the layout, session.go says
who numbers the connections how, and mux.go how long a frame may be.
"""

from __future__ import annotations

import struct
import typing as t

# Version, command, length, connection.
HEADER = struct.Struct("<BBHI")
VERSION = 1
OPEN, END, DATA, NOTHING = range(4)
LARGEST = 32768


class BadFrame(ValueError):
    """Bytes that are not a valid frame."""


class Event(t.NamedTuple):
    """What the other side sent through a connection; no data is its end."""

    connection: int
    data: bytes


def frame(command: int, connection: int, data: bytes = b"") -> bytes:
    return HEADER.pack(VERSION, command, len(data), connection) + data


class Mux:
    """The side that opens connections."""

    def __init__(self) -> None:
        self._last = 1
        self._rest = b""
        self.answer = b""
        """What the other side waits for: older agents test whether this side still exists."""

    def open(self) -> int:
        """The number of a new connection, which `frame` has to announce."""
        self._last += 2
        return self._last

    def receive(self, data: bytes) -> list[Event]:
        self._rest += data
        events: list[Event] = []
        while len(self._rest) >= HEADER.size:
            version, command, length, connection = HEADER.unpack_from(self._rest)
            if version != VERSION or command > NOTHING:
                raise BadFrame(f"expected a frame of version {VERSION}, got version {version}, command {command}")
            if len(self._rest) < HEADER.size + length:
                break
            payload = self._rest[HEADER.size : HEADER.size + length]
            self._rest = self._rest[HEADER.size + length :]
            if command == NOTHING:
                self.answer = frame(NOTHING, 0)
            elif command == END or payload:
                events.append(Event(connection, payload))
        return events


def frames(connection: int, data: bytes) -> bytes:
    """Data of a connection, in as many frames as it needs."""
    parts = (data[at : at + LARGEST] for at in range(0, len(data), LARGEST))
    return b"".join(frame(DATA, connection, part) for part in parts)
