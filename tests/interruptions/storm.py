# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst moment to die: a proxy in front of AWS that strikes right after a call has changed something, before the
caller hears of it."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.tests.proxies.base import Answer, LostError, Proxy, Request


class Storm(Proxy):
    """Hands all calls on to `target`. Armed, it strikes once, after a change."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._call = ""
        self._strike: t.Callable[[], None] | None = None

    def arm(self, call: str, strike: t.Callable[[], None]) -> None:
        """After the next change that starts with `call`, `strike` is called."""
        self._call, self._strike = call, strike

    def disarm(self) -> bool:
        """Says whether it has struck."""
        struck, self._strike = self._strike is None, None
        return struck

    def after(self, request: Request, answer: Answer) -> Answer:
        with self.lock:
            strike = self._strike
            if strike is None or request.is_read or not answer.good or not request.operation.startswith(self._call):
                return answer
            self._strike = None
            print(f"  struck after {request.operation}", flush=True)
            strike()
        raise LostError
