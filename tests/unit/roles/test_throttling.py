# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Throttling as on AWS, which the local cloud does with local_cloud_throttling."""

from __future__ import annotations

import inspect
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.tests import emulators

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack import app as emulator

pytestmark = pytest.mark.own_cloud("throttles itself")
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


@pytest.fixture(scope="module")
def throttling() -> Iterator[t.Any]:
    """The patch as the local cloud imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FILES))
        import throttling  # type: ignore[import-not-found]

        yield throttling
    for name in ("throttling", "eventual_consistency", "emulator_patches"):
        sys.modules.pop(name, None)


class Caller:
    """Makes calls at the times that a test says, and counts those that AWS accepts."""

    def __init__(self, throttling: t.Any, share: float = 1.0) -> None:
        self.now = 0.0
        self._throttling = throttling
        self._buckets = throttling.Buckets(share, lambda: self.now)

    def accepted(self, service: str, operation: str, calls: int, *parameters: str, scope: str = "here") -> int:
        wanted = list(self._throttling.buckets_of(service, operation, set(parameters)))
        return sum(self._buckets.take(scope, wanted) for _call in range(calls))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "burst", "sustained"),
    [
        ("ecs", "UpdateService", (), 50, 5),
        ("ecs", "DescribeServices", (), 100, 20),
        ("ecs", "RegisterTaskDefinition", (), 20, 1),
        ("ecs", "ListServicesByNamespace", (), 10, 1),
        ("elasticloadbalancing", "DescribeTargetHealth", (), 40, 10),
        ("elasticloadbalancing", "CreateRule", (), 20, 3),
        ("elasticloadbalancing", "CreateLoadBalancer", (), 10, 0.2),
        ("ec2", "DescribeVpcs", (), 100, 20),
        ("ec2", "DescribeInstances", (), 50, 10),
        ("ec2", "DescribeInstances", ("Filter.1.Name",), 100, 20),
        ("ec2", "CreateVpc", (), 50, 5),
        ("ec2", "CreateVpcEndpoint", (), 4, 0.3),
    ],
)
def test_a_bucket_has_the_documented_size_and_refill(
    throttling: t.Any, service: str, operation: str, parameters: tuple[str, ...], burst: int, sustained: float
) -> None:
    caller = Caller(throttling)
    assert caller.accepted(service, operation, 200, *parameters) == burst
    caller.now = 10
    assert caller.accepted(service, operation, 200, *parameters) == min(burst, int(10 * sustained))
    caller.now = 1000
    assert caller.accepted(service, operation, 200, *parameters) == burst


def test_actions_of_ecs_share_the_bucket_of_their_category(throttling: t.Any) -> None:
    caller = Caller(throttling)
    assert caller.accepted("ecs", "CreateService", 30) == 30
    assert caller.accepted("ecs", "UpdateService", 30) == 20
    assert caller.accepted("ecs", "DescribeServices", 30) == 30


def test_all_actions_of_elastic_load_balancing_share_the_bucket_of_the_account(throttling: t.Any) -> None:
    caller = Caller(throttling)
    assert caller.accepted("elasticloadbalancing", "DescribeRules", 30) == 30
    assert caller.accepted("elasticloadbalancing", "CreateRule", 30) == 10


def test_each_action_of_ec2_and_each_region_has_buckets_of_its_own(throttling: t.Any) -> None:
    caller = Caller(throttling)
    assert [caller.accepted("ec2", name, 60) for name in ("CreateVpc", "CreateSubnet")] == [50, 50]
    assert caller.accepted("ec2", "CreateVpc", 60, scope="elsewhere") == 50


def test_other_services_are_not_throttled(throttling: t.Any) -> None:
    assert Caller(throttling).accepted("iam", "CreateRole", 500) == 500


def test_the_actions_of_ecs_exist(throttling: t.Any) -> None:
    known = set(botocore.session.get_session().get_service_model("ecs").operation_names)
    assert {action for one in throttling.ECS for action in one.actions} - known == set()


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_each_api_throttles_with_its_own_error(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = Config(retries={"total_max_attempts": 1})
    calls = {"ecs": "list_clusters", "ec2": "describe_instances", "elbv2": "describe_load_balancers"}
    codes = {}
    with emulators.running(emulators.MINISTACK, tmp_path, LOCAL_CLOUD_THROTTLING="0.001") as address:
        for service, call in calls.items():
            client = boto3.client(service, endpoint_url=address, config=once)
            getattr(client, call)()
            with pytest.raises(ClientError) as caught:
                getattr(client, call)()
            codes[service] = caught.value.response["Error"]["Code"]
    assert codes == {"ecs": "ThrottlingException", "ec2": "RequestLimitExceeded", "elbv2": "ThrottlingException"}


# What the patch is for. A test that fails here means: remove it.


def test_the_emulator_throttles_nothing() -> None:
    assert "throttl" not in inspect.getsource(emulator._dispatch_service_request).lower()
