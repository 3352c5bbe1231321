# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst moment to die: a proxy in front of AWS that strikes right after a call has changed something, before the
caller hears of it."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
import typing as t
import urllib.parse

# What calls begin with that change nothing.
READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck", "Filter", "Search")
# What concerns one connection alone, and there are two.
OWN = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}
TIMEOUT = 120.0


class Storm(http.server.ThreadingHTTPServer):
    """Hands all calls on to `target`, a host and port. Armed, it strikes once, after a change."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self._call = ""
        self._strike: t.Callable[[], None] | None = None
        self._deciding = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def arm(self, call: str, strike: t.Callable[[], None]) -> None:
        """After the next change that starts with `call`, `strike` is called."""
        self._call, self._strike = call, strike

    def disarm(self) -> bool:
        """Says whether it has struck."""
        struck, self._strike = self._strike is None, None
        return struck

    def changed(self, call: str) -> bool:
        """Something has changed. Says whether the caller is dead now."""
        with self._deciding:
            strike = self._strike
            if strike is None or not call.startswith(self._call):
                return False
            self._strike = None
            print(f"  struck after {call}", flush=True)
            strike()
            return True


class Handler(http.server.BaseHTTPRequestHandler):
    server: Storm
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = http.client.HTTPConnection(self.server.target, timeout=TIMEOUT)
        with contextlib.closing(upstream):
            upstream.request(self.command, self.path, body, dict(self.headers))
            response = upstream.getresponse()
            headers = {name: text for name, text in response.getheaders() if name.lower() not in OWN}
            answer = response.read()
        call = self._call(body)
        if response.status < 400 and not call.startswith(READS) and self.server.changed(call):
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = hand_on  # noqa: N815 # as http.server calls them

    def _call(self, body: bytes) -> str:
        """The name of the call, in whichever way the service's protocol carries it."""
        if target := self.headers.get("X-Amz-Target"):
            return str(target).rpartition(".")[2]
        if self.command in {"GET", "HEAD"}:
            return "Get"
        action = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action")
        return action[0] if action else f"{self.command} {self.path}"

    def log_message(self, *_arguments: t.Any) -> None:
        """The test's output is not the place for each call."""


@contextlib.contextmanager
def storm(target: str) -> t.Iterator[Storm]:
    """A proxy that serves while the block runs."""
    with Storm(target) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
