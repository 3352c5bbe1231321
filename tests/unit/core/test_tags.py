# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.slipway.aws.plugins.module_utils._core import tags


def test_both_spellings_of_a_tag_list() -> None:
    assert tags.from_list([{"key": "a", "value": "1"}, {"Key": "b", "Value": "2"}]) == {"a": "1", "b": "2"}
    assert tags.from_list(None) == {}
    assert tags.to_list({"b": "2", "a": "1"}) == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert tags.to_list({"a": "1"}, "Key", "Value") == [{"Key": "a", "Value": "1"}]


def test_tags_that_are_not_given_are_left_alone() -> None:
    assert tags.wanted({"a": "1"}, None, purge=True) is None


def test_others_stay_unless_purged_and_those_of_aws_always() -> None:
    current = {"a": "1", "aws:x": "2"}
    assert tags.wanted(current, {"b": 3}, purge=False) == {"a": "1", "aws:x": "2", "b": "3"}
    assert tags.wanted(current, {"b": 3}, purge=True) == {"aws:x": "2", "b": "3"}


def test_what_to_set_and_what_to_remove() -> None:
    assert tags.changes({"a": "1", "b": "2", "aws:x": "3"}, {"a": "1", "c": "4"}) == ({"c": "4"}, ["b"])
