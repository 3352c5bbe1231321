# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the server of the connection forkserver for each play, in a fork of one process.

It has imported the libraries of modules. What modules of earlier plays have imported from their archives, and which
data of botocore they have read, it prepares for those that follow: both depend on the content of the files alone.
Started by playbook_server.py.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.util
import io
import json
import os
import selectors
import shutil
import socket
import sys
import tempfile
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import forks
import prepared_botocore

ANYONE = {"region_name": "eu-central-1", "aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
SOURCE = Path(__file__).resolve().parent.parent / "plugins/plugin_utils/forkserver_process.py"


def loaded() -> types.ModuleType:
    """The server's code, by another name than that of the collection, which modules bring along."""
    spec = importlib.util.spec_from_file_location("forkserver_process", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Archives:
    """Where modules find what their packages do not have yet: in their own archive, which is first in sys.path."""

    def __init__(self, package: str) -> None:
        self.folder = package.replace(".", "/")

    def __iter__(self) -> Iterator[str]:
        return iter([f"{path}/{self.folder}" for path in sys.path if "_payload.zip" in path])


class Imports:
    """What modules import from their archives, imported once."""

    def __init__(self, process: Any, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.known: dict[str, bytes] = {}
        # Those that have other files by the same names.
        self.others: set[bytes] = set()

    def learn(self, source: bytes) -> None:
        found = self.process.ZIP_DATA.search(source)
        if not found:
            return
        archive = base64.b64decode(found[1])
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            names = [name for name in files.namelist() if "/module_utils/" in name and name.endswith(".py")]
            contents = {name: files.read(name) for name in names}
        if any(self.known.get(name, content) != content for name, content in contents.items()):
            self.others.add(found[1])
        elif new := contents.keys() - self.known.keys():
            self.known.update(contents)
            self.add(archive, sorted(new))

    def add(self, archive: bytes, names: list[str]) -> None:
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix="_payload.zip") as file:
            file.write(archive)
            file.flush()
            sys.path.insert(0, file.name)
            sys.path_hooks.insert(0, self.process.payload_importer)
            for name in names:
                # What cannot be imported here, is imported by the module that needs it.
                with contextlib.suppress(ImportError):
                    importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
            sys.path_hooks.pop(0)
            sys.path.pop(0)
        for name, module in self.imported():
            if hasattr(module, "__path__"):
                module.__path__ = Archives(name)  # type: ignore[assignment]

    def imported(self) -> list[tuple[str, types.ModuleType]]:
        parts = ("ansible", "ansible_collections")
        return [(name, module) for name, module in sys.modules.items() if name.partition(".")[0] in parts]

    def leave_out(self, source: bytes) -> None:
        """Let a module that has other files import all of its own."""
        found = self.process.ZIP_DATA.search(source)
        if found and found[1] in self.others:
            for name, _module in self.imported():
                del sys.modules[name]


class Lessons:
    """What servers have learned, in files that the next one is started with."""

    def __init__(self, folder: Path, process: Any) -> None:
        self.folder = folder
        self.process = process
        self.data = process.Data()
        self.data.install(sys.modules["botocore.loaders"])
        prepared_botocore.prepare(prepared_botocore.Permanent())
        self.imports = Imports(process, folder)
        self.known: set[bytes] = set()

    def note(self, server: Any) -> None:
        """Let a server write down what it learns."""
        learn, prepare = self.process.learn, self.data.prepare

        def noted_learn(source: bytes, known: set[bytes]) -> None:
            before = len(known)
            learn(source, known)
            if len(known) > before:
                self.imports.learn(source)
                # It has not upgraded what it imports for the first time.
                server.installed = {**self.process.installed(), **server.installed}
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
            if path.name.startswith("module "):
                self.process.learn(content, self.known)
                self.imports.learn(content)
            elif path.name.startswith("data file "):
                self.read(content.decode())
            else:
                botocore.loaders.Loader().list_available_services(content.decode())

    @staticmethod
    def read(path: str) -> None:
        """Read a file of botocore. A client of a service computes what those of modules have in common."""
        if path.endswith("/service-2"):
            botocore.session.Session().create_client(path.split("/")[-3], **ANYONE)
        else:
            botocore.loaders.JSONFileLoader().load_file(path)


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
    server = process.Server(listening, run, lessons.data)
    lessons.note(server)
    server.known = lessons.known
    request = server.serve()
    lessons.imports.leave_out(request.source)
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
        forks.share_memory()
        started = serve(listener, lessons)
    if started:
        with forks.ending_at_once():
            become_server(process, lessons, started)
    else:
        shutil.rmtree(lessons.folder)


if __name__ == "__main__":
    main()
