# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints which TCP ports of each address accept a connection, of all ports, as a JSON object.

It requires only Python, so that it can run in any network namespace.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections.abc import Iterable

# Below the number of files that a process may open everywhere.
BATCH = 500
PATIENCE = 1.0


def open_ports(address: str) -> list[int]:
    """The ports that accept a connection. One that does not answer, as behind a firewall, counts as closed."""
    batches = (range(first, min(first + BATCH, 65536)) for first in range(1, 65536, BATCH))
    return [port for batch in batches for port in tried(address, batch)]


def tried(address: str, ports: Iterable[int]) -> list[int]:
    """Those of a few ports that accept a connection, tried in parallel."""
    probes = {}
    waiting = select.poll()
    for port in ports:
        probe = socket.socket()
        probe.setblocking(False)
        probe.connect_ex((address, port))
        probes[probe.fileno()] = port, probe
        waiting.register(probe, select.POLLOUT)
    found = []
    deadline = time.monotonic() + PATIENCE
    while probes and time.monotonic() < deadline:
        for number, _events in waiting.poll(100):
            waiting.unregister(number)
            port, probe = probes.pop(number)
            connected = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            # On an own address, Linux may connect a socket to itself, when it has chosen that very port for it.
            if connected and probe.getsockname() != probe.getpeername():
                found.append(port)
            probe.close()
    for __, probe in probes.values():
        probe.close()
    return sorted(found)


if __name__ == "__main__":
    print(json.dumps({address: open_ports(address) for address in sys.argv[1:]}))
