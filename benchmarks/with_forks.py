# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command, and ends when the fork servers that it started have ended: then their CPU time counts too.

The kernel adds the time of a process to that of the parent which waits for it. The connection plugin forkserver leaves
its server to init, or on Linux to the nearest process that asks for orphans.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path

FORKSERVER = b"slipway.aws.forkserver"
PR_SET_CHILD_SUBREAPER = 36


def servers() -> list[int]:
    """Children of this process that are fork servers, or modules of one."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(child) for child in children if FORKSERVER in _arguments(child)]


def _arguments(process: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def main(command: list[str]) -> int:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    code = subprocess.run(command, check=False).returncode
    while found := servers():
        os.waitpid(found[0], 0)
    # Those that have ended meanwhile; whatever else still runs is meant to.
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
