# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules in forks of one process for each run of Ansible, which the first task starts."""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import re
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.slipway.aws.plugins.plugin_utils import forkserver_process as process

SUPPORTED = sys.platform == "linux" and hasattr(os, "pidfd_open") and hasattr(os, "memfd_create")
SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh"})
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=", re.ASCII)
# ansible-core appends it up to 2.20.
SHELL_WAITS = " && sleep 0"
SOCKET, LOG, FAILED = "forkserver", "forkserver.log", "forkserver.failed"
# The status of a module whose end nobody has reported.
UNKNOWN = -1
WRAPPER = b"_ansiballz_main("


class CannotStart(Exception):
    """Nobody answers; the message has the reason."""


class Command(t.NamedTuple):
    """A command line that only runs Python, with variables."""

    variables: dict[str, str]
    path: str
    """The file that Python runs; empty for its standard input."""


def parsed(command: str, interpreter: str) -> Command | None:
    """A module's command line as ansible-core writes it; none if it is anything else."""
    shell, _option, quoted = command.partition(" -c ")
    script = _words(quoted)
    if os.path.basename(shell) not in SHELLS or len(script) != 1:
        return None
    line = script[0].removesuffix(SHELL_WAITS)
    words = _words(line)
    variables = {}
    while words and ASSIGNMENT.match(words[0]):
        name, _sign, value = words.pop(0).partition("=")
        variables[name] = value
    assignments = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    # A shell may understand the line differently if it is not exactly what ansible-core writes.
    if quoted != shlex.quote(script[0]) or line != " ".join([*assignments, shlex.join(words)]):
        return None
    if words[:1] != [interpreter] or len(words) > 2:
        return None
    return Command(variables, words[1] if len(words) == 2 else "")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def request(command: str, in_data: bytes | None, folder: str) -> process.Request | None:
    """What to ask for; none if the command is not a Python module of Ansible."""
    # A worker that keeps its session may have a terminal, which a fork of another session has not.
    if not SUPPORTED or os.getsid(0) != os.getpid() or not (found := parsed(command, sys.executable)):
        return None
    if bool(found.path) == bool(in_data):
        return None
    if found.path and not os.path.basename(found.path).startswith("AnsiballZ_"):
        return None
    try:
        source = in_data or Path(found.path).read_bytes()
        # A shell keeps PWD.
        environment = {**os.environ, "PWD": _logical(folder), **found.variables}
    except OSError:
        return None
    return process.Request(found.path, source, folder, environment) if WRAPPER in source else None


def _logical(folder: str) -> str:
    """A folder as a shell names it that starts there."""
    known = os.environ.get("PWD", "")
    same = os.path.isabs(known) and os.path.isdir(known) and os.path.samefile(known, folder)
    return known if same else os.path.realpath(folder)


# The server


def begin(directory: str, folder: str) -> None:
    """Start the server if no task has: it imports libraries while tasks that run no module pass."""
    if not SUPPORTED or os.getsid(0) != os.getpid() or os.path.exists(os.path.join(directory, SOCKET)):
        return
    # The first module fails for the same reason, and says so.
    with contextlib.suppress(OSError, CannotStart), connect(directory, folder):
        pass


def run(wanted: process.Request, directory: str) -> tuple[int, bytes, bytes] | None:
    """The module's wait status, stdout and stderr; none if the server declines."""
    with contextlib.ExitStack() as stack:
        try:
            server, outputs = _accepted(wanted, directory, stack)
        except (OSError, ValueError) as error:
            raise CannotStart(str(error)) from error
        # From here on the module has run, whatever happens.
        return collected(server, outputs) if server else None


def _accepted(
    wanted: process.Request, directory: str, stack: contextlib.ExitStack
) -> tuple[socket.socket | None, list[int]]:
    """A connection to the module's process, which starts, and the module's outputs; no connection if it is declined."""
    content = _temporary(process.packed(wanted))
    stack.callback(os.close, content)
    # A server that has noticed an upgrade ends; then the second request starts another.
    for _attempt in range(2):
        server = stack.enter_context(connect(directory, wanted.folder))
        readings, writings = zip(os.pipe(), os.pipe(), strict=True)
        for reading in readings:
            stack.callback(os.close, reading)
        stack.enter_context(relayed_signals(server))
        answer = _answer(server, [content, *writings])
        if answer == process.READY:
            server.send(process.GO)
            return server, [*readings]
        if answer:
            return None, []
    raise CannotStart(_reason(directory))


def _answer(server: socket.socket, files: list[int]) -> bytes:
    try:
        socket.send_fds(server, [b"run"], files)
        return server.recv(16)
    except ConnectionError:
        return b""
    finally:
        for file in files[1:]:
            os.close(file)


def _temporary(content: bytes) -> int:
    """A file without a name: what a module is given may be secret."""
    file = os.memfd_create("request")
    with open(file, "wb", closefd=False) as writer:
        writer.write(content)
    return file


def collected(server: socket.socket, outputs: list[int]) -> tuple[int, bytes, bytes]:
    """Read until the module has ended, and each process to which it left its output."""
    texts = {output: bytearray() for output in outputs}
    status = UNKNOWN
    with selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ)
        for output in outputs:
            selector.register(output, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                if key.fileobj is server:
                    with contextlib.suppress(ConnectionError):
                        message = server.recv(16)
                        status = process.STATUS.unpack(message)[0] if message else UNKNOWN
                    selector.unregister(server)
                elif chunk := os.read(key.fd, 65536):
                    texts[key.fd] += chunk
                else:
                    selector.unregister(key.fd)
    return status, bytes(texts[outputs[0]]), bytes(texts[outputs[1]])


@contextlib.contextmanager
def relayed_signals(server: socket.socket) -> t.Iterator[None]:
    """The module gets the signals that this worker's process group would get from the worker."""
    handlers = {number: signal.getsignal(number) for number in process.RELAYED}

    def handle(number: int, _frame: object) -> None:
        with contextlib.suppress(OSError):
            server.send(bytes([number]))
        signal.signal(number, handlers[signal.Signals(number)])
        signal.raise_signal(number)

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def connect(directory: str, folder: str) -> t.Iterator[socket.socket]:
    """A connection to this run's server. The first caller starts it."""
    with contextlib.ExitStack() as stack:
        opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, opened)
        state = os.fstat(opened)
        if state.st_uid != os.geteuid() or state.st_mode & 0o077:
            raise CannotStart(f"{directory}: expected a directory that only its owner can read")
        connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        # The path of a socket must be short.
        address = f"/proc/self/fd/{opened}/{SOCKET}"
        if not _answers(connection, address):
            with open(os.path.join(directory, "forkserver.lock"), "w", opener=_private) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _answers(connection, address):
                    start(address, os.path.join(directory, LOG), folder)
                    connection.connect(address)
        if not process.peer_is_same_user(connection):
            raise CannotStart(f"{directory}: another user's server answers")
        yield connection


def _answers(connection: socket.socket, address: str) -> bool:
    try:
        connection.connect(address)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def start(address: str, log: str, folder: str) -> None:
    """Start the server in a session of its own. It ends when the process whose worker this is has ended."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        raise CannotStart("this is not an Ansible worker")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(address)
        listener.bind(address)
        listener.listen(128)
        run_ends = os.pidfd_open(parent.pid)
        stack.callback(os.close, run_ends)
        # Otherwise the number may already be that of another process.
        if os.getppid() != parent.pid:
            raise CannotStart("the run has ended")
        errors = stack.enter_context(open(log, "wb", opener=_private))
        server = subprocess.Popen(
            [sys.executable, "-", "slipway.aws.forkserver", str(listener.fileno()), str(run_ends)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=(listener.fileno(), run_ends),
            cwd=folder,
            start_new_session=True,
        )
        with contextlib.suppress(OSError), contextlib.closing(t.cast("t.IO[bytes]", server.stdin)) as source:
            source.write(Path(process.__file__).read_bytes())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reason(directory: str) -> str:
    """The last line that the server printed."""
    with contextlib.suppress(OSError):
        lines = Path(directory, LOG).read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it ended")
    return "it ended"


def killed(command: str, number: int) -> str:
    """The command line with a process that a signal ends: only the shell knows what it makes of that."""
    shell, _option, quoted = command.partition(" -c ")
    waits = SHELL_WAITS if _words(quoted)[0].endswith(SHELL_WAITS) else ""
    dies = shlex.join(["/bin/sh", "-c", f"ulimit -c 0; kill -{number} $$"])
    return f"{shell} -c {shlex.quote(dies + waits)}"


def first_failure(directory: str) -> bool:
    """Whether no worker of this run has reported a failure before."""
    try:
        os.close(os.open(os.path.join(directory, FAILED), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True


def failed(directory: str) -> bool:
    return os.path.exists(os.path.join(directory, FAILED))
