# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection through a session, between two descriptors: what ssh reads and writes.

A session of AWS-StartSSHSession has one connection and no frames: agent/session/plugins/port/port_basic.go in
https://github.com/aws/amazon-ssm-agent.
"""

from __future__ import annotations

import os
import select

from .session_channel import WINDOW
from .session_client import Access, SessionError
from .session_forward import LONGEST_WAIT, READ, PortSession


class Stream(PortSession):
    """A session whose bytes go to a descriptor."""

    def __init__(self, access: Access, target: int, seconds: float) -> None:
        self.target = target
        self.received = 0
        super().__init__(access, seconds)

    def copy(self, source: int) -> None:
        """Copy both ways until one side ends."""
        try:
            while self._copy_once(source):
                pass
        except SessionError:
            # What a server says before it leaves explains it better.
            if not self.received:
                raise
        except BrokenPipeError:
            return

    def _copy_once(self, source: int) -> bool:
        """Pass on what is ready. False once the source has ended."""
        readers = [self.socket.sock, *([source] if self.channel.backlog < WINDOW else ())]
        wait = self.channel.wait(self._now())
        ready = select.select(readers, [], [], min(LONGEST_WAIT if wait is None else wait, LONGEST_WAIT))
        if source in ready[0]:
            data = os.read(source, READ)
            if not data:
                return False
            self._send(data)
        self._arrived()
        return True

    def _take(self, data: bytes) -> None:
        self.received += len(data)
        while data:
            data = data[os.write(self.target, data) :]
