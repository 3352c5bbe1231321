# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process whose forks run modules for the connection plugin forkserver.

Python reads this file from its standard input, as it reads a module. The process imports libraries that modules use,
and keeps the compiled code of Ansible's and the collections' files by their content. Ansible's own wrapper still
unpacks the module's zip and imports from it in each fork: a file that is not known byte for byte is compiled again.
The process also reads the data files of botocore that modules have read.

A request is one message on a socket, with a file that holds the request, and the module's stdout and stderr. The first
fork leads a session, as the shell does that otherwise starts a module: it relays signals and reports the exit status.
Its child runs the module.
"""

from __future__ import annotations

import _imp
import base64
import builtins
import contextlib
import gc
import hashlib
import importlib
import io
import json
import mmap
import os
import re
import selectors
import signal
import socket
import struct
import sys
import types
import typing as t
import warnings
import zipfile
import zipimport

READY, DECLINED, GO = b"ready", b"declined", b"go"
STATUS = struct.Struct("!i")
RELAYED = frozenset({signal.SIGINT, signal.SIGTERM})

# What modules of this collection, amazon.aws and ansible.builtin import, except Ansible's own files.
LIBRARIES = (
    *("boto3", "boto3.session", "botocore.args", "botocore.auth", "botocore.client", "botocore.configprovider"),
    *("botocore.credentials", "botocore.endpoint", "botocore.httpsession", "botocore.paginate", "botocore.parsers"),
    *("botocore.regions", "botocore.retries.standard", "botocore.serialize", "botocore.session", "botocore.signers"),
    *("botocore.waiter", "concurrent.futures.thread", "dataclasses", "datetime", "decimal", "difflib", "distro"),
    *("encodings.idna", "fcntl", "gettext", "glob", "grp", "http.client", "inspect", "ipaddress", "json", "locale"),
    *("logging", "packaging.version", "pkgutil", "platform", "pwd", "queue", "random", "runpy", "secrets", "select"),
    *("shlex", "shutil", "ssl", "string", "subprocess", "syslog", "tempfile", "traceback", "typing_extensions"),
    *("urllib.request", "urllib3.util.ssl_", "uuid", "xml.etree.ElementTree", "zoneinfo"),
)
# Python and its C library read these when they start: a module with other values needs a process of its own.
STARTUP_PREFIXES = ("PYTHON", "LC_", "LD_", "MALLOC_", "OPENSSL_")
STARTUP_VARIABLES = frozenset({"GLIBC_TUNABLES", "HOME", "LANG", "LANGUAGE", "LOCPATH", "TZ", "TZDIR"})
# The wrapper has each argument in a line of its own, and no text in it has a line break.
ZIP_DATA = re.compile(rb"^zip_data='([A-Za-z0-9+/=]+)',$", re.MULTILINE)

# Bytes for the names of the files that a module reads: more are not noted.
NOTES = 16384

COMPILED: dict[bytes, types.CodeType] = {}


class Request(t.NamedTuple):
    """A module to run, and where."""

    path: str
    """The file that Python would run; empty for its standard input."""
    source: bytes
    folder: str
    environment: dict[str, str]


def packed(request: Request) -> bytes:
    """A request as the content of a file."""
    header = json.dumps(request._replace(source=b"")._asdict() | {"source": ""})
    return header.encode() + b"\n" + request.source


def unpacked(content: bytes) -> Request:
    header, _end, source = content.partition(b"\n")
    return Request(**json.loads(header) | {"source": source})


def peer_is_same_user(connection: socket.socket) -> bool:
    credentials = struct.Struct("3i")
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    return bool(credentials.unpack(peer)[1] == os.geteuid())


def startup_variables(environment: t.Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name in STARTUP_VARIABLES or name.startswith(STARTUP_PREFIXES)
    }


def preload() -> None:
    """Import libraries; modules find out themselves which are not installed."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def installed() -> dict[str, tuple[int, int, int]]:
    """Identity, size and time of each imported package: a module has to import those that an earlier task upgraded."""
    files = {sys.executable} | {
        path for name, module in list(sys.modules.items()) if "." not in name and (path := _file_of(module))
    }
    found = {}
    for path in files:
        with contextlib.suppress(OSError):
            state = os.stat(path)
            found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
    return found


def _file_of(module: object) -> str:
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) else ""


# Compiled code


def learn(source: bytes, known: set[bytes]) -> None:
    """Compile the files of a module's zip that have not been compiled before."""
    found = ZIP_DATA.search(source)
    digest = hashlib.sha256(found[1]).digest() if found else b""
    if found is None or digest in known:
        return
    known.add(digest)
    with (
        contextlib.suppress(ValueError, zipfile.BadZipFile),
        zipfile.ZipFile(io.BytesIO(base64.b64decode(found[1]))) as files,
    ):
        for name in files.namelist():
            content = files.read(name)
            if content not in COMPILED and (code := compiled(content)):
                COMPILED[content] = code


def compiled(content: bytes) -> types.CodeType | None:
    """The code of a file; none if Python rejects it or warns, which the module's own process has to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return compile(content, "<module>", "exec", dont_inherit=True)
        except Exception:
            return None


class PayloadImporter(zipimport.zipimporter):
    """Imports from a module's zip; compiled code with the same source is used again."""

    def get_filename(self, fullname: str) -> str:
        # zipimport compiles a file to find its name.
        base = os.path.join(self.archive, self.prefix, fullname.rpartition(".")[2])
        return os.path.join(base, "__init__.py") if self.is_package(fullname) else f"{base}.py"

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        code = COMPILED.get(self.get_data(path))
        if code is None:
            return super().get_code(fullname)
        # Tracebacks name the file, as importlib makes them do with cached code.
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]  # not in typeshed
        return code


def payload_importer(path: str) -> PayloadImporter:
    """A path hook for the zips that Ansible's wrapper unpacks."""
    if "_payload.zip" not in path:
        raise ImportError(path)
    return PayloadImporter(path)


# Data of botocore


class Data:
    """What botocore reads from its folder, read once by the server for all forks that follow."""

    def __init__(self) -> None:
        self.read: dict[tuple[str, str], t.Any] = {}
        self.readers: dict[str, t.Callable[[str], t.Any]] = {}
        # What this fork has read itself: memory that it shares with the server alone.
        self.notes: mmap.mmap | None = None

    def install(self, loaders: t.Any) -> None:
        folder = loaders.Loader.BUILTIN_DATA_PATH
        load, listed = loaders.JSONFileLoader.load_file, loaders.Loader.list_available_services
        own = loaders.Loader(extra_search_paths=[folder], include_default_search_paths=False)
        self.readers = {"file": lambda path: load(own.file_loader, path), "services": lambda kind: listed(own, kind)}

        def load_file(loader: t.Any, file_path: str) -> t.Any:
            known = file_path.startswith(f"{folder}{os.sep}") and self.known("file", file_path)
            # A second reader gets data of its own, which it may change.
            return self.read.pop(("file", file_path)) if known else load(loader, file_path)

        def list_available_services(loader: t.Any, type_name: str) -> t.Any:
            only = [path for path in loader.search_paths if os.path.isdir(path)] == [folder]
            known = only and self.known("services", type_name)
            return [*self.read["services", type_name]] if known else listed(loader, type_name)

        loaders.JSONFileLoader.load_file = load_file
        loaders.Loader.list_available_services = list_available_services

    def known(self, kind: str, name: str) -> bool:
        """Whether the server has read it; otherwise it learns that it is worth it."""
        if (kind, name) in self.read:
            return True
        if self.notes is not None:
            with contextlib.suppress(ValueError, IndexError):
                self.notes.write(f"{kind} {name}\n".encode())
        return False

    def prepare(self, notes: mmap.mmap) -> None:
        """Read what a fork had to read."""
        for line in notes[:].partition(b"\0")[0].decode().splitlines():
            kind, _space, name = line.partition(" ")
            if (kind, name) not in self.read and (content := self.readers[kind](name)):
                self.read[kind, name] = content


# The three processes


class Server:
    """Answers requests until the run has ended."""

    def __init__(self, listening: int, run: int, data: Data) -> None:
        self.data = data
        self.forks: dict[int, tuple[int, mmap.mmap]] = {}
        self.listener = socket.socket(fileno=listening)
        self.run = run
        self.waiting: set[socket.socket] = set()
        self.startup = startup_variables(os.environ)
        self.installed = installed()
        self.known: set[bytes] = set()

    def serve(self) -> Request:
        """Return in the fork that has to run a module, and nowhere else."""
        while True:
            ready = self.ready()
            if self.run in ready:
                os._exit(0)
            for connection in self.waiting & ready:
                self.waiting.remove(connection)
                request = self.answer(connection)
                if request:
                    return request
            if self.listener in ready:
                self.accept()
            for fork in self.forks.keys() & ready:
                self.reap(fork)

    def ready(self) -> set[t.Any]:
        with selectors.PollSelector() as selector:
            for process in (self.run, *self.forks):
                selector.register(process, selectors.EVENT_READ)
            for connection in (self.listener, *self.waiting):
                selector.register(connection, selectors.EVENT_READ)
            return {key.fileobj for key, _events in selector.select()}

    def accept(self) -> None:
        connection = self.listener.accept()[0]
        if peer_is_same_user(connection):
            self.waiting.add(connection)
        else:
            connection.close()

    def answer(self, connection: socket.socket) -> Request | None:
        files: list[int] = []
        with connection, contextlib.ExitStack() as stack, contextlib.suppress(ConnectionError):
            files = socket.recv_fds(connection, 16, 3)[1]
            for file in files:
                stack.callback(os.close, file)
            if len(files) != 3:
                return None
            request = unpacked(_content(files[0]))
            if installed() != self.installed:
                # The next request starts another server.
                connection.send(DECLINED)
                os._exit(0)
            if startup_variables(request.environment) != self.startup:
                connection.send(DECLINED)
                return None
            learn(request.source, self.known)
            if self.fork():
                start_module(connection, request, *files[1:])
                return request
        return None

    def fork(self) -> bool:
        """Whether this is the new process. It keeps nothing of the server open."""
        # Collections in the forks would copy all pages.
        gc.freeze()
        notes = mmap.mmap(-1, NOTES)
        process = os.fork()
        if process:
            self.forks[os.pidfd_open(process)] = (process, notes)
            return False
        self.data.notes = notes
        for file in (self.run, *self.forks):
            os.close(file)
        for connection in (self.listener, *self.waiting):
            connection.close()
        return True

    def reap(self, fork: int) -> None:
        process, notes = self.forks.pop(fork)
        os.close(fork)
        os.waitpid(process, 0)
        with notes:
            self.data.prepare(notes)


def _content(file: int) -> bytes:
    with open(file, "rb", closefd=False) as reader:
        reader.seek(0)
        return reader.read()


def start_module(client: socket.socket, request: Request, stdout: int, stderr: int) -> None:
    """Start the module once the client has agreed. Return in the module; this process waits for it and ends."""
    os.setsid()
    try:
        os.chdir(request.folder)
        client.send(READY)
        agreed = client.recv(16) == GO
    except OSError:
        # Nobody has agreed: the client runs the module as usual.
        agreed = False
    if not agreed:
        os._exit(0)
    module = os.fork()
    if not module:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        return
    os.close(stdout)
    os.close(stderr)
    supervise(client, module)


def supervise(client: socket.socket, module: int) -> t.NoReturn:
    """Relay signals to the module, and report its status."""
    for number in RELAYED:
        signal.signal(number, signal.SIG_IGN)
    status = relay(client, module)
    with contextlib.suppress(OSError):
        client.send(STATUS.pack(status))
    os._exit(0)


def relay(client: socket.socket, module: int) -> int:
    """Send the module's process group the signals that the client names; the module's status at its end."""
    ended = os.pidfd_open(module)
    with selectors.PollSelector() as selector:
        selector.register(ended, selectors.EVENT_READ)
        selector.register(client, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _events in selector.select()}
            if client in ready:
                message = b""
                with contextlib.suppress(ConnectionError):
                    message = client.recv(16)
                if message and message[0] in RELAYED:
                    os.killpg(0, message[0])
                elif not message:
                    selector.unregister(client)
            if ended in ready:
                return os.waitpid(module, 0)[1]


def namespace(request: Request) -> dict[str, t.Any]:
    """Make this process look like Python that is about to run the module; the names of its __main__."""
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv[:] = [request.path]
    sys.orig_argv[:] = [sys.executable, *([request.path] if request.path else [])]
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(request.path))
    sys.path_hooks.insert(0, payload_importer)
    main = types.ModuleType("__main__")
    vars(main)["__builtins__"] = builtins
    if request.path:
        vars(main)["__file__"] = request.path
    sys.modules["__main__"] = main
    return vars(main)


def start(listening: int, run: int) -> Request:
    """Serve until the process with the file descriptor `run` has ended."""
    if not sys.flags.safe_path:
        # Ansible's wrapper removes it too.
        sys.path.remove("")
    preload()
    data = Data()
    if "botocore.loaders" in sys.modules:
        data.install(sys.modules["botocore.loaders"])
    server = Server(listening, run, data)
    os.chdir("/")
    gc.collect()
    return server.serve()


if __name__ == "__main__":
    _request = start(*map(int, sys.argv[2:]))
    exec(  # noqa: S102  # what Ansible gives a Python process to run
        compile(_request.source, _request.path or "<stdin>", "exec", dont_inherit=True), namespace(_request)
    )
