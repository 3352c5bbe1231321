# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import tags
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError


def test_both_spellings_of_a_tag_list() -> None:
    assert tags.from_list([{"key": "a", "value": "1"}, {"Key": "b", "Value": "2"}]) == {"a": "1", "b": "2"}
    assert tags.from_list(None) == {}
    assert tags.to_list({"b": "2", "a": "1"}) == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert tags.to_capital_list({"a": "1"}) == [{"Key": "a", "Value": "1"}]


def test_tags_that_are_not_given_are_left_alone() -> None:
    assert tags.desired({"a": "1"}, None, purge=True) is None


def test_others_are_kept_unless_purged_and_those_of_aws_always() -> None:
    current = {"a": "1", "aws:x": "2"}
    assert tags.desired(current, {"b": 3}, purge=False) == {"a": "1", "aws:x": "2", "b": "3"}
    assert tags.desired(current, {"b": 3}, purge=True) == {"aws:x": "2", "b": "3"}


def test_what_to_set_and_what_to_remove() -> None:
    assert tags.changes({"a": "1", "b": "2", "aws:x": "3"}, {"a": "1", "c": "4"}) == ({"c": "4"}, ["b"])


def test_true_and_numbers_are_written_as_in_an_environment() -> None:
    assert tags.checked({"a": True, "b": False, 3: 4, "e": ""}) == {"a": "true", "b": "false", "3": "4", "e": ""}
    assert tags.desired({}, {"a": True}, purge=True) == {"a": "true"}
    assert tags.checked(None) is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"a": None}, "tags, 'a': expected text, true, false or a whole number, got null. "),
        ({"a": 1.10}, "tags, 'a': expected text, true, false or a whole number, got float. "),
        ({"a": {}}, "tags, 'a': expected text, true, false or a whole number, got dict. "),
        ({"aws:a": "b"}, "tags, 'aws:a': expected a key without the prefix aws:, "),
        ({"AWS:a": "b"}, "tags, 'AWS:a': expected a key without the prefix aws:, "),
        ({"": "b"}, "tags, '': expected a key of 1 to 128 characters, got 0."),
        ({"k" * 129: "b"}, f"tags, '{'k' * 129}': expected a key of 1 to 128 characters, got 129."),
        ({"a": "v" * 257}, "tags, 'a': expected a value of at most 256 characters, got 257."),
        ({"a": "b\n"}, "tags, 'a': expected a value of letters, digits, spaces and _.:/=+-@, got 'b\\n'."),
        ({"a\0": "b"}, "tags, 'a\\x00': expected a key of letters, digits, spaces and _.:/=+-@."),
        ({str(number): "" for number in range(51)}, "tags: expected at most 50 tags, got 51."),
    ],
)
def test_what_aws_would_refuse_is_refused(given: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(SlipwayError) as raised:
        tags.checked(given)
    assert raised.value.code == "invalid_option"
    (told,) = raised.value.details["problems"]
    assert told.startswith(problem)


def test_a_way_back_keeps_the_tags_of_aws() -> None:
    had = {"aws:cloudformation:stack-name": "shop", "a": "1"}
    assert tags.desired({}, had, purge=True) == had
