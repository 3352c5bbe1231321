# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An AWS that answers every read with what is recorded, and refuses every change, which it notes.

As a server it is a proxy without a target: `with Replay() as aws:` and AWS_ENDPOINT_URL=aws.address. In this process,
`aws.serves(monkeypatch)` lets botocore call it without a socket.
"""

from __future__ import annotations

import collections
import functools
import json
import typing as t
import urllib.parse

import botocore.httpsession
from botocore.awsrequest import AWSResponse

from ansible_collections.slipway.aws.tests.proxies import base
from ansible_collections.slipway.aws.tests.recorded import answers, wire

if t.TYPE_CHECKING:
    import pytest

Json = dict[str, t.Any]
# The service in a signature, where boto3 has another name.
SIGNED = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
}
# By paths, as their protocols have no names for operations.
ROUTE53 = {"/2013-04-01/hostedzone": "ListHostedZones"}
# Query parameters that S3 has instead of names of operations.
S3 = {
    "": "ListBuckets",
    "encryption": "GetBucketEncryption",
    "lifecycle": "GetBucketLifecycleConfiguration",
    "list-type": "ListObjectsV2",
    "location": "GetBucketLocation",
    "ownershipControls": "GetBucketOwnershipControls",
    "policy": "GetBucketPolicy",
    "publicAccessBlock": "GetPublicAccessBlock",
    "tagging": "GetBucketTagging",
    "versioning": "GetBucketVersioning",
}


class Replay(base.Proxy):
    """`changes` are the operations that would have changed something, `answered` what answered each read."""

    def __init__(self) -> None:
        super().__init__("nowhere.invalid")
        self.changes: list[str] = []
        self.answered: collections.Counter[answers.Recorded] = collections.Counter()
        # Instead of what is recorded.
        self.instead: dict[answers.Recorded, Json] = {}

    def serve(self, request: base.Request) -> base.Answer:
        service = SIGNED.get(request.service, request.service)
        operation = _s3_operation(request) if service == "s3" else request.operation
        if service == "route53":
            operation = ROUTE53.get(urllib.parse.urlsplit(request.path).path, operation)
        if not operation.startswith((*base.READS, "Lookup", "Simulate")):
            with self.lock:
                self.changes.append(operation)
            return base.refusal(request, "AccessDeniedException", "Nothing can be changed here.")
        values = values_of(request)
        found = self.find(service, operation, values)
        if found is None:
            raise AssertionError(f"no answer of {service}.{operation} is recorded for {sorted(values)}")
        with self.lock:
            self.answered[found] += 1
        return self._answer(found, values)

    @staticmethod
    def find(service: str, operation: str, values: t.Collection[str]) -> answers.Recorded | None:
        entries = _by_operation().get((service, operation), ())
        return next((one for one in entries if one.needs <= set(values)), None)

    def _answer(self, one: answers.Recorded, values: set[str]) -> base.Answer:
        if one.select or one in self.instead:
            members = _selected(one, self.instead.get(one, one.answer or {}), values)
            return wire.answer(answers.model(one.service).operation_model(one.operation), members)
        return _as_recorded(one)

    def serves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def send(_session: object, prepared: t.Any) -> AWSResponse:
            headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
            where = urllib.parse.urlsplit(prepared.url)
            path = where.path + (f"?{where.query}" if where.query else "")
            body = prepared.body or b""
            body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
            answer = self.serve(base.Request(prepared.method, path, headers, body))
            return AWSResponse(prepared.url, answer.status, answer.headers, _Raw(answer.body))

        monkeypatch.setattr(botocore.httpsession.URLLib3Session, "send", send)


class _Raw:
    """A body as urllib3 hands it over."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, *_arguments: object, **_more: object) -> t.Iterator[bytes]:
        yield self.body

    def read(self, *_arguments: object) -> bytes:
        return self.body


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _selected(one: answers.Recorded, answer: Json, values: set[str]) -> Json:
    """The answer without elements that were not requested, where some were."""
    name, _dot, identity = one.select.partition(".")
    elements = answer.get(name)
    if not elements or not any(element.get(identity) in values for element in elements):
        return answer
    return {**answer, name: [element for element in elements if element.get(identity, None) in {*values, None}]}


@functools.cache
def _by_operation() -> dict[tuple[str, str], list[answers.Recorded]]:
    found: dict[tuple[str, str], list[answers.Recorded]] = {}
    for one in answers.recorded():
        found.setdefault((one.service, one.operation), []).append(one)
    return found


@functools.cache
def _as_recorded(one: answers.Recorded) -> base.Answer:
    model = answers.model(one.service).operation_model(one.operation)
    if one.error is not None:
        return wire.refusal(model, one.error["code"], one.error["message"], one.error.get("status", 400))
    return wire.answer(model, one.answer or {})


def _s3_operation(request: base.Request) -> str:
    query = urllib.parse.urlsplit(request.path).query.split("&")[0].partition("=")[0]
    return S3.get(query, "") if request.method == "GET" else f"{request.method.title()} {request.path}"


def values_of(request: base.Request) -> set[str]:
    """All values in a request, whatever its protocol."""
    if request.headers.get("x-amz-target"):
        return set(_leaves(json.loads(request.body or b"{}")))
    where = urllib.parse.urlsplit(request.path)
    return {*request.members.values(), *map(urllib.parse.unquote, where.path.strip("/").split("/"))}


def _leaves(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield str(value)
