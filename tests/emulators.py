# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Emulators of AWS, each in a Python of its own and on a free port of this machine alone."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

MINISTACK = (str(Path(__file__).with_name("serve_ministack.py")),)
MOTO = (str(Path(__file__).with_name("serve_moto.py")),)
# An engine that never answers: MiniStack then starts no containers, and its tasks count as running. With a real engine,
# tests would depend on whether someone else starts or stops it meanwhile.
NO_DOCKER = "unix:///nonexistent/docker.sock"


@contextlib.contextmanager
def running(arguments: Sequence[str], folder: Path, **variables: str) -> Iterator[str]:
    """The address of one that Python runs with these arguments, and that works in the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    own = {
        "GATEWAY_PORT": port,
        "BIND_HOST": "127.0.0.1",
        # Servers of other protocols, which would listen everywhere.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": NO_DOCKER,
        "MOTO_PORT": port,
    }
    environment = {**os.environ, **own, **variables}
    path = folder / f"{port}.log"
    with path.open("wb") as log:
        process = subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, address, path)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/v2/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The emulator does not answer:\n{log.read_text()}")
