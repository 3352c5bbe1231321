# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN, Plan, compare, normalise, remove

SETS = {"containers": ("name",), "environment": ("name",), "kinds": ()}


def test_nothing_differs() -> None:
    plan = compare({"cpu": "256", "kinds": ["A"]}, {"cpu": "256"}, SETS)
    assert not plan.changed
    assert plan.diff == {"before": {}, "after": {}}
    assert plan.predicted == {"cpu": "256", "kinds": ["A"]}


def test_an_omitted_member_is_left_alone() -> None:
    assert not compare({"cpu": "256", "memory": "512"}, {"cpu": None}).changed


@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_value_requests_nothing(empty: t.Any) -> None:
    assert not compare({}, {"volumes": empty}).changed
    assert compare({"volumes": ["a"]}, {"volumes": empty}) == Plan({"volumes": ["a"]}, {}, {"volumes": empty})


def test_what_does_not_exist_is_created() -> None:
    assert compare(None, {"cpu": "256", "tags": {}}) == Plan({}, {"cpu": "256"}, {"cpu": "256", "tags": {}})


def test_a_value_that_is_not_known_yet_differs() -> None:
    assert compare({"role": "arn:x"}, {"role": UNKNOWN}).after == {"role": UNKNOWN}


def test_only_the_element_and_the_member_that_differ_are_named() -> None:
    web: dict[str, t.Any] = {"name": "web", "image": "a", "environment": [{"name": "A", "value": "1"}]}
    log = {"name": "log", "image": "c"}
    changed = {**web, "environment": [{"name": "A", "value": "2"}]}
    plan = compare({"containers": [log, web]}, {"containers": [log, changed]}, SETS)
    assert plan.before == {"containers": [{"name": "web", "environment": [{"name": "A", "value": "1"}]}]}
    assert plan.after == {"containers": [{"name": "web", "environment": [{"name": "A", "value": "2"}]}]}
    assert plan.members == {"containers"}


def test_elements_that_come_and_go_are_named_whole() -> None:
    plan = compare({"environment": [{"name": "A", "value": "1"}]}, {"environment": [{"name": "B", "value": "1"}]}, SETS)
    assert plan.before == {"environment": [{"name": "A", "value": "1"}]}
    assert plan.after == {"environment": [{"name": "B", "value": "1"}]}


def test_a_removed_member_leaves_its_element_named() -> None:
    plan = compare({"containers": [{"name": "web", "user": "1"}]}, {"containers": [{"name": "web"}]}, SETS)
    assert plan.before == {"containers": [{"name": "web", "user": "1"}]}
    assert plan.after == {"containers": [{"name": "web"}]}


def test_elements_without_identity_are_shown_whole() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    plan = compare({"environment": twice}, {"environment": twice[:1]}, SETS)
    assert plan.diff == {"before": {"environment": twice}, "after": {"environment": twice[:1]}}


def test_order_matters_where_there_is_no_set() -> None:
    one, other = normalise({"command": ["a", "b"]}, SETS), normalise({"command": ["b", "a"]}, SETS)
    assert compare(one, other, SETS).changed


def test_order_of_sets_null_and_empty_make_no_difference() -> None:
    one = {"kinds": ["B", "A"], "containers": [{"name": "b"}, {"name": "a", "links": [], "user": None}], "cpu": None}
    other = {"kinds": ["A", "B"], "containers": [{"name": "a"}, {"name": "b"}]}
    assert normalise(one, SETS) == normalise(other, SETS) == other


def test_order_within_elements_without_identity_makes_no_difference() -> None:
    one, other = {"name": "A", "value": "1"}, {"name": "A", "value": "2"}
    turned = dict(reversed(one.items()))
    assert normalise({"environment": [turned, other]}, SETS) == normalise({"environment": [other, one]}, SETS)


def test_empty_text_and_false_are_values() -> None:
    resource = {"environment": [{"name": "A", "value": ""}], "flag": {"on": False, "count": 0}}
    assert normalise(resource, SETS) == resource


def test_the_end_of_a_resource() -> None:
    assert remove({"name": "web"}) == Plan({"name": "web"}, {}, {})
