# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS allows 50 tags of a service: the tags of its checkpoint have to fit beside the service's own."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._ecs import api
from ansible_collections.slipway.aws.tests.unit.ecs.releases import READS, Json, Rollouts, Run, described, item, newer

LIMIT = 50


def tagged(number: int) -> Json:
    return {f"team-{index}": "x" for index in range(number)}


@pytest.fixture
def most_tags(rollouts: Rollouts, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of tags that each service had after each call, as AWS would count them."""
    counts: list[int] = []
    write = api.tag_resource

    def counting(ecs: t.Any, arn: str, tags: list[Json]) -> None:
        write(ecs, arn, tags)
        counts.append(len(ecs.list_tags_for_resource(resourceArn=arn)["tags"]))

    monkeypatch.setattr(api, "tag_resource", counting)
    return counts


@pytest.mark.parametrize("check", [False, True])
def test_services_without_room_are_refused_together_before_anything_is_touched(
    release: Run, ecs: t.Any, calls: list[str], check: bool
) -> None:
    full, crowded = item("full", tags=tagged(LIMIT)), item("crowded", tags=tagged(LIMIT - 1))
    for one in (full, crowded):
        definition = ecs.register_task_definition(
            family=one["name"], containerDefinitions=[{"name": "web", "image": "app:1", "memory": 64}]
        )["taskDefinition"]["taskDefinitionArn"]
        tags = [{"key": key, "value": value} for key, value in one["tags"].items()]
        ecs.create_service(
            cluster="shop", serviceName=one["name"], taskDefinition=definition, desiredCount=1, tags=tags
        )
    calls.clear()
    result = release(*newer(full, crowded), item("roomy"), check=check)
    assert (result["failed"], result["code"]) == (True, "limit_exceeded")
    assert re.search(r"services, full: tags: expected at most 4\d, .* got 50,.*Remove [2-4]", result["msg"])
    assert re.search(r"services, crowded: tags: expected at most 4\d, .* got 49,", result["msg"])
    assert ("roomy" in result["msg"], "Nothing was changed" in result["msg"]) == (False, True)
    assert set(calls) <= READS


def test_what_is_not_refused_fits(release: Run, most_tags: list[int]) -> None:
    """From no room to room: the first number of tags that is taken stays within the limit at each moment."""
    base = item("web")
    assert release(base)["changed"]
    for number in range(LIMIT, 0, -1):
        web = {**newer(base)[0], "tags": tagged(number)}
        if "failed" not in release(web):
            break
    assert LIMIT - 4 <= number < LIMIT
    assert LIMIT - 1 <= max(most_tags) <= LIMIT


def test_a_new_service_needs_room_too(release: Run, ecs: t.Any) -> None:
    assert release(item("web", tags=tagged(LIMIT - 1)))["code"] == "limit_exceeded"
    assert not described(ecs, "web")
    assert release(item("web", tags=tagged(LIMIT - 2)))["changed"]


def test_a_release_that_changes_nothing_needs_no_room(release: Run, ecs: t.Any) -> None:
    web = item("web")
    assert release(web)["changed"]
    (service,) = described(ecs, "web")
    tags = [{"key": key, "value": value} for key, value in tagged(LIMIT).items()]
    ecs.tag_resource(resourceArn=service["serviceArn"], tags=tags)
    assert release(web)["changed"] is False
