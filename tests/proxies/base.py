# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy in front of AWS that hands calls on, with hooks for what a test wants to happen to a call or its answer.

Subclass `Proxy`, or give it `before` and `after`; point AWS_ENDPOINT_URL at its `address` while its `with` block runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import http.server
import json
import re
import threading
import typing as t
import urllib.parse
from collections import Counter

import botocore.session

Json = dict[str, t.Any]
Headers = dict[str, str]

# What the names of calls begin with that change nothing.
READS = ("BatchCheck", "BatchGet", "Describe", "Filter", "Get", "Head", "List", "Search")
# What concerns one connection alone, and there are two; http.client has undone chunks.
OWN = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}
# The region and the service in the scope of a signature.
SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
# Services whose calls are known by method and path alone, and whose bodies are JSON.
REST = {"elasticfilesystem": "efs", "lambda": "lambda", "scheduler": "scheduler"}
TIMEOUT = 120.0


@functools.cache
def _routes(service: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Method, path and name of each operation of a service in `REST`."""
    model = botocore.session.get_session().get_service_model(REST[service])
    calls = [(name, model.operation_model(name).http) for name in model.operation_names]
    paths = {name: re.sub(r"\\{\w+\\}", "[^/]+", re.escape(call["requestUri"])) for name, call in calls}
    return tuple((call["method"], re.compile(paths[name]), name) for name, call in calls)


class LostError(Exception):
    """Raised by a hook: the connection ends without an answer."""


@dataclasses.dataclass(frozen=True)
class Request:
    """A call, whatever the protocol of its service."""

    method: str
    path: str
    headers: Headers
    body: bytes

    @property
    def service(self) -> str:
        """As signatures name it: ecs, ecr, elasticloadbalancing, autoscaling; "" where nothing is signed."""
        return self._scope[1]

    @property
    def region(self) -> str:
        """As signatures name it; "" where nothing is signed."""
        return self._scope[0]

    @functools.cached_property
    def _scope(self) -> tuple[str, str]:
        signed = SIGNED_FOR.search(self.headers.get("authorization", ""))
        return (signed[1], signed[2]) if signed else ("", "")

    @functools.cached_property
    def operation(self) -> str:
        """As the API names it, such as CreateService; method and path where the protocol has no name for it."""
        if self.service in REST:
            path = urllib.parse.urlsplit(self.path).path
            return next(
                name for method, one, name in _routes(self.service) if self.method == method and one.fullmatch(path)
            )
        target = self.headers.get("x-amz-target", "")
        return target.rpartition(".")[2] or self._form.get("Action", [""])[0] or f"{self.method.title()} {self.path}"

    @property
    def is_read(self) -> bool:
        return self.operation.startswith(READS)

    @functools.cached_property
    def members(self) -> Json:
        """The request's parameters: those of JSON as they are, those of a form as texts."""
        if self.headers.get("x-amz-target"):
            return dict(json.loads(self.body or b"{}"))
        if self.service in REST and self.body:
            return dict(json.loads(self.body))
        return {name: values[0] for name, values in self._form.items()}

    @functools.cached_property
    def _form(self) -> dict[str, list[str]]:
        # Bodies that are no form, such as files for S3, hold no Action.
        text = self.body.decode(errors="replace") if len(self.body) < 1_000_000 else ""
        return urllib.parse.parse_qs(text) or urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def good(self) -> bool:
        return self.status < 400

    def json(self) -> Json:
        return dict(json.loads(self.body or b"{}"))

    def with_json(self, members: t.Mapping[str, t.Any]) -> Answer:
        return dataclasses.replace(self, body=json.dumps(members).encode())


def json_answer(status: int, members: t.Mapping[str, t.Any]) -> Answer:
    return Answer(status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(members).encode())


def json_error(code: str, message: str, status: int = 400) -> Answer:
    """A refusal, as ECS, ECR and others with a JSON protocol word it."""
    return json_answer(status, {"__type": code, "message": message})


def rest_error(code: str, message: str, status: int = 400) -> Answer:
    """A refusal, as EventBridge Scheduler words it."""
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return Answer(status, headers, json.dumps({"Message": message}).encode())


def query_error(code: str, message: str, status: int = 400) -> Answer:
    """A refusal, as Elastic Load Balancing, IAM and Auto Scaling word it."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return Answer(status, {"Content-Type": "text/xml"}, body.encode())


def ec2_error(code: str, message: str, status: int = 400) -> Answer:
    error = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
    return Answer(
        status, {"Content-Type": "text/xml"}, f"<Response>{error}<RequestID>0</RequestID></Response>".encode()
    )


def refusal(request: Request, code: str, message: str, status: int = 400) -> Answer:
    """A refusal in the protocol of the request."""
    if request.headers.get("x-amz-target"):
        return json_error(code, message, status)
    if request.service in REST:
        return rest_error(code, message, status)
    return (ec2_error if request.service == "ec2" else query_error)(code, message, status)


Before = t.Callable[[Request], Answer | None]
After = t.Callable[[Request, Answer], Answer]


class Proxy(http.server.ThreadingHTTPServer):
    """Hands calls on to `target`, an address or a host and port, and counts them by operation."""

    daemon_threads = True
    # Calls of a release come side by side.
    request_queue_size = 64

    def __init__(self, target: str, before: Before | None = None, after: After | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urllib.parse.urlsplit(target).netloc or target
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()
        self._before, self._after = before, after

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def before(self, request: Request) -> Answer | None:
        """Called before a call is handed on; an answer is given instead of AWS's. May raise LostError."""
        return self._before(request) if self._before else None

    def after(self, request: Request, answer: Answer) -> Answer:
        """Called with AWS's answer; what it returns is given. May raise LostError."""
        return self._after(request, answer) if self._after else answer

    def serve(self, request: Request) -> Answer:
        with self.lock:
            self.calls[request.operation] += 1
        return self.before(request) or self.after(request, self.forward(request))

    def forward(self, request: Request) -> Answer:
        upstream = http.client.HTTPConnection(self.target, timeout=TIMEOUT)
        with contextlib.closing(upstream):
            upstream.request(request.method, request.path, request.body, request.headers)
            response = upstream.getresponse()
            headers = {name: text for name, text in response.getheaders() if name.lower() not in OWN}
            return Answer(response.status, headers, response.read())

    def __enter__(self) -> t.Self:
        # Looks often whether to end: tests start and end many.
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A client that is killed leaves its connection: nothing to report."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT
    # Head and body of an answer leave together: else the second would wait for the first to be acknowledged.
    wbufsize = -1
    disable_nagle_algorithm = True

    def hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): text for name, text in self.headers.items()}
        try:
            answer = self.server.serve(Request(self.command, self.path, headers, body))
        except LostError:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = hand_on  # noqa: N815 # as http.server calls them

    def log_message(self, *_arguments: t.Any) -> None:
        """The test's output is not the place for each call."""
