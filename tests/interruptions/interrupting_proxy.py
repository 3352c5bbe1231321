# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy in front of AWS that interrupts the caller right after a change, before it has the answer."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.tests.proxies.base import Answer, LostError, Proxy, Request


class InterruptingProxy(Proxy):
    """Passes all calls on to `target`. Armed, it interrupts once, after a change."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._call = ""
        self._interrupt: t.Callable[[], None] | None = None

    def arm(self, call: str, interrupt: t.Callable[[], None]) -> None:
        """Call `interrupt` after the next change that starts with `call`."""
        self._call, self._interrupt = call, interrupt

    def disarm(self) -> bool:
        """Whether it has interrupted."""
        interrupted, self._interrupt = self._interrupt is None, None
        return interrupted

    def after(self, request: Request, answer: Answer) -> Answer:
        with self.lock:
            interrupt = self._interrupt
            if interrupt is None or request.is_read or not answer.good or not request.operation.startswith(self._call):
                return answer
            self._interrupt = None
            print(f"  interrupted after {request.operation}", flush=True)
            interrupt()
        raise LostError
