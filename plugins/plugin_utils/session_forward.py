# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forwards the connections of a local port through a session: the sockets around the session's pure parts."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import typing as t
from dataclasses import dataclass, field

from . import session_mux as mux
from .session_channel import WINDOW, Data
from .session_client import Access, Client, SessionError
from .session_message import TERMINATE_SESSION, PayloadType

# The agent says it when it cannot connect to the port: agent/session/contracts/model.go.
CONNECT_FAILED = struct.pack(">I", 3)
READ = 32 * 1024
# Bytes that local programs have not read: beyond them, the session has to wait.
KEPT = 4 * 1024 * 1024
# Seconds between two looks at what else may have happened.
LONGEST_WAIT = 0.2


@dataclass
class Connection:
    """A connection of a local program."""

    socket: socket.socket
    waiting: bytearray = field(default_factory=bytearray)
    is_read: bool = False
    """Its program sends nothing more."""
    is_over: bool = False
    """The other side sends nothing more."""


class Watcher(t.NamedTuple):
    """What ends a tunnel, and learns that it is open, and of each connection that the agent could not make."""

    stopped: t.Callable[[], bool]
    ready: t.Callable[[], None] = lambda: None
    refused: t.Callable[[], None] = lambda: None


class PortSession(Client):
    """A session that leads to a port, without a shell."""

    def __init__(self, access: Access, seconds: float) -> None:
        self.refused = 0
        self._is_ready = False
        super().__init__(access, "", seconds)

    def _farewell(self) -> None:
        self.channel.send(PayloadType.FLAG, TERMINATE_SESSION)

    def _greet(self, deadline: float, seconds: float) -> None:
        while not self._is_ready:
            self._next(deadline)
            if self._now() > deadline:
                raise SessionError(f"expected a session within {seconds:g} s, got none")

    def _data(self, event: Data) -> list[bytes]:
        self._is_ready = self._is_ready or event.type == PayloadType.HANDSHAKE_COMPLETE
        self.refused += event.type == PayloadType.FLAG and event.payload == CONNECT_FAILED
        return super()._data(event)

    def _arrived(self) -> None:
        """Take what the session has, as far as it goes without waiting."""
        for _turn in range(WINDOW):
            heard = self._heard
            for data in self._next(self._now()):
                self._take(data)
            if self._heard == heard:
                return

    def _take(self, data: bytes) -> None:
        raise NotImplementedError


class Tunnel(PortSession):
    """A session that forwards the connections of a local port."""

    def __init__(self, access: Access, seconds: float) -> None:
        self.mux = mux.Mux()
        self.connections: dict[int, Connection] = {}
        self.opened = 0
        super().__init__(access, seconds)

    def forward(self, listener: socket.socket, watcher: Watcher) -> None:
        """Forward connections until they are to stop."""
        known = 0
        watcher.ready()
        while not watcher.stopped():
            for _one in range(known, self.refused):
                watcher.refused()
            known = self.refused
            readers: list[t.Any] = [self.socket.sock]
            if self.channel.backlog < WINDOW:
                readers += [listener, *(one.socket for one in self.connections.values() if not one.is_read)]
            writers = [one.socket for one in self.connections.values() if one.waiting]
            wait = self.channel.wait(self._now())
            ready = select.select(readers, writers, [], min(LONGEST_WAIT if wait is None else wait, LONGEST_WAIT))
            if listener in ready[0]:
                self._accept(listener)
            for number, connection in list(self.connections.items()):
                if connection.socket in ready[0]:
                    self._read(number, connection)
            if sum(len(one.waiting) for one in self.connections.values()) < KEPT:
                self._arrived()
            self._deliver()

    def close(self) -> None:
        for connection in self.connections.values():
            connection.socket.close()
        super().close()

    def _accept(self, listener: socket.socket) -> None:
        accepted = listener.accept()[0]
        accepted.setblocking(False)
        number = self.mux.open()
        self.connections[number] = Connection(accepted)
        self.opened += 1
        self._send(mux.frame(mux.OPEN, number))

    def _read(self, number: int, connection: Connection) -> None:
        try:
            data = connection.socket.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.is_read = not data
        self._send(mux.frames(number, data) if data else mux.frame(mux.END, number))

    def _take(self, data: bytes) -> None:
        try:
            events = self.mux.receive(data)
        except mux.BadFrame as error:
            raise SessionError(str(error)) from error
        if self.mux.answer:
            self._send(self.mux.answer)
            self.mux.answer = b""
        for event in events:
            connection = self.connections.get(event.connection)
            if connection and event.data:
                connection.waiting += event.data
            elif connection:
                connection.is_over = True

    def _deliver(self) -> None:
        """Pass on what arrived, and close what has ended."""
        for number, connection in list(self.connections.items()):
            with contextlib.suppress(BlockingIOError):
                try:
                    del connection.waiting[: connection.socket.send(connection.waiting) if connection.waiting else 0]
                except (BrokenPipeError, ConnectionResetError):
                    connection.waiting.clear()
            if connection.is_over and not connection.waiting:
                if not connection.is_read:
                    self._send(mux.frame(mux.END, number))
                connection.socket.close()
                del self.connections[number]
