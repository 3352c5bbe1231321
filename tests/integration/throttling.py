# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS on a busy day: a proxy that answers a third of all calls with ThrottlingException, for a while."""

from __future__ import annotations

import itertools
import time

from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, refusal


class Throttling(Proxy):
    """Hands calls on to `target`, but for each third until `seconds` after the first."""

    def __init__(self, target: str, seconds: float) -> None:
        super().__init__(target)
        self.refused = 0
        self._seconds = seconds
        self._numbers = itertools.count(1)
        self._end = 0.0

    def before(self, request: Request) -> Answer | None:
        with self.lock:
            number = next(self._numbers)
            if number == 1:
                self._end = time.monotonic() + self._seconds
            if number % 3 or time.monotonic() > self._end:
                return None
            self.refused += 1
        return refusal(request, "ThrottlingException", "Rate exceeded")
