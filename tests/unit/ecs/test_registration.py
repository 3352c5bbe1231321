# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A revision is registered once: after a lost answer, beside stale reads, and beside others who register."""

from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import creating
from ansible_collections.slipway.aws.tests.proxies.base import Answer, LostError, Proxy, Request, json_error

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
pytestmark = pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
BUSY = "Too many concurrent attempts to create a new revision of the specified family."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating, "PAUSE", 0.1)


@pytest.fixture
def behind(aws: None, ministack: str, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[t.Any, t.Any], Proxy]]:
    proxies: list[Proxy] = []

    def start(before: t.Any = None, after: t.Any = None) -> Proxy:
        proxies.append(Proxy(ministack, before, after).__enter__())
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxies[-1].address)
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.__exit__()


def shop(memory: int = 64) -> Json:
    return {"family": "shop", "container_definitions": [{"name": "web", "image": "app:1", "memory": memory}]}


def active(ministack: str) -> list[str]:
    arns = boto3.client("ecs", endpoint_url=ministack).list_task_definitions(familyPrefix="shop")["taskDefinitionArns"]
    return [arn.rpartition("/")[2] for arn in arns]


@pytest.mark.parametrize("there", [0, 1])
def test_a_lost_answer_leaves_one_revision(run: RunModule, behind: t.Any, ministack: str, there: int) -> None:
    if there:
        run("ecs_task_definition", **shop(32))
    lost = iter([True])

    def after(request: Request, answer: Answer) -> Answer:
        if request.operation == "RegisterTaskDefinition" and next(lost, False):
            raise LostError
        return answer

    behind(None, after)
    made = run("ecs_task_definition", **shop())
    assert made["changed"], made
    assert made["task_definition"]["revision"] == there + 1
    assert active(ministack) == ["shop:1", "shop:2"][: there + 1]
    assert not run("ecs_task_definition", **shop())["changed"]


def test_a_run_whose_read_is_stale_keeps_the_revision_of_the_run_before(
    run: RunModule, behind: t.Any, ministack: str
) -> None:
    run("ecs_task_definition", **shop())
    stale = iter([True, True])

    def before(request: Request) -> Answer | None:
        if request.operation == "DescribeTaskDefinition" and next(stale, False):
            return json_error("ClientException", "Unable to describe task definition.")
        return None

    behind(before)
    again = run("ecs_task_definition", **shop())
    assert again.get("changed") is False, again
    assert again["diff"] == {"before": {}, "after": {}}
    assert again["task_definition"]["revision"] == 1
    assert active(ministack) == ["shop:1"]


def test_a_different_revision_of_somebody_else_is_kept(run: RunModule, behind: t.Any, ministack: str) -> None:
    run("ecs_task_definition", **shop(32))
    ecs = boto3.client("ecs", endpoint_url=ministack)
    registered = iter([True])

    def before(request: Request) -> None:
        if request.operation == "RegisterTaskDefinition" and next(registered, False):
            container = {"name": "other", "image": "other:1", "memory": 64}
            ecs.register_task_definition(family="shop", containerDefinitions=[container])

    behind(before)
    made = run("ecs_task_definition", **shop())
    assert (made["changed"], made["task_definition"]["revision"]) == (True, 3)
    assert active(ministack) == ["shop:1", "shop:2", "shop:3"]


def test_others_who_register_at_the_same_time_are_waited_for(run: RunModule, behind: t.Any) -> None:
    busy = iter([True, True])
    proxy = behind(
        lambda request: (
            json_error("ClientException", BUSY)
            if request.operation == "RegisterTaskDefinition" and next(busy, False)
            else None
        )
    )
    assert run("ecs_task_definition", **shop())["changed"]
    assert proxy.calls["RegisterTaskDefinition"] == 3


def test_another_refusal_is_none_that_passes(run: RunModule, behind: t.Any) -> None:
    refused = json_error("ClientException", "Container.image should not be null.")
    proxy = behind(lambda request: refused if request.operation == "RegisterTaskDefinition" else None)
    assert run("ecs_task_definition", **shop())["code"] == "refused"
    assert proxy.calls["RegisterTaskDefinition"] == 1
