# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS on its worst days: throttles, loses answers, shows what was true seconds ago, answers what nobody can read,
denies an operation, and lets credentials expire half-way. What happens follows from the seed and from the calls."""

from __future__ import annotations

import random
import time
import typing as t
from collections import Counter, defaultdict

from .base import Answer, LostError, Proxy, Request, refusal

KINDS = ("throttled", "lost", "stale", "unreadable", "denied", "expired")
UNREADABLE = (
    Answer(200, {"Content-Type": "text/html"}, b"<html><body>Sign in to the network</body></html>"),
    Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, b'{"services": [{"status": "ACT'),
    Answer(200, {}, b""),
)
# So that retries come to an end: faults of an operation in a row, and their share among its calls.
IN_A_ROW = 3
SHARE = 0.5


class Misbehaving(Proxy):
    """Does what `kind` says. `denied` is one of `operations`, `expired` begins at one of as many calls."""

    def __init__(
        self, target: str, kind: str, seed: int, operations: t.Sequence[str] = (), stale_seconds: float = 0.5
    ) -> None:
        super().__init__(target)
        self.kind, self.stale_seconds = kind, stale_seconds
        self.faults: Counter[str] = Counter()
        # Its own sequence for each kind and seed, the same in each process.
        self._random = random.Random(f"{kind} {seed}")
        self._denied = self._random.choice(sorted(set(operations)) or [""])
        self._expires = self._random.randint(1, max(len(operations), 1))
        self._row: Counter[str] = Counter()
        self._past: dict[tuple[str, str, bytes], Answer] = {}
        self._changed: dict[str, float] = defaultdict(lambda: -1e9)

    def before(self, request: Request) -> Answer | None:
        if self.kind == "throttled" and self._strikes(request):
            return refusal(request, "ThrottlingException", "Rate exceeded")
        if self.kind == "denied" and request.operation == self._denied:
            return self._fault(refusal(request, "AccessDeniedException", f"not authorized to perform {self._denied}"))
        if self.kind == "expired" and sum(self.calls.values()) >= self._expires:
            return self._fault(refusal(request, "ExpiredTokenException", "The security token has expired"))
        return self._from_the_past(request) if self.kind == "stale" and request.is_read else None

    def after(self, request: Request, answer: Answer) -> Answer:
        if request.is_read:
            self._past[request.operation, request.path, request.body] = answer
        else:
            self._changed[request.service] = time.monotonic()
        if self.kind == "lost" and answer.good and self._strikes(request):
            raise LostError
        if self.kind == "unreadable" and answer.good and self._strikes(request):
            return self._random.choice(UNREADABLE)
        return answer

    def _strikes(self, request: Request) -> bool:
        """Whether the fault happens to this call."""
        with self.lock:
            struck = self._row[request.operation] < IN_A_ROW and self._random.random() < SHARE
            self._row[request.operation] = self._row[request.operation] + 1 if struck else 0
            self.faults[self.kind] += struck
            return struck

    def _from_the_past(self, request: Request) -> Answer | None:
        """What the same read answered last, before a change that is not visible yet."""
        answer = self._past.get((request.operation, request.path, request.body))
        if answer is None or time.monotonic() - self._changed[request.service] > self.stale_seconds:
            return None
        return self._fault(answer)

    def _fault(self, answer: Answer) -> Answer:
        with self.lock:
            self.faults[self.kind] += 1
        return answer
