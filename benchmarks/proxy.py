"""A reverse proxy that counts the calls of the AWS API and how long their answers take."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from tests.proxies.base import Answer, Proxy, Request


@dataclass
class Traffic:
    """What passed: calls by operation, and the seconds until they were answered, added up."""

    calls: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    seconds: float = 0.0


class CountingProxy(Proxy):
    """Listens on a port of its own choice, in a thread of this process."""

    def __init__(self, target_port: int) -> None:
        super().__init__(f"127.0.0.1:{target_port}")
        self.traffic = Traffic(self.calls)

    def serve(self, request: Request) -> Answer:
        begin = time.perf_counter()
        answer = super().serve(request)
        with self.lock:
            self.traffic.refused += not answer.good
            self.traffic.seconds += time.perf_counter() - begin
        return answer
