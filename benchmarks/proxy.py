"""A reverse proxy that counts the calls of the AWS API and how long their answers take."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

# Headers of one connection, not of the message; http.client has undone chunks.
CONNECTION_HEADERS = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass
class Traffic:
    """What passed: calls by operation, and the seconds until they were answered, added up."""

    calls: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    seconds: float = 0.0


class CountingProxy(ThreadingHTTPServer):
    """Listens on a port of its own choice."""

    daemon_threads = True

    def __init__(self, target_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target_port = target_port
        self.traffic = Traffic()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def note(self, operation: str, status: int, seconds: float) -> None:
        with self._lock:
            self.traffic.calls[operation] += 1
            self.traffic.refused += status >= 400
            self.traffic.seconds += seconds


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together: else the second would wait for the first to be acknowledged.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: CountingProxy
    upstream: http.client.HTTPConnection

    def setup(self) -> None:
        super().setup()
        self.upstream = http.client.HTTPConnection("127.0.0.1", self.server.target_port)

    def finish(self) -> None:
        super().finish()
        self.upstream.close()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        begin = time.perf_counter()
        self.upstream.request(self.command, self.path, body, dict(self.headers))
        answer = self.upstream.getresponse()
        content = answer.read()
        self.server.note(self._operation(body), answer.status, time.perf_counter() - begin)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in CONNECTION_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _operation(self, body: bytes) -> str:
        """The operation by its name in the API: ECS has it in a header, older services in the body."""
        target: str = self.headers.get("X-Amz-Target", "")
        named = target.rpartition(".")[2] or dict(parse_qsl(body.decode(errors="replace"))).get("Action")
        return named or f"{self.command} {self.path}"

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _forward  # noqa: N815  # names of the base class

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the calls are counted, not listed."""


@contextmanager
def counting(target_port: int) -> Iterator[CountingProxy]:
    """A proxy in front of that port, in a thread of this process."""
    with CountingProxy(target_port) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
