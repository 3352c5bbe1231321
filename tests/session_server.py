# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator whose sessions run on this machine: real streams and terminals, without containers."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import random
import shutil
import signal
import socket
import subprocess
import threading
import typing as t

from hypercorn.asyncio import serve
from hypercorn.config import Config

Json = dict[str, t.Any]
Receive = t.Callable[[], t.Awaitable[Json]]
Send = t.Callable[[Json], t.Awaitable[None]]


class PtyTerminal:
    """A command with a terminal, in place of one in a container."""

    environment: t.ClassVar[dict[str, str]] = {}
    started: t.ClassVar[list[PtyTerminal]] = []
    shell: t.ClassVar[list[str]] = ["/bin/sh"]
    """The words for the shell of the container."""

    def __init__(self, session: t.Any) -> None:
        self.first = b""
        self.container_stopped = False
        self.descriptor, slave = pty.openpty()
        # The terminal has to be the one that interrupts the command.
        command = [str(shutil.which("setsid")), "--ctty", *self.shell, *session.command[1:]]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, **self.environment}
        )
        os.close(slave)
        flags = fcntl.fcntl(self.descriptor, fcntl.F_GETFL)
        fcntl.fcntl(self.descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        self.started.append(self)

    async def read(self) -> bytes:
        while True:
            try:
                return os.read(self.descriptor, 65536)
            except BlockingIOError:
                await asyncio.sleep(0.002)
            except OSError:
                return b""

    async def write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.descriptor, data) :]
            except BlockingIOError:
                await asyncio.sleep(0.002)
            except OSError:
                return

    async def resize(self, columns: int, rows: int) -> None:
        """Nobody sees it."""

    async def is_orphaned(self) -> bool:
        return self.container_stopped

    def stop_container(self) -> None:
        """End the command and the agent, without a word."""
        self.container_stopped = True
        os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGHUP)
        self.process.wait(10)
        os.close(self.descriptor)


class BadNetwork:
    """Loses and repeats some of the messages of streams, once both sides have shaken hands."""

    def __init__(self, app: t.Any) -> None:
        self.app = app
        self.loss = 0.0
        self.cut = threading.Event()
        self.random = random.Random(1)

    def copies(self) -> int:
        if self.random.random() < self.loss:
            return 0
        return 2 if self.random.random() < self.loss else 1

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            # The emulator would open ports of services that nobody uses.
            raise NotImplementedError
        waiting: list[Json] = []

        async def received() -> Json:
            while not waiting:
                event = await receive()
                waiting.extend([event] * (self.copies() if event.get("bytes") else 1))
            return waiting.pop()

        async def sent(event: Json) -> None:
            if self.cut.is_set() and event["type"] == "websocket.send":
                raise ConnectionError("The network is cut.")
            for _copy in range(self.copies() if event.get("bytes") else 1):
                await send(event)

        if scope["type"] == "websocket":
            await self.app(scope, received, sent)
        else:
            await self.app(scope, receive, send)


def listener() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


@contextlib.contextmanager
def serving(app: t.Any, bound: socket.socket) -> t.Iterator[str]:
    """Serve an application in a thread; its address."""
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    config = Config()
    config.bind = [f"fd://{bound.detach()}"]
    config.graceful_timeout = 0.1
    config.errorlog = None
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def run() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        ready.set()
        await serve(app, config, shutdown_trigger=stop.wait)

    thread = threading.Thread(target=asyncio.run, args=[run()], daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield address
    finally:
        [(loop, stop)] = loops
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
