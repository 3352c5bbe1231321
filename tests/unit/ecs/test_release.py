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
    Before,
    before_of,
    mark,
    marks,
    unmark,
    way_back,
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
BEFORES = st.builds(Before, st.none() | st.dictionaries(st.text(), JSON, max_size=4), st.text())
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
ALLOWED = re.compile(r"[\w +\-=.:/@]{0,256}", re.ASCII)
LONG = Before({"tags": {str(number): random.Random(number).randbytes(90).hex() for number in range(9)}}, "arn")
SHORT = Before(None, "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:2")


# Notes


@SETTINGS
@given(before=BEFORES, tags=st.dictionaries(st.text("abc"), st.text(), max_size=3))
def test_a_note_is_read_as_it_was_written(before: Before, tags: dict[str, str]) -> None:
    assert unmark({**tags, **mark(before)}) == before


@SETTINGS
@given(before=BEFORES)
def test_notes_are_tags_as_ecs_allows_them(before: Before) -> None:
    assert all(ALLOWED.fullmatch(value) for value in mark(before).values())
    assert marks([*mark(before), "team", "slipway:project"]) == [*mark(before)]


def test_the_same_is_noted_in_the_same_words() -> None:
    """Else a run that is repeated would change tags."""
    options = {"desired_count": 2, "task_definition": "web:1"}
    turned = dict(reversed(options.items()))
    assert mark(Before(options, "web:2")) == mark(Before(turned, "web:2"))


def test_a_short_note_over_a_longer_one_is_read() -> None:
    assert len(mark(LONG)) > 3
    assert unmark({**mark(LONG), **mark(SHORT)}) == SHORT
    assert unmark({**mark(SHORT), **mark(LONG)}) == LONG


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
        {name: text for name, text in mark(LONG).items() if name != "slipway:checkpoint.1"},
        {name: text[:-1] for name, text in mark(SHORT).items()},
        {name: text[::-1] for name, text in mark(LONG).items()},
    ],
    ids=[
        *("none", "others", "empty", "only an end", "not packed", "not of the alphabet", "no first piece"),
        *("no piece", "a piece is missing", "cut off", "turned"),
    ],
)
def test_tags_that_are_no_note_are_none(tags: dict[str, str]) -> None:
    assert unmark(tags) is None


# What to note, and the way back

CURRENT: Json = {
    "task_definition": "web:1",
    "desired_count": 2,
    "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 50},
    "monitoring": None,
    "tags": {"team": "shop", **mark(SHORT)},
}


def noted(earlier: Before | None = None, **asked: t.Any) -> Before:
    return before_of(CURRENT, compare(CURRENT, asked), "web:2", earlier)


def test_members_that_change_are_noted_whole_and_no_others() -> None:
    before = noted(task_definition="web:2", desired_count=2, deployment_configuration={"maximumPercent": 150})
    assert before == Before(
        {
            "task_definition": "web:1",
            "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 50},
        },
        "web:2",
    )
    assert way_back(before).options == before.options


def test_tags_are_noted_without_notes() -> None:
    assert noted(tags={"team": "web"}) == Before({"tags": {"team": "shop"}}, "web:2")


def test_what_was_not_there_is_not_asked_for() -> None:
    assert way_back(noted(monitoring={"metricConfigurations": [1]}, force_new_deployment=True)).options == {}
    assert way_back(Before(None, "web:1")).options == {}


def test_what_an_earlier_release_noted_stays() -> None:
    earlier = Before({"task_definition": "web:0"}, "web:1")
    assert noted(earlier, task_definition="web:2", desired_count=3) == Before(
        {"task_definition": "web:0", "desired_count": 2}, "web:2"
    )
    assert noted(Before(None, "web:1"), task_definition="web:2") == Before(None, "web:2")


@pytest.mark.parametrize(("running", "fits"), [("web:1", True), ("web:2", True), ("web:3", False)])
def test_a_note_fits_a_service_that_nobody_else_has_changed(running: str, fits: bool) -> None:
    assert Before({"task_definition": "web:1"}, "web:2").fits(running) is fits
    assert Before({"desired_count": 1}, running).fits(running)


# Order and table


def test_names_in_the_order_have_to_be_services_of_the_release() -> None:
    assert wrong_order({"web": ["stock", "db"], "stock": []}) == [
        "services, web: after names db, which is none of the release's services."
    ]
    assert wrong_order({"web": ["stock"], "stock": []}) == []


@pytest.mark.parametrize("after", [{"a": ["a"]}, {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}])
def test_the_order_is_no_circle(after: Json) -> None:
    (problem,) = wrong_order(after)
    assert re.fullmatch(r"services: after leads in a circle: \w( after \w)+\.", problem)
    walked = problem.rstrip(".").rpartition(": ")[2].split(" after ")
    assert walked[0] == walked[-1]
    assert all(other in after[name] for name, other in itertools.pairwise(walked)), problem


def test_the_way_back_is_the_other_way_round() -> None:
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
