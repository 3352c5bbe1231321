# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: temporary credentials and passwords of the registry expire, after as many seconds.

The emulator accepts credentials of AssumeRole for ever unless it enforces policies, and has one password for its
registry. On AWS, credentials last as long as AssumeRole was asked for, from 15 minutes on, and passwords 12 hours: too
long for a test.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
"""

from __future__ import annotations

import base64
import datetime
import json
import re
import secrets
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import wrap
from eventual_consistency import Answer, Handler, operation_of

ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)/")
MESSAGE = "The security token included in the request is expired"
# Public record: reports of the AWS CLI and of Terraform, for each of them.
ERRORS = {
    "json": (400, "ExpiredTokenException", MESSAGE),
    "query": (403, "ExpiredToken", MESSAGE),
    "ec2": (400, "RequestExpired", "Request has expired."),
}
# Public record: AWS re:Post and issues of Docker's and Amazon's credential helpers.
DENIED = (
    b'{"errors": [{"code": "DENIED", "message": '
    b'"Your authorization token has expired. Reauthenticate and try again."}]}'
)


class Expiries:
    """When access keys and passwords expire."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.time) -> None:
        self.seconds, self._now = seconds, now
        self._ends: dict[str, float] = {}

    def issue(self, name: str) -> float:
        """From now on, a name is valid for as many seconds. Returns when it expires."""
        self._ends[name] = self._now() + self.seconds
        return self._ends[name]

    def is_expired(self, name: str) -> bool:
        return self._ends.get(name, float("inf")) <= self._now()


def refusal(service: str, headers: dict[str, str]) -> Answer:
    """The answer to a request with expired credentials, in the words of its API."""
    if "x-amz-target" in headers:
        status, code, message = ERRORS["json"]
        return (
            status,
            {"Content-Type": "application/x-amz-json-1.1"},
            json.dumps({"__type": code, "message": message}).encode(),
        )
    status, code, message = ERRORS["ec2" if service == "ec2" else "query"]
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    text = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    if service == "ec2":
        text = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
    return status, {"Content-Type": "text/xml"}, text.encode()


def issued(answer: Answer, expiries: Expiries) -> Answer:
    """An answer of STS whose credentials expire."""
    status, headers, body = answer
    text = body.decode()
    for key in re.findall(r"<AccessKeyId>(.*?)</AccessKeyId>", text):
        end = datetime.datetime.fromtimestamp(expiries.issue(key), datetime.UTC)
        text = re.sub(r"<Expiration>.*?</Expiration>", f"<Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration>", text)
    return status, headers, text.encode()


def password(answer: Answer, expiries: Expiries) -> Answer:
    """An answer of GetAuthorizationToken with a password of its own."""
    status, headers, body = answer
    members = json.loads(body)
    for one in members.get("authorizationData") or ():
        one["authorizationToken"] = base64.b64encode(f"AWS:{secrets.token_hex(32)}".encode()).decode()
        one["expiresAt"] = int(expiries.issue(one["authorizationToken"]))
    return status, headers, json.dumps(members).encode()


def checked(handler: Handler, service: str, expiries: Expiries) -> Handler:
    """A handler that refuses expired credentials, and keeps in mind when those that it hands out expire."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        key = ACCESS_KEY.search(headers.get("authorization", ""))
        if key and expiries.is_expired(key[1]):
            return refusal(service, headers)
        answer = await handler(method, path, headers, body, query)
        operation = operation_of(headers, body) if service in ("sts", "ecr") else ""
        if operation == "GetAuthorizationToken":
            return password(answer, expiries)
        return issued(answer, expiries) if operation.startswith("AssumeRole") else answer

    return handle


def expiring_credentials(app: ModuleType, seconds: float) -> None:
    """Let what STS and ECR hand out expire after as many seconds; with 0, nothing is patched."""
    if seconds <= 0:
        return
    expiries = Expiries(seconds)
    for service, handler in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = checked(handler, service, expiries)

    @wrap(app, "_handle_ecr_registry_request")
    async def registry(
        original: Callable[..., Any], method: str, path: str, headers: dict[str, str], *rest: Any
    ) -> Any:
        token = headers.get("authorization", "").removeprefix("Basic ")
        if token and app._is_ecr_registry_path(path) and expiries.is_expired(token):
            return 403, {"Content-Type": "application/json"}, DENIED
        return await original(method, path, headers, *rest)
