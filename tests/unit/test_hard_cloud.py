# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud of the unit tests that SLIPWAY_CLOUD makes as hard as AWS."""

from __future__ import annotations

import io
import typing as t

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from ansible_collections.slipway.aws.tests import hard_cloud
from ansible_collections.slipway.aws.tests.proxies import base
from ansible_collections.slipway.aws.tests.proxies.rewriting import Rewriting
from ansible_collections.slipway.aws.tests.serve_ministack import TESTS

REGION = "eu-central-1"


class Body(io.BytesIO):
    """As urllib3's response."""

    def stream(self) -> t.Iterator[bytes]:
        yield self.read()


def test_kinds_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CLOUD", "lagging, throttling,")
    assert hard_cloud.kinds() == ["lagging", "throttling"]
    monkeypatch.setenv("SLIPWAY_CLOUD", "lagging,slow")
    with pytest.raises(ValueError, match="expected one or more of rewriting, lagging, throttling, changing, got slow"):
        hard_cloud.kinds()


def test_calls_of_tests_are_distinguished_from_those_of_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hard_cloud.APPLICATION, hard_cloud.OF_TESTS)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b2f0c1d4e7a9")
    seen: list[str] = []

    def answer(request: t.Any, **_event: t.Any) -> AWSResponse:
        seen.append(request.headers["User-Agent"].decode())
        return AWSResponse(request.url, 200, {}, Body(b"{}"))

    def call() -> None:
        client = boto3.client("ecs", region_name=REGION)
        client.meta.events.register("before-send", answer)
        client.list_clusters()

    call()
    with hard_cloud.as_a_module():
        call()
    call()
    assert [TESTS in one for one in seen] == [True, False, True]


def test_lists_are_in_another_order_for_modules_only() -> None:
    subnets = [f"subnet-{number}" for number in range(9)]
    headers = {"x-amz-target": "AmazonEC2ContainerServiceV20141113.DescribeTasks"}

    def read(agent: str) -> list[str]:
        request = base.Request("POST", "/", {**headers, "user-agent": agent}, b"{}")
        return list(proxy.after(request, base.json_answer(200, {"subnets": subnets})).json()["subnets"])

    with Rewriting("127.0.0.1:1", 1, ordered=hard_cloud.OF_TESTS) as proxy:
        assert [read(f"Boto3/1 {TESTS}") for _again in range(3)] == [subnets] * 3
        assert read("Boto3/1") != read("Boto3/1")
