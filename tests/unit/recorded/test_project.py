# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded project is read in full, kind by kind.

Status, drift and report show it, whatever member an answer lacks or has in addition.
"""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import api, state
from ansible_collections.slipway.aws.plugins.module_utils._project.kinds.base_api import Kind
from ansible_collections.slipway.aws.tests.recorded import mutations, projects
from ansible_collections.slipway.aws.tests.recorded.answers import Recorded, model

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.recorded.replay import Replay

Json = dict[str, t.Any]
# Of the many answers with one member less or more, the daily tests try each of so many.
SAMPLE = 23
# Without them, AWS says that a resource has no owner, or no tag.
TAGS = ("Tags", "tags", "TagList", "TagSet", "TagDescriptions", "AttributeKey")


@pytest.fixture
def project(aws: Replay) -> Json:
    return projects.read()


def test_every_kind_is_found(project: Json) -> None:
    assert project["unknown"] == []
    assert {kind.name for kind in api.KINDS} == {one["kind"] for one in project["resources"]}


def test_what_is_deleted_is_left_out(project: Json) -> None:
    assert projects.names(project, "VPC endpoint") == ["vpce-0dc9e00c02ffbab17"]
    assert projects.names(project, "NAT gateway") == ["nat-0bdb87de14bdf340a"]
    assert projects.names(project, "instance") == ["i-069c2984d70308ceb"]


def reordered(value: t.Any, name: str = "") -> t.Any:
    """An answer with its lists in another order, save where their order has a meaning."""
    if isinstance(value, dict):
        return {member: reordered(one, member) for member, one in value.items()}
    if name == "VPCZoneIdentifier":
        return ",".join(reversed(value.split(",")))
    if not isinstance(value, list):
        return value
    elements = [reordered(one) for one in value]
    return elements if name in state.ORDERED else elements[::-1]


def test_lists_in_another_order_are_no_drift_and_cost_no_run(project: Json) -> None:
    recorded = projects.records(project)
    resources = [{**one, "details": reordered(one["details"])} for one in project["resources"]]
    found = projects.drift({**project, "resources": resources}, recorded)
    assert (found["result"], found["resources"]) == ("none", [])
    assert state.by_role(resources) == state.by_role(project["resources"])


def test_a_change_by_hand_is_drift(aws: Replay, project: Json) -> None:
    recorded = projects.records(project)
    [services, *_others] = [one for one in aws.answered if one.operation == "DescribeServices"]
    [service] = (services.answer or {})["services"]
    changed = {**service, "healthCheckGracePeriodSeconds": 0}
    aws.instead = {services: {**(services.answer or {}), "services": [changed]}}
    found = projects.drift(projects.read(), recorded)
    [members] = [one["members"] for one in found["resources"]]
    assert [one["member"] for one in members] == ["healthCheckGracePeriodSeconds"]


def test_everything_is_shown(project: Json) -> None:
    texts = "\n".join(projects.shown(project, projects.records(project)))
    for text in ("shop-web", "1.4.2", "0 resources with drift", "https://shop.example.com"):
        assert text in texts, text


def variations(one: Recorded) -> t.Iterator[mutations.Mutated]:
    operation = model(one.service).operation_model(one.operation)
    is_json = operation.service_model.protocol == "json"
    return mutations.mutated(operation.output_shape, one.answer or {}, is_json)


def problems(aws: Replay, kind: Kind, project: Json, every: int, start: int = 0) -> t.Iterator[str]:
    """What goes wrong with answers that differ in one member."""
    recorded, usual = projects.records(project), projects.names(project, kind.name)
    aws.answered.clear()
    projects.read_again(kind, project)
    answered = [one for one in aws.answered if one.answer is not None]
    tried = ((one, change) for one in answered for change in variations(one))
    for one, change in itertools.islice(tried, start, None, every):
        aws.instead = {one: change.answer}
        problem = _problem(kind, project, recorded, usual)
        if problem and not (problem.startswith("lists") and any(name in change.path for name in TAGS)):
            yield f"{one} {change.kind} {change.path}: {problem}"
    aws.instead = {}


def _problem(kind: Kind, project: Json, recorded: Json, usual: list[str]) -> str:
    try:
        found = projects.read_again(kind, project)
        projects.shown(found, recorded, page=False)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    listed = projects.names(found, kind.name)
    return "" if listed == usual or found["unknown"] else f"lists {listed} instead of {usual}"


@pytest.mark.parametrize("kind", api.KINDS, ids=lambda kind: kind.name)
def test_members_that_are_missing_or_new_are_no_crash(aws: Replay, project: Json, kind: Kind) -> None:
    assert list(problems(aws, kind, project, SAMPLE, api.KINDS.index(kind) % SAMPLE)) == []


@pytest.mark.variants
@pytest.mark.parametrize("kind", api.KINDS, ids=lambda kind: kind.name)
def test_each_member_may_be_missing_or_new(aws: Replay, project: Json, kind: Kind) -> None:
    assert list(problems(aws, kind, project, 1)) == []
