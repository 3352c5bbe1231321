# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster for whose first tasks there is no capacity yet, as on the local cloud with local_cloud_capacity_seconds."""

from __future__ import annotations

import inspect
import json
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import emulators

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ecs as emulator

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

pytestmark = pytest.mark.own_cloud("lacks capacity itself")
Json = dict[str, t.Any]

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
SECONDS = 60.0
CONTAINER = {"name": "web", "image": "web", "memory": 64}
HOSTS: Json = {"capacityProviderStrategy": [{"capacityProvider": "hosts", "weight": 1}]}
FARGATE: Json = {"launchType": "FARGATE"}
UNAVAILABLE = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NO_HOST = "was unable to place a task because no container instance met all of its requirements."


class Account:
    """The emulator with the patch, called without HTTP, with a clock of the test's."""

    def __init__(self) -> None:
        self.now = 0.0

    def call(self, operation: str, **members: t.Any) -> Json:
        status, _headers, body = emulator._dispatch_action(operation, members)
        return {"status": status, **json.loads(body)}

    def make(self, **settings: t.Any) -> Json:
        self.call("CreateCluster", clusterName="shop")
        self.call("RegisterTaskDefinition", family="web", containerDefinitions=[CONTAINER])
        answer = self.call("CreateService", cluster="shop", serviceName="web", taskDefinition="web:1", **settings)
        return dict(answer["service"])


@pytest.fixture
def account() -> Iterator[Account]:
    kept, actions = dict(vars(emulator)), dict(emulator._ACTION_MAP)
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import capacity  # type: ignore[import-not-found]

        found = Account()
        patch.setattr(emulator, "_get_docker", lambda: None)
        capacity.capacity(emulator, SECONDS, lambda: found.now)
        yield found
        # So that nothing waits for it any more.
        found.now = SECONDS
        emulator.reset()
    vars(emulator).update(kept)
    emulator._ACTION_MAP.update(actions)
    for name in ("capacity", "eventual_consistency", "emulator_patches"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("settings", "said"), [(FARGATE, UNAVAILABLE), (HOSTS, NO_HOST)], ids=["Fargate", "hosts"])
def test_a_service_says_that_there_is_no_capacity_and_starts_its_tasks_later(
    account: Account, settings: Json, said: str
) -> None:
    service = account.make(desiredCount=2, **settings)
    assert said in service["events"][0]["message"]
    assert service["runningCount"] == 0
    account.now = SECONDS
    end = time.monotonic() + 20
    while emulator._services["shop/web"]["runningCount"] < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert len(emulator._tasks.values()) == 2


@pytest.mark.parametrize(
    ("settings", "reason"), [(FARGATE, UNAVAILABLE), (HOSTS, "RESOURCE:MEMORY")], ids=["Fargate", "hosts"]
)
def test_a_task_fails_for_want_of_capacity(account: Account, settings: Json, reason: str) -> None:
    account.make(desiredCount=0)
    request = {"cluster": "shop", "taskDefinition": "web:1", **settings}
    answer = account.call("RunTask", **request)
    assert (answer["tasks"], [failure["reason"] for failure in answer["failures"]]) == ([], [reason])
    account.now = SECONDS
    assert len(account.call("RunTask", **request)["tasks"]) == 1


@pytest.mark.variants
def test_a_service_is_stable_once_there_is_capacity(
    aws: None, tmp_path: Path, run: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulators.running(emulators.MINISTACK, tmp_path, LOCAL_CLOUD_CAPACITY_SECONDS="4") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        ecs = boto3.client("ecs")
        ecs.create_cluster(clusterName="shop")
        ecs.register_task_definition(family="web", containerDefinitions=[CONTAINER])
        options: Json = {"cluster": "shop", "name": "web", "task_definition": "web", "launch_type": "EC2"}
        late = run("ecs_service", wait_timeout=1, **options)
        assert (late.get("code"), "unable to place a task" in late["msg"]) == ("timeout", True), late
        assert run("ecs_service", wait_timeout=30, **options)["service"]["running_count"] == 1


# What the patch is for. A test that fails here means: remove it.


def test_the_emulator_always_has_capacity() -> None:
    assert "unable to place" not in inspect.getsource(emulator)
