# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecr.repository import policies

Json = dict[str, t.Any]


def policy(**statement: t.Any) -> Json:
    return policies.repository_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def rules(*rule: Json) -> Json:
    return policies.lifecycle_policy({"rules": list(rule)})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Action": "ecr:BatchGetImage"}, {"Action": ["ecr:BatchGetImage"]}),
        ({"Action": ["a:b", "a:c"]}, {"Action": ["a:c", "a:b", "a:b"]}),
        ({"Principal": "*"}, {"Principal": {"AWS": "*"}}),
        ({"Principal": {"AWS": "123456789012"}}, {"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}),
        ({"Principal": {"AWS": 123456789012}}, {"Principal": {"AWS": "arn:aws-cn:iam::123456789012:root"}}),
        ({"Principal": {"AWS": ["x", "y"]}}, {"Principal": {"AWS": ["y", "x"]}}),
        ({"Sid": ""}, {}),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": True}}},
            {"Condition": {"Bool": {"aws:SecureTransport": ["true"]}}},
        ),
        (
            {"Condition": {"StringEquals": {"aws:SourceAccount": ["1", "2"]}}},
            {"Condition": {"StringEquals": {"aws:SourceAccount": ["2", "1"]}}},
        ),
    ],
)
def test_statements_that_mean_the_same_are_the_same(one: Json, other: Json) -> None:
    assert policy(**one) == policy(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Action": "ecr:BatchGetImage"}, {"NotAction": "ecr:BatchGetImage"}),
        ({"Action": "ecr:*"}, {"Action": ["ecr:*", "ecr:BatchGetImage"]}),
        ({"Principal": {"AWS": "*"}}, {"Principal": {"Service": "*"}}),
        (
            {"Principal": {"AWS": "arn:aws:iam::123456789012:role/a"}},
            {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        ),
        ({"Condition": {"Null": {"a": "true"}}}, {"Condition": {"Null": {"a": "false"}}}),
    ],
)
def test_statements_that_differ_are_different(one: Json, other: Json) -> None:
    assert policy(**one) != policy(**other)


def test_one_statement_is_a_list_of_one_in_any_order() -> None:
    first, second = {"Sid": "a", "Effect": "Deny"}, {"Sid": "b", "Effect": "Deny"}
    assert policies.repository_policy({"Statement": first}) == policies.repository_policy({"Statement": [first]})
    one, other = ({"Statement": pair} for pair in ([first, second], [second, first]))
    assert policies.repository_policy(one) == policies.repository_policy(other)


def test_a_policy_without_version_has_the_oldest() -> None:
    assert policies.repository_policy({"Statement": []}) == policies.repository_policy(
        {"Version": "2008-10-17", "Statement": []}
    )
    assert policy() != policies.repository_policy({"Statement": [{"Effect": "Allow"}]})


RULE: Json = {
    "rulePriority": 1,
    "selection": {
        "tagStatus": "tagged",
        "tagPrefixList": ["a", "b"],
        "countType": "imageCountMoreThan",
        "countNumber": 5,
    },
    "action": {"type": "expire"},
}


def test_lifecycle_rules_go_by_their_priority() -> None:
    second = {**RULE, "rulePriority": 10}
    assert rules(second, RULE) == rules(RULE, second)
    assert rules(RULE, second)["rules"][1]["rulePriority"] == 10
    assert rules({**RULE, "rulePriority": 2}, second)["rules"][0]["rulePriority"] == 2


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"rulePriority": "1"}, True),
        ({"description": ""}, True),
        ({"description": "x"}, False),
        ({"selection": {**RULE["selection"], "countNumber": "5"}}, True),
        ({"selection": {**RULE["selection"], "countNumber": 6}}, False),
        ({"selection": {**RULE["selection"], "tagPrefixList": ["b", "a"]}}, True),
        ({"selection": {**RULE["selection"], "tagPrefixList": ["a"]}}, False),
        ({"selection": {**RULE["selection"], "tagPatternList": []}}, True),
    ],
)
def test_rules_are_compared_by_meaning(change: Json, same: bool) -> None:
    assert (rules({**RULE, **change}) == rules(RULE)) is same


def test_tag_patterns_have_no_order() -> None:
    one, other = (
        {"selection": {"tagPatternList": patterns}} for patterns in (["dev-*", "test-*"], ["test-*", "dev-*"])
    )
    assert rules({**RULE, **one}) == rules({**RULE, **other})


@pytest.mark.parametrize("read", [policies.repository_policy, policies.lifecycle_policy])
def test_nothing_means_no_policy(read: t.Callable[[t.Any], Json]) -> None:
    assert read({}) == read("{}") == {}


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (policies.repository_policy, "", "policy: expected JSON, got: "),
        (policies.repository_policy, "{", "policy: expected JSON, got: "),
        (policies.repository_policy, "[]", "policy: expected a dictionary"),
        (policies.repository_policy, {"Statement": ["x"]}, "expected each Statement to be a dictionary"),
        (policies.lifecycle_policy, "null", "lifecycle_policy: expected a dictionary"),
        (policies.lifecycle_policy, {"rule": []}, "expected member 'rules'"),
        (policies.lifecycle_policy, {"rules": ["x"]}, "expected member 'rules'"),
    ],
)
def test_what_is_no_policy_is_refused_by_name(read: t.Callable[[t.Any], Json], value: t.Any, message: str) -> None:
    with pytest.raises(SlipwayError, match=message) as error:
        read(value)
    assert error.value.code == "invalid_option"


text = st.text("abc*:", min_size=1, max_size=4)
some = st.one_of(text, st.lists(text, max_size=3))
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Sid": text,
        "Action": some,
        "Principal": st.one_of(st.just("*"), st.dictionaries(st.sampled_from(["AWS", "Service"]), some)),
        "Condition": st.dictionaries(text, st.dictionaries(text, some, max_size=2), max_size=2),
    },
)


@given(st.lists(statements, max_size=3), st.randoms())
def test_the_normal_form_is_stable_and_ignores_order(given_statements: list[Json], random: t.Any) -> None:
    normal = policies.repository_policy({"Statement": given_statements})
    assert policies.repository_policy(normal) == normal
    assert policies.repository_policy(json.loads(policies.text(normal))) == normal
    shuffled = random.sample(given_statements, len(given_statements))
    assert policies.repository_policy({"Statement": shuffled}) == normal
