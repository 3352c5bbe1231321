# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the server of the connection forkserver for each play, in a fork of one process.

It has imported the libraries of modules. What the servers of earlier plays have compiled, and which data of botocore
their modules have read, it prepares for those that follow: both depend on the content of the files alone.
Started by playbook_server.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import selectors
import shutil
import socket
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "plugins/plugin_utils/forkserver_process.py"


def loaded() -> types.ModuleType:
    """The server's code, by another name than that of the collection, which modules bring along."""
    spec = importlib.util.spec_from_file_location("forkserver_process", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Lessons:
    """What servers have learned, in files that the next one is started with."""

    def __init__(self, folder: Path, process: Any) -> None:
        self.folder = folder
        self.process = process
        self.data = process.Data()
        self.data.install(sys.modules["botocore.loaders"])
        self.known: set[bytes] = set()

    def note(self) -> None:
        """Let a server write down what it learns."""
        learn, prepare = self.process.learn, self.data.prepare

        def noted_learn(source: bytes, known: set[bytes]) -> None:
            before = len(known)
            learn(source, known)
            if len(known) > before:
                self.write("module", source)

        def noted_prepare(notes: Any) -> None:
            before = set(self.data.read)
            prepare(notes)
            for kind, name in self.data.read.keys() - before:
                self.write(f"data {kind}", name.encode())

        self.process.learn = noted_learn
        self.data.prepare = noted_prepare

    def write(self, kind: str, content: bytes) -> None:
        path = self.folder / f"{kind} {hashlib.sha256(content).hexdigest()}"
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(content)
        new.rename(path)

    def learn(self) -> None:
        for path in [path for path in self.folder.iterdir() if not path.suffix]:
            content = path.read_bytes()
            path.unlink()
            kind = path.name.split()[1]
            if path.name.startswith("module "):
                self.process.learn(content, self.known)
            elif (kind, content.decode()) not in self.data.read:
                self.data.read[kind, content.decode()] = self.data.readers[kind](content.decode())


def serve(listener: socket.socket, lessons: Lessons) -> tuple[dict[str, Any], list[int]] | None:
    """What a server is started with, in the fork that has to be one; none at the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while all(key.fileobj is listener for key, _events in selector.select()):
            with listener.accept()[0] as connection:
                # Anyone on this machine reaches the address.
                if not lessons.process.peer_is_same_user(connection):
                    continue
                message, files, _flags, _address = socket.recv_fds(connection, 1 << 20, 3)
                lessons.learn()
                if not os.fork():
                    return dict(json.loads(message)), files
                for file in files:
                    os.close(file)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    # Each ends with its play.
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0)[0]:
            pass
    return None


def become_server(process: Any, lessons: Lessons, started: tuple[dict[str, Any], list[int]]) -> None:
    """As the process that the connection starts otherwise."""
    given, (listening, run, log) = started
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number, file in enumerate((null, null, log)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir("/")
    lessons.note()
    server = process.Server(listening, run, lessons.data)
    server.known = lessons.known
    request = server.serve()
    names = process.namespace(request)
    exec(compile(request.source, request.path or "<stdin>", "exec", dont_inherit=True), names)


def main() -> None:
    # The folder of this file, which modules do not have.
    sys.path.pop(0)
    process = loaded()
    process.preload()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0{sys.argv[1]}")
        listener.listen(16)
        print("ready", flush=True)
        lessons = Lessons(Path(tempfile.mkdtemp()), process)
        started = serve(listener, lessons)
    if started:
        become_server(process, lessons, started)
    else:
        shutil.rmtree(lessons.folder)


if __name__ == "__main__":
    main()
