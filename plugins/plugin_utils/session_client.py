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

from . import session_encryption as encryption
from . import session_handshake as handshake
from . import session_shell as shell
from .session_channel import WINDOW, Channel, Closed, Data
from .session_message import TERMINATE_SESSION, BadMessage, PayloadType

try:
    import websocket
except ImportError:
    HAS_WEBSOCKET = False
else:
    HAS_WEBSOCKET = True

# After that many seconds without a message, the container may have stopped: ECS is asked, less and less often.
QUIET_SECONDS = 5.0
LONGEST_QUIET_SECONDS = 60.0
# After that many, without an answer to a ping, the network may be cut.
LOST_SECONDS = 60.0
# How long the agent has to acknowledge the end of the session.
CLOSE_SECONDS = 1.0


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
                    raise SessionError(
                        f"{path}: expected {size} bytes, got {size - left}: the file was changed in the meantime"
                    )
                left -= len(chunk)
                yield chunk

    return Input(size, chunks())


class Access(t.NamedTuple):
    """How to reach a session."""

    url: str
    token: str
    check: t.Callable[[], None]
    """Fails if the container does not run."""
    data_key: t.Callable[[str, str], tuple[bytes, bytes]]
    """A data key of AWS KMS for a key and a challenge, as it is and encrypted."""


class Client:
    """One session, in which commands run one after the other."""

    def __init__(self, access: Access, marker: str, seconds: float) -> None:
        self.access = access
        self.marker = marker
        self.channel = Channel()
        self.cipher: encryption.Cipher | None = None
        self.is_busy = False
        self._epoch = time.time() - time.monotonic()
        self._heard = self._pinged = self._now()
        self._pause, self._check_at = QUIET_SECONDS, self._heard + QUIET_SECONDS
        deadline = self._heard + seconds
        try:
            self.socket = websocket.create_connection(access.url, timeout=seconds)
            self.socket.send(handshake.opening(access.token, str(uuid.uuid4()), str(uuid.uuid4())))
        except (websocket.WebSocketException, OSError) as error:
            raise SessionError(f"the stream of the session cannot be opened: {error}") from error
        try:
            self._greet(deadline, seconds)
        except BaseException:
            self.socket.close(timeout=1)
            raise

    def run(
        self, command: str, given: Input | None, stdout: t.Callable[[bytes], None], seconds: float
    ) -> tuple[int, bytes]:
        """Run a command. Its exit status and standard error; its standard output is passed on as it arrives."""
        self.is_busy = True
        stderr: list[bytes] = []
        output = shell.Output(self.marker, stdout, stderr.append)
        deadline = self._now() + seconds if seconds else float("inf")
        self._send(shell.run(self.marker, command, given.size if given else None))
        chunks: t.Iterator[bytes] = iter(())
        while (said := output.status) is None or said == shell.READS:
            if given and said:
                output.status, chunks = None, given.chunks
            if self.channel.backlog < WINDOW and (chunk := next(chunks, None)):
                self._send(shell.encoded(chunk))
                continue
            if self._now() > deadline:
                raise CommandTimeout(f"expected the command to end within {seconds:g} s, got none; it was interrupted")
            try:
                for data in self._next(deadline):
                    output.feed(data)
            except binascii.Error as error:
                raise SessionError("expected base64 from the terminal, got other bytes") from error
        if not said.isdigit():
            raise SessionError(f"expected the exit status of the command, got {said or 'none'}")
        self.is_busy = False
        return int(said), b"".join(stderr)

    def close(self) -> None:
        """End the session, and what still runs in it."""
        self.access = self.access._replace(check=lambda: None)
        self.channel.discard()
        self._farewell()
        until = self._now() + CLOSE_SECONDS
        with contextlib.suppress(SessionError):  # it has ended by itself
            while not self.channel.idle and self._now() < until:
                self._next(until)
        self.socket.close(timeout=1)

    def _farewell(self) -> None:
        self._send(shell.INTERRUPT if self.is_busy else shell.EXIT)
        if self.is_busy:
            self.channel.send(PayloadType.FLAG, TERMINATE_SESSION)

    def _greet(self, deadline: float, seconds: float) -> None:
        greeting = shell.Greeting(self.marker)
        try:
            while not any(greeting.feed(data) for data in self._next(deadline)):
                if self._now() > deadline:
                    raise SessionError(f"expected a shell within {seconds:g} s, got none")
        except shell.MissingTool as error:
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
            self.access.check()
            raise SessionError(f"the connection was lost: {error}") from error
        self._heard = self._now()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.access.check()
            raise SessionError("the service closed the stream")
        return self._received(frame) if opcode == websocket.ABNF.OPCODE_BINARY else []

    def _write(self) -> None:
        self.socket.settimeout(LOST_SECONDS)
        try:
            for frame in self.channel.frames(self._now()):
                self.socket.send_binary(frame)
        except (websocket.WebSocketException, OSError) as error:
            self.access.check()
            raise SessionError(f"the connection was lost: {error}") from error

    def _received(self, frame: bytes) -> list[bytes]:
        self._pause, self._check_at = QUIET_SECONDS, self._heard + QUIET_SECONDS
        try:
            events = self.channel.receive(frame, self._now())
        except BadMessage:
            return []  # as one that is lost: the agent sends it again
        output: list[bytes] = []
        for event in events:
            if isinstance(event, Closed):
                self._write()
                self.access.check()
                raise SessionError(f"the session has ended: {event.output.strip() or 'no reason given'}")
            output += self._data(event)
        return output

    def _send(self, data: bytes) -> None:
        self.channel.send(PayloadType.OUTPUT, data, self.cipher.encrypt if self.cipher else None)

    def _data(self, event: Data) -> list[bytes]:
        if event.type == PayloadType.HANDSHAKE_REQUEST:
            self._shake_hands(event.payload)
        elif event.type == PayloadType.CHALLENGE_REQUEST and self.cipher:
            known = self.cipher.encrypt(self.cipher.decrypt(handshake.challenge(event.payload)))
            self.channel.send(PayloadType.CHALLENGE_RESPONSE, handshake.challenge_response(known))
        elif event.type == PayloadType.OUTPUT:
            return [self.cipher.decrypt(event.payload) if self.cipher else event.payload]
        return []

    def _shake_hands(self, request: bytes) -> None:
        encrypted = None
        if wanted := handshake.encryption(request):
            plain, encrypted = self.access.data_key(wanted.key, wanted.challenge)
            self.cipher = encryption.Cipher(plain)
        answer = handshake.answer(request, encrypted)
        self.channel.send(PayloadType.HANDSHAKE_RESPONSE, answer.payload)
        if answer.problems:
            self._write()
            raise SessionError("; ".join(answer.problems))

    def _quiet(self) -> None:
        """Nothing came for a while: find out whether the other side still exists."""
        now = self._now()
        if now - self._heard > LOST_SECONDS:
            raise SessionError(f"expected a message within {LOST_SECONDS:g} s, got none: the network may be cut")
        if now - max(self._heard, self._pinged) >= QUIET_SECONDS:
            self._pinged = now
            self.socket.ping()
        if now >= self._check_at:
            self._pause = min(self._pause * 2, LONGEST_QUIET_SECONDS)
            self._check_at = now + self._pause
            self.access.check()


def new_marker() -> str:
    """What commands cannot print by accident."""
    return secrets.token_hex(8)
