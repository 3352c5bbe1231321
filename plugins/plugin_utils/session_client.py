# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs commands in a session of ECS Exec: the socket and the clock around the session's pure parts."""

from __future__ import annotations

import binascii
import contextlib
import os
import secrets
import time
import typing as t
import uuid

import websocket

from . import session_handshake as handshake
from . import session_shell as shell
from .session_channel import WINDOW, Channel, Closed, Data
from .session_message import TERMINATE_SESSION, BadMessage, PayloadType

# After that many seconds without a message, the container may have stopped, or the network may be cut.
QUIET_SECONDS = 5.0
LOST_SECONDS = 60.0
# How long an interrupted command has to end.
INTERRUPT_SECONDS = 1.0


class SessionError(Exception):
    """The session has ended, or cannot start."""


class CommandTimeout(SessionError):
    """The command runs longer than it may."""


class Input(t.NamedTuple):
    """What a command reads: its size, and its bytes in chunks of shell.CHUNK."""

    size: int
    chunks: t.Iterator[bytes]


def of_bytes(data: bytes) -> Input:
    return Input(len(data), (data[at : at + shell.CHUNK] for at in range(0, len(data), shell.CHUNK)))


def of_file(path: str) -> Input:
    """What a file contains now: one that changes meanwhile would leave the container waiting."""
    size = os.path.getsize(path)

    def chunks() -> t.Iterator[bytes]:
        left = size
        with open(path, "rb") as source:
            while left:
                chunk = source.read(min(shell.CHUNK, left))
                if not chunk:
                    raise SessionError(f"{path}: expected {size} bytes, got {size - left}: it was changed meanwhile")
                left -= len(chunk)
                yield chunk

    return Input(size, chunks())


class Client:
    """One session, in which commands run one after the other. `check` fails if the container does not run."""

    def __init__(self, url: str, token: str, marker: str, seconds: float, check: t.Callable[[], None]) -> None:
        self.marker = marker
        self.check = check
        self.channel = Channel()
        self._epoch = time.time() - time.monotonic()
        self._heard = self._checked = self._now()
        deadline = self._now() + seconds
        try:
            self.socket = websocket.create_connection(url, timeout=seconds)
            self.socket.send(handshake.opening(token, str(uuid.uuid4()), str(uuid.uuid4())))
        except (websocket.WebSocketException, OSError) as error:
            raise SessionError(f"the stream of the session cannot be opened: {error}") from error
        self._greet(deadline, seconds)

    def run(
        self, command: str, given: Input | None, stdout: t.Callable[[bytes], None], seconds: float
    ) -> tuple[int, bytes]:
        """Run a command. Its exit status and standard error; its standard output is passed on as it arrives."""
        stderr: list[bytes] = []
        output = shell.Output(self.marker, stdout, stderr.append)
        deadline = self._now() + seconds if seconds else float("inf")
        self.channel.send(PayloadType.OUTPUT, shell.run(self.marker, command, given.size if given else None))
        chunks = given.chunks if given else iter(())
        while output.status is None:
            if self.channel.backlog < WINDOW and (chunk := next(chunks, None)):
                self.channel.send(PayloadType.OUTPUT, shell.encoded(chunk))
                continue
            if self._now() > deadline:
                self.interrupt()
                raise CommandTimeout(f"expected the command to end within {seconds:g} s, got none; it was interrupted")
            try:
                for data in self._next(deadline):
                    output.feed(data)
            except binascii.Error as error:
                raise SessionError("expected base64 from the terminal, got other bytes") from error
        return int(output.status), b"".join(stderr)

    def interrupt(self) -> None:
        """End the running command and the session."""
        self.channel.send(PayloadType.OUTPUT, shell.INTERRUPT)
        self.channel.send(PayloadType.FLAG, TERMINATE_SESSION)
        until = self._now() + INTERRUPT_SECONDS
        with contextlib.suppress(SessionError):
            while not self.channel.idle and self._now() < until:
                self._next(until)
        self.close()

    def close(self) -> None:
        """The end of the stream ends the shell's input, and so the session."""
        self.socket.close(timeout=1)

    def end(self) -> None:
        """End a session in which nothing runs."""
        self.channel.send(PayloadType.OUTPUT, b"ZXhpdA==\n")  # exit
        self._write()
        self.close()

    def _greet(self, deadline: float, seconds: float) -> None:
        greeting = shell.Greeting(self.marker)
        try:
            while not any(greeting.feed(data) for data in self._next(deadline)):
                if self._now() > deadline:
                    raise SessionError(f"expected a shell within {seconds:g} s, got none")
        except shell.MissingTool as error:
            self.close()
            raise SessionError(
                f"expected a container with sh, {', '.join(shell.TOOLS)}, got one without {error}"
            ) from error

    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _next(self, deadline: float) -> list[bytes]:
        """Write what is due, and return what the terminal wrote meanwhile."""
        self._write()
        now = self._now()
        waits = [self.channel.wait(now), deadline - now, QUIET_SECONDS]
        self.socket.settimeout(max(0.001, min(wait for wait in waits if wait is not None)))
        try:
            opcode, frame = self.socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            self._quiet()
            return []
        except (websocket.WebSocketException, OSError) as error:
            self.check()
            raise SessionError(f"the connection was lost: {error}") from error
        self._heard = self._checked = self._now()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.check()
            raise SessionError("the service closed the stream")
        return self._received(frame) if opcode == websocket.ABNF.OPCODE_BINARY else []

    def _write(self) -> None:
        self.socket.settimeout(LOST_SECONDS)
        try:
            for frame in self.channel.frames(self._now()):
                self.socket.send_binary(frame)
        except (websocket.WebSocketException, OSError) as error:
            self.check()
            raise SessionError(f"the connection was lost: {error}") from error

    def _received(self, frame: bytes) -> list[bytes]:
        try:
            events = self.channel.receive(frame, self._now())
        except BadMessage:
            return []  # as one that is lost: the agent sends it again
        output: list[bytes] = []
        for event in events:
            if isinstance(event, Closed):
                self._write()
                self.check()
                raise SessionError(f"the session has ended: {event.output.strip() or 'no reason given'}")
            output += self._data(event)
        return output

    def _data(self, event: Data) -> list[bytes]:
        if event.type == PayloadType.HANDSHAKE_REQUEST:
            answer = handshake.answer(event.payload)
            self.channel.send(PayloadType.HANDSHAKE_RESPONSE, answer.payload)
            if answer.problems:
                self._write()
                raise SessionError("; ".join(answer.problems))
        return [event.payload] if event.type == PayloadType.OUTPUT else []

    def _quiet(self) -> None:
        """Nothing came for a while: find out whether the other side still exists."""
        now = self._now()
        if now - self._heard > LOST_SECONDS:
            raise SessionError(f"expected a message within {LOST_SECONDS:g} s, got none: the network may be cut")
        if now - self._checked >= QUIET_SECONDS:
            self._checked = now
            self.check()
            self.socket.ping()


def new_marker() -> str:
    """What commands cannot print by accident."""
    return secrets.token_hex(8)
