# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release notes on its services, and the order and table of them, without any call."""

from __future__ import annotations

import itertools
import random
import re
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import compare
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.checkpoint import (
    Checkpoint,
    checkpoint_keys,
    desired_before,
    from_tags,
    new_checkpoint,
    to_tags,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.order import reversed_order, wrong_order
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.table import Row, table

Json = dict[str, t.Any]

SETTINGS = settings(deadline=None, max_examples=100)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=10,
)
CHECKPOINTS = st.builds(Checkpoint, st.none() | st.dictionaries(st.text(), JSON, max_size=4), st.text())
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
ALLOWED = re.compile(r"[\w +\-=.:/@]{0,256}", re.ASCII)
LONG = Checkpoint({"tags": {str(number): random.Random(number).randbytes(90).hex() for number in range(9)}}, "arn")
SHORT = Checkpoint(None, "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:2")


# Checkpoints


@SETTINGS
@given(before=CHECKPOINTS, tags=st.dictionaries(st.text("abc"), st.text(), max_size=3))
def test_a_checkpoint_is_read_as_it_was_written(before: Checkpoint, tags: dict[str, str]) -> None:
    assert from_tags({**tags, **to_tags(before)}) == before


@SETTINGS
@given(before=CHECKPOINTS)
def test_checkpoints_are_tags_that_ecs_allows(before: Checkpoint) -> None:
    assert all(ALLOWED.fullmatch(value) for value in to_tags(before).values())
    assert checkpoint_keys([*to_tags(before), "team", "slipway:project"]) == [*to_tags(before)]


def test_the_same_is_noted_in_the_same_words() -> None:
    """Else a run that is repeated would change tags."""
    options = {"desired_count": 2, "task_definition": "web:1"}
    turned = dict(reversed(options.items()))
    assert to_tags(Checkpoint(options, "web:2")) == to_tags(Checkpoint(turned, "web:2"))


def test_a_short_note_over_a_longer_one_is_read() -> None:
    assert len(to_tags(LONG)) > 3
    assert from_tags({**to_tags(LONG), **to_tags(SHORT)}) == SHORT
    assert from_tags({**to_tags(SHORT), **to_tags(LONG)}) == LONG


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"team": "shop"},
        {"slipway:checkpoint.0": ""},
        {"slipway:checkpoint.0": "."},
        {"slipway:checkpoint.0": "e30=."},
        {"slipway:checkpoint.0": "größer."},
        {"slipway:checkpoint.1": "e30=."},
        {"slipway:checkpoint": "true"},
        {name: text for name, text in to_tags(LONG).items() if name != "slipway:checkpoint.1"},
        {name: text[:-1] for name, text in to_tags(SHORT).items()},
        {name: text[::-1] for name, text in to_tags(LONG).items()},
    ],
    ids=[
        *("none", "others", "empty", "only an end", "not packed", "not of the alphabet", "no first piece"),
        *("no piece", "a piece is missing", "cut off", "turned"),
    ],
)
def test_other_tags_are_no_checkpoint(tags: dict[str, str]) -> None:
    assert from_tags(tags) is None


# What to note, and the way back

CURRENT: Json = {
    "task_definition": "web:1",
    "desired_count": 2,
    "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 50},
    "monitoring": None,
    "tags": {"team": "shop", **to_tags(SHORT)},
}


def noted(earlier: Checkpoint | None = None, **asked: t.Any) -> Checkpoint:
    return new_checkpoint(CURRENT, compare(CURRENT, asked), "web:2", earlier)


def test_members_that_change_are_noted_whole_and_no_others() -> None:
    before = noted(task_definition="web:2", desired_count=2, deployment_configuration={"maximumPercent": 150})
    assert before == Checkpoint(
        {
            "task_definition": "web:1",
            "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 50},
        },
        "web:2",
    )
    assert desired_before(before).options == before.options


def test_tags_are_noted_without_notes() -> None:
    assert noted(tags={"team": "web"}) == Checkpoint({"tags": {"team": "shop"}}, "web:2")


def test_what_did_not_exist_is_not_requested() -> None:
    assert desired_before(noted(monitoring={"metricConfigurations": [1]}, force_new_deployment=True)).options == {}
    assert desired_before(Checkpoint(None, "web:1")).options == {}


def test_what_an_earlier_release_noted_stays() -> None:
    earlier = Checkpoint({"task_definition": "web:0"}, "web:1")
    assert noted(earlier, task_definition="web:2", desired_count=3) == Checkpoint(
        {"task_definition": "web:0", "desired_count": 2}, "web:2"
    )
    assert noted(Checkpoint(None, "web:1"), task_definition="web:2") == Checkpoint(None, "web:2")


@pytest.mark.parametrize(("running", "fits"), [("web:1", True), ("web:2", True), ("web:3", False)])
def test_a_note_fits_a_service_that_nobody_else_has_changed(running: str, fits: bool) -> None:
    assert Checkpoint({"task_definition": "web:1"}, "web:2").fits(running) is fits
    assert Checkpoint({"desired_count": 1}, running).fits(running)


# Order and table


def test_names_in_the_order_have_to_be_services_of_the_release() -> None:
    assert wrong_order({"web": ["stock", "db"], "stock": []}) == [
        "services, web: after: expected services of the release, got db."
    ]
    assert wrong_order({"web": ["stock"], "stock": []}) == []


@pytest.mark.parametrize("after", [{"a": ["a"]}, {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}])
def test_an_order_with_a_cycle_is_refused(after: Json) -> None:
    (problem,) = wrong_order(after)
    assert re.fullmatch(r"services: after: expected no cycle, got \w( after \w)+\.", problem)
    walked = problem.rstrip(".").rpartition(", got ")[2].split(" after ")
    assert walked[0] == walked[-1]
    assert all(other in after[name] for name, other in itertools.pairwise(walked)), problem


def test_a_rollback_has_the_reversed_order() -> None:
    assert reversed_order({"db": [], "stock": ["db"], "web": ["db", "stock"]}) == {
        "db": {"stock", "web"},
        "stock": {"web"},
        "web": set(),
    }


def test_the_table_is_for_people() -> None:
    assert table([]) == []
    assert table(
        [Row("web", "created", "", "web:1", "2/2", 7.4), Row("stock", "rolled back", "s:1", "s:1", "", 61)]
    ) == [
        "SERVICE  OUTCOME      BEFORE  NOW    RUNNING  SECONDS",
        "web      created      -       web:1  2/2      7",
        "stock    rolled back  s:1     s:1    -        61",
    ]
