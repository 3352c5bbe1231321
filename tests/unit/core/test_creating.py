# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusals that pass are repeated after reading again, and others are not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import creating
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, json_error

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule


def refusal(operation: str, said: str) -> SlipwayError:
    return SlipwayError("refused", said, {"operation": operation, "error_code": "ClientException"})


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("RegisterTaskDefinition", "Too many concurrent attempts to create a new revision of the specified family."),
        ("RegisterTaskDefinition", "Role is not valid"),
        ("CreateService", "Unable to assume the service linked role. Please verify that it exists."),
        ("CreateService", "The cluster is not active."),
        (
            "CreateService",
            "ECS was unable to assume the role 'arn:aws:iam::1:role/web'.",
        ),
        ("PutClusterCapacityProviders", "The specified cluster is in a busy state. Cluster was not ACTIVE."),
        ("SetRepositoryPolicy", "Invalid parameter at 'PolicyText': Principal not found"),
        ("CreateAutoScalingGroup", "Invalid IAM Instance Profile name"),
        (
            "CreateAutoScalingGroup",
            'IAM Instance Profile "arn:aws:iam::1:instance-profile/web" has no associated IAM Roles',
        ),
        ("RegisterScalableTarget", "ECS service doesn't exist: service/shop/web"),
    ],
)
def test_a_refusal_that_passes_is_repeated_for_a_minute(operation: str, said: str) -> None:
    time, calls, reads = Time(), [], []

    def call() -> None:
        calls.append(time.now)
        raise refusal(operation, said)

    with pytest.raises(SlipwayError):
        creating.persist(call, lambda: reads.append(time.now), time.clock)
    assert 45 < time.now <= 60
    assert len(reads) == len(calls) - 1, "each repeat comes after a read"


def test_another_refusal_is_final() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise refusal("CreateService", "Container.image should not be null or empty.")

    with pytest.raises(SlipwayError):
        creating.persist(call, clock=Time().clock)
    assert calls == [1]


def test_what_the_read_shows_is_taken_instead() -> None:
    def call() -> str:
        raise refusal("RegisterTaskDefinition", "Too many concurrent attempts to create a new revision")

    assert creating.persist(call, lambda: "theirs", Time().clock) == "theirs"


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_a_cluster_that_was_not_active_between_two_calls(
    run: RunModule, ministack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creating, "PAUSE", 0.1)
    run("ecs_cluster", name="shop")
    refusals = iter([1, 2])

    def before(request: Request) -> Answer | None:
        if request.operation == "PutClusterCapacityProviders" and next(refusals, None):
            return json_error("ClientException", "The specified cluster is in a busy state. Cluster was not ACTIVE.")
        return None

    wanted = {
        "name": "shop",
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "capacity_providers": ["FARGATE"],
    }
    with Proxy(ministack, before) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        changed = run("ecs_cluster", **wanted)
        assert changed.get("changed"), changed
        assert proxy.calls["PutClusterCapacityProviders"] == 3
        assert not run("ecs_cluster", **wanted)["changed"]
