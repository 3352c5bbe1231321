# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process a release runs in, so that a rerun on the same machine knows at once that it was killed."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
# Of the fields after the name in /proc/<pid>/stat.
_STATE, _STARTED = 0, 19
_DEAD = "ZX"


def this_process() -> str:
    """Boot, namespace, number and start of this process, which no other one shares; empty where /proc has none."""
    place = _place()
    started = _started(os.getpid())
    return f"{place}:{os.getpid()}:{started}" if place and started else ""


def is_dead(process: str) -> bool:
    """Whether `process` ran on this machine and has ended. False if that is unknown."""
    place, _colon, rest = process.rpartition(":")[0].rpartition(":")
    started = process.rpartition(":")[2]
    if not place or place != _place() or not rest.isdecimal():
        return False
    return _started(int(rest)) != started


def _place() -> str:
    """The boot of the machine and the namespace of process numbers."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process started, in ticks since the boot; empty if it has ended."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "" if fields[_STATE] in _DEAD else fields[_STARTED]
    except (OSError, IndexError):
        return ""
