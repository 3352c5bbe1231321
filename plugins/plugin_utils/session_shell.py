# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands and their bytes through a terminal: ECS Exec has nothing else. Pure.

A terminal changes bytes, mixes standard output with standard error, and knows no exit status. So a small shell script
in the container runs the commands: it switches the terminal to raw mode without echo, reads each command in base64,
and writes both outputs in base64, standard error in angle brackets, then the exit status in braces. It needs a POSIX
shell and base64, head, sed and stty, which Debian, Alpine and BusyBox have.
"""

from __future__ import annotations

import base64
import re
import shlex
import typing as t
from dataclasses import dataclass, field

TOOLS = ("stty", "base64", "sed", "head")
# Interrupts what runs in the terminal: base64 has no such byte.
INTERRUPT = b"\x03"
# What the script prints when it is about to read the input of a command.
READS = "reads"
# The command that ends the script.
EXIT = base64.b64encode(b"exit") + b"\n"
# As long as a line of the base64 of MIME, and the bytes that it holds.
LINE = 76
BYTES = 57
# Bytes that are encoded at a time: whole lines.
CHUNK = BYTES * 1024

# The agent splits it into words as a shell does; with single quotes around, it may contain none.
START = (
    "for t in {tools}; do"
    ' command -v $t >/dev/null || {{ echo "{{{token}:missing:$t}}"; exit 127; }};'
    " done;"
    ' stty raw -echo isig || {{ echo "{{{token}:missing:terminal}}"; exit 126; }};'
    ' echo "{{{token}:ready}}";'
    ' while IFS= read -r s; do eval "$(echo "$s" | base64 -d)"; done'
)


class MissingTool(Exception):
    """What a session needs, and the container does not have."""


def start(token: str) -> str:
    """The command of a session."""
    return f"/bin/sh -c '{START.format(token=token, tools=' '.join(TOOLS))}'"


def run(token: str, command: str, size: int | None) -> bytes:
    """What makes the script run a command, with as many bytes of input in base64, or none.

    The input has to wait until the script READS it: bash takes more than a line from a terminal, and drops the rest.
    File descriptors: 9 is the terminal, 8 the exit status, 7 the standard output. What the command leaves of its input
    is read, so that the next command begins where it should.
    """
    given = f"head -c {encoded_size(size)} | base64 -d" if size else ":"
    ready = f'echo "{{{token}:{READS}}}"\n' if size else ""
    words = f"/bin/sh -c {shlex.quote(command)}"
    apart = f"( exec 8>&- 9>&-; exec 2>&1 1>&7 7>&-; {words} ); echo $? >&8; cat >/dev/null"
    both = f"{{ {given} | {{ {apart}; }} | base64 | sed 's/.*/<&>/' >&9; }} 7>&1 | base64 >&9"
    script = f'exec 9>&1 2>/dev/null\n{ready}s=$({{ {both}; }} 8>&1)\necho "{{{token}:$s}}"\n'
    return base64.b64encode(script.encode()) + b"\n"


def encoded_size(size: int) -> int:
    """How long the base64 of as many bytes is, with its line ends."""
    lines, rest = divmod(size, BYTES)
    return lines * (LINE + 1) + ((rest + 2) // 3 * 4 + 1 if rest else 0)


def encoded(chunk: bytes) -> bytes:
    """The base64 of a chunk; all but the last have a multiple of CHUNK bytes."""
    return base64.encodebytes(chunk)


@dataclass
class Output:
    """Takes what a terminal writes, and finds both outputs and the exit status of a command in it."""

    token: str
    stdout: t.Callable[[bytes], None]
    stderr: t.Callable[[bytes], None]
    status: str | None = None
    _rest: bytes = b""
    _digits: dict[bool, bytes] = field(default_factory=lambda: {False: b"", True: b""})

    def feed(self, data: bytes) -> None:
        """Take more bytes. `status` has a value after the last ones."""
        self._rest += data
        end = self._rest.find(b"{" + self.token.encode() + b":")
        if end >= 0 and b"}" in self._rest[end:]:
            self._split(self._rest[:end])
            self.status = self._rest[end:].partition(b"}")[0].partition(b":")[2].decode()
            self._rest = b""
            self._decode(is_error=False, is_end=True)
            self._decode(is_error=True, is_end=True)
            return
        # A bracket or brace that is still open may go on in the next bytes.
        opened = [at for at in (end, self._rest.rfind(b"{"), self._open()) if at >= 0]
        cut = min(opened, default=len(self._rest))
        self._split(self._rest[:cut])
        self._rest = self._rest[cut:]

    def _open(self) -> int:
        last = self._rest.rfind(b"<")
        return last if b">" not in self._rest[last:] else -1

    def _split(self, data: bytes) -> None:
        for number, part in enumerate(re.split(rb"<([^<>]*)>", data)):
            is_error = number % 2 == 1
            self._digits[is_error] += re.sub(rb"[^A-Za-z0-9+/=]", b"", part)
            self._decode(is_error, is_end=False)

    def _decode(self, is_error: bool, is_end: bool) -> None:
        """Decode whole groups of four digits."""
        digits = self._digits[is_error]
        whole = len(digits) if is_end else len(digits) // 4 * 4
        self._digits[is_error] = digits[whole:]
        if whole:
            (self.stderr if is_error else self.stdout)(base64.b64decode(digits[:whole]))


class Greeting:
    """Takes what a terminal writes before the first command, until the script says that it is ready."""

    def __init__(self, token: str) -> None:
        self.marker = re.compile(rb"\{" + token.encode() + rb":(ready|missing:([a-z0-9]+))\}")
        self.seen = b""

    def feed(self, data: bytes) -> bool:
        self.seen += data
        found = self.marker.search(self.seen)
        if found and found[2]:
            raise MissingTool(found[2].decode())
        return found is not None
