# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS on a busy day: a proxy that answers a third of all calls with ThrottlingException, for a while."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import threading
import time
import typing as t

# As ECS words it.
REFUSAL = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
JSON = "application/x-amz-json-1.1"
# What concerns one connection alone, and there are two.
OWN = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}
TIMEOUT = 30.0


class Proxy(http.server.ThreadingHTTPServer):
    """Hands calls on to `target`, but for each third until `seconds` after the first."""

    daemon_threads = True
    # Calls of a release come side by side.
    request_queue_size = 64

    def __init__(self, target: str, seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.seconds = seconds
        self.refused = 0
        self._numbers = itertools.count(1)
        self._end = 0.0
        self._deciding = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def over(self) -> bool:
        return time.monotonic() > self._end

    def refuses(self) -> bool:
        """Whether to refuse the call that has come now."""
        with self._deciding:
            number = next(self._numbers)
            if number == 1:
                self._end = time.monotonic() + self.seconds
            refused = number % 3 == 0 and not self.over
            self.refused += refused
            return refused


class Handler(http.server.BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.refuses():
            self._answer(400, {"Content-Type": JSON}, REFUSAL)
            return
        upstream = http.client.HTTPConnection(self.server.target, timeout=TIMEOUT)
        with contextlib.closing(upstream):
            upstream.request("POST", self.path, body, dict(self.headers))
            response = upstream.getresponse()
            headers = {name: text for name, text in response.getheaders() if name.lower() not in OWN}
            self._answer(response.status, headers, response.read())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: t.Any) -> None:
        """The test's output is not the place for each call."""


@contextlib.contextmanager
def throttling(target: str, seconds: float) -> t.Iterator[Proxy]:
    """A proxy in front of `target`, a host and port, that serves while the block runs."""
    with Proxy(target, seconds) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
