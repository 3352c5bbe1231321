# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxies that tests put in front of AWS know what passes and do what they are asked."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from ansible_collections.slipway.aws.tests.proxies.base import Answer, LostError, Proxy, Request, refusal

pytestmark = [
    pytest.mark.parametrize("emulator", ["ministack"], indirect=True),
    pytest.mark.own_cloud("runs no module"),
]
ONCE = Config(retries={"max_attempts": 0})


def client(service: str, proxy: Proxy) -> t.Any:
    return boto3.client(service, endpoint_url=proxy.address, config=ONCE)


def test_calls_have_names_in_every_protocol(aws: None, ministack: str) -> None:
    seen: list[tuple[str, str, bool]] = []

    def before(request: Request) -> None:
        seen.append((request.service, request.operation, request.is_read))

    with Proxy(ministack, before) as proxy:
        client("ecs", proxy).create_cluster(clusterName="shop")
        client("elbv2", proxy).describe_load_balancers()
        client("ec2", proxy).describe_vpcs()
        client("s3", proxy).create_bucket(
            Bucket="slipway-shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    assert seen == [
        ("ecs", "CreateCluster", False),
        ("elasticloadbalancing", "DescribeLoadBalancers", True),
        ("ec2", "DescribeVpcs", True),
        ("s3", "Put /slipway-shop", False),
    ]
    assert proxy.calls["CreateCluster"] == 1


@pytest.mark.parametrize(
    ("service", "call"), [("ecs", "list_clusters"), ("iam", "list_roles"), ("ec2", "describe_vpcs")]
)
def test_a_refusal_is_understood(aws: None, ministack: str, service: str, call: str) -> None:
    with (
        Proxy(ministack, lambda request: refusal(request, "AccessDenied", "No.")) as proxy,
        pytest.raises(ClientError, match=r"\(AccessDenied\).*: No\."),
    ):
        getattr(client(service, proxy), call)()


def test_answers_are_replaced_or_lost(aws: None, ministack: str) -> None:
    def after(request: Request, answer: Answer) -> Answer:
        if request.operation == "CreateCluster":
            raise LostError
        return answer.with_json({**answer.json(), "clusterArns": ["other"]})

    with Proxy(ministack, after=after) as proxy:
        ecs = client("ecs", proxy)
        with pytest.raises(ConnectionClosedError):
            ecs.create_cluster(clusterName="shop")
        assert ecs.list_clusters()["clusterArns"] == ["other"]
    assert boto3.client("ecs").describe_clusters(clusters=["shop"])["clusters"], "the call was handed on"
