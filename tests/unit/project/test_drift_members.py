# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between two answers of AWS: each member that its API knows, by a path that a person can follow."""

from __future__ import annotations

import copy
import json
import random
import typing as t

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._project.drift import members
from ansible_collections.slipway.aws.plugins.module_utils._project.drift.members import Change, changes

Json = dict[str, t.Any]
Path = tuple[t.Any, ...]
# Each answer that describes one of these, as botocore describes it.
SHAPES = {
    "service": ("ecs", "Service"),
    "task definition": ("ecs", "TaskDefinition"),
    "target group": ("elbv2", "TargetGroup"),
    "security group": ("ec2", "SecurityGroup"),
    "route": ("ec2", "Route"),
    "route table": ("ec2", "RouteTable"),
    "rule": ("elbv2", "Rule"),
}


def example(shape: t.Any, number: int = 0, above: tuple[str, ...] = ()) -> t.Any:
    """A value with every member of a shape, different for each number; None where a shape contains itself."""
    if shape.name in above:
        return None
    above = (*above, shape.name) if shape.type_name == "structure" else above
    if shape.type_name == "structure":
        filled = {name: example(member, number, above) for name, member in shape.members.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if shape.type_name == "list":
        elements = [example(shape.member, place, above) for place in (number, number + 1)]
        return None if None in elements else elements
    if shape.type_name == "map":
        value = example(shape.value, number, above)
        return None if value is None else {"first.one": value, "second": value}
    plain = {"boolean": number % 2 == 0, "timestamp": f"2026-11-{number + 10}T00:00:00Z"}
    numbers = dict.fromkeys(("integer", "long", "double", "float"), number + 1)
    return {**plain, **numbers}.get(shape.type_name, f"{shape.name}-{number}")


def leaves(value: t.Any, path: Path = ()) -> t.Iterator[Path]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in parts:
        yield from leaves(member, (*path, key))
    if not isinstance(value, (dict, list)):
        yield path


def changed(value: t.Any, path: Path) -> t.Any:
    """A copy with another value in one place."""
    found = copy.deepcopy(value)
    place = found
    for key in path[:-1]:
        place = place[key]
    old = place[path[-1]]
    place[path[-1]] = (not old) if isinstance(old, bool) else old + 100 if isinstance(old, int) else f"{old}-by-hand"
    return found


def without(value: t.Any, path: Path) -> t.Any:
    found = copy.deepcopy(value)
    place = found
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return found


def shuffled(value: t.Any, seed: int, name: str = "") -> t.Any:
    """The same with another order in each list whose order has no meaning."""
    if isinstance(value, dict):
        return {member: shuffled(value[member], seed, member) for member in sorted(value, reverse=True)}
    if not isinstance(value, list):
        return value
    elements = [shuffled(element, seed) for element in value]
    return elements if name in members.ORDERED else random.Random(seed).sample(elements, len(elements))


def named(path: Path) -> str:
    """The name of the member that a path leads to; the whole of a list with an order, which is shown as one."""
    names = [key for key in path if isinstance(key, str)]
    return next((name for name in names if name in members.ORDERED), names[-1])


def answer_of(kind: str) -> Json:
    service, name = SHAPES[kind]
    return t.cast(Json, example(botocore.session.get_session().get_service_model(service).shape_for(name)))


def misjudged(answer: Json, path: Path) -> bool:
    """Whether a change of one member is reported as anything else."""
    # Members at the top are compared one by one: without the others this is quick.
    answer = {path[0]: answer[path[0]]}
    other = changed(answer, path)
    found = changes(answer, other)
    tops = {change.member.replace("[", ".").split(".")[0] for change in found}
    # What identifies an element: one is missing, and another one is new.
    moved = [change.recorded is None or change.actual is None for change in found] == [True, True]
    reverse = [Change(one.member, one.actual, one.recorded, one.masked) for one in found]
    named_as_such = len(found) == 1 and (moved or named(path) in found[0].member)
    return tops != {str(path[0])} or not (moved or named_as_such) or changes(other, answer) != reverse


@pytest.mark.parametrize("kind", SHAPES)
def test_each_member_that_the_api_knows_is_compared(kind: str) -> None:
    answer = answer_of(kind)
    assert [path for path in leaves(answer) if misjudged(answer, path)] == []


@pytest.mark.parametrize("kind", SHAPES)
def test_each_member_that_is_deleted_is_seen(kind: str) -> None:
    answer = answer_of(kind)
    parts = [({path[0]: answer[path[0]]}, path) for path in leaves(answer)]
    assert [path for part, path in parts if not changes(part, without(part, path))] == []


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_another_order_is_no_drift(kind: str, seed: int) -> None:
    answer = answer_of(kind)
    assert changes(answer, shuffled(answer, seed)) == []


CONTAINER = {
    "name": "web",
    "image": "web:1",
    "command": ["serve", "--port", "80"],
    "environment": [{"name": "DEBUG", "value": "0"}, {"name": "DB_PASSWORD", "value": "hunter2"}],
    "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
}


def container(**members: t.Any) -> Json:
    return {"containerDefinitions": [{"name": "log", "image": "log:1"}, {**CONTAINER, **members}]}


@pytest.mark.parametrize(
    ("new", "member", "recorded", "actual"),
    [
        ({"image": "web:2"}, "image", "web:1", "web:2"),
        (
            {"environment": [*CONTAINER["environment"], {"name": "A", "value": "1"}]},
            "environment[A]",
            None,
            {"name": "A", "value": "1"},
        ),  # type: ignore[misc]
        (
            {"environment": [{"name": "DEBUG", "value": "1"}, CONTAINER["environment"][1]]},
            "environment[DEBUG].value",
            "0",
            "1",
        ),  # type: ignore[index]
        ({"command": ["serve", "80", "--port"]}, "command", ["serve", "--port", "80"], ["serve", "80", "--port"]),
        ({"portMappings": []}, "portMappings[80/tcp]", {"containerPort": 80, "protocol": "tcp"}, None),
    ],
)
def test_a_change_is_named_as_a_person_would(new: Json, member: str, recorded: t.Any, actual: t.Any) -> None:
    found = changes(container(), container(**new))
    assert found == [Change(f"containerDefinitions[web].{member}", recorded, actual)]


def test_an_attribute_with_dots_is_one_member() -> None:
    old, new = ({"Attributes": {"deregistration_delay.timeout_seconds": value}} for value in ("30", "60"))
    assert changes(old, new) == [Change("Attributes[deregistration_delay.timeout_seconds]", "30", "60")]


def statement(*actions: str) -> Json:
    return {"Sid": "Read", "Effect": "Allow", "Action": list(actions), "Resource": "*"}


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    ("new", "member"),
    [
        (policy(statement("s3:GetObject")), "policy.Statement[Read].Action"),
        (policy(statement("s3:GetObject", "s3:ListBucket"), {"Effect": "Deny"}), "policy.Statement[+1]"),
        (policy({**statement("s3:ListBucket", "s3:GetObject"), "Effect": "Deny"}), "policy.Statement[Read].Effect"),
        ("", "policy"),
    ],
)
def test_a_policy_is_compared_as_a_document(new: str, member: str) -> None:
    found = changes({"policy": policy(statement("s3:GetObject", "s3:ListBucket"))}, {"policy": new})
    assert [change.member for change in found] == [member]


@pytest.mark.parametrize(
    "new",
    [
        json.dumps(json.loads(policy(statement("s3:GetObject"))), indent=4, sort_keys=True),
        policy({**statement("s3:GetObject"), "Action": "s3:GetObject"}),
        json.dumps({"Version": "2012-10-17", "Statement": statement("s3:GetObject")}),
    ],
)
def test_another_spelling_of_a_policy_is_no_drift(new: str) -> None:
    assert changes({"policy": policy(statement("s3:GetObject"))}, {"policy": new}) == []


@pytest.mark.parametrize(("old", "new"), [({}, {"a": []}), ({"a": {}}, {}), ({"a": None}, {"a": []})])
def test_an_empty_member_equals_a_missing_one(old: Json, new: Json) -> None:
    assert changes(old, new) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]},
            {"environment": [{"name": "DB_PASSWORD", "value": "hunter3"}]},
        ),
        ({"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]}, {"environment": []}),
        (
            {"environment": [{"name": "DB_SECRET", "value": '{"user": "a", "pass": "hunter2"}'}]},
            {"environment": [{"name": "DB_SECRET", "value": '{"user": "a", "pass": "x"}'}]},
        ),
        (
            {"environment": [{"name": "DB", "value": "pg://a:hunter2@db"}]},
            {"environment": [{"name": "DB", "value": "pg://a:other@db"}]},
        ),
        ({"command": ["--password=hunter2"]}, {"command": ["--password=hunter3"]}),
        (
            {"logConfiguration": {"options": {"splunk-token": "hunter2"}}},
            {"logConfiguration": {"options": {"splunk-token": "x"}}},
        ),
        ({"userData": "cGFzc3dvcmQ9aHVudGVyMg== hunter2"}, {"userData": "cGFzc3dvcmQ9aHVudGVyMw=="}),
    ],
)
def test_a_secret_that_changed_is_named_and_not_shown(old: Json, new: Json) -> None:
    for found in (changes(old, new), changes(new, old)):
        assert len(found) == 1
        assert found[0].masked
        assert "hunter" not in json.dumps(found)


def test_plain_values_are_shown_beside_a_secret() -> None:
    found = changes(container(), container(environment=[{"name": "DEBUG", "value": "1"}, CONTAINER["environment"][1]]))  # type: ignore[index]
    assert [(one.recorded, one.actual, one.masked) for one in found] == [("0", "1", False)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", '{"a": 1}', "[]", "["]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "Sid", "b"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), VALUES))
def test_nothing_differs_from_itself(answer: Json) -> None:
    assert changes(answer, copy.deepcopy(answer)) == []


@given(st.lists(st.dictionaries(st.sampled_from(["name", "a"]), st.integers(0, 2)), max_size=4), st.data())
def test_an_element_more_is_seen_in_any_list(elements: list[Json], data: st.DataObject) -> None:
    new = data.draw(st.fixed_dictionaries({"name": st.integers(0, 3), "a": st.integers(0, 3)}))
    assert changes({"list": elements}, {"list": [*elements, new]}) != []


@pytest.mark.parametrize("name", ["command", "dnsSearchDomains", "dnsServers", "entryPoint"])
def test_another_order_is_drift_where_it_has_a_meaning(name: str) -> None:
    assert changes({name: ["a", "b"]}, {name: ["b", "a"]}) == [Change(name, ["a", "b"], ["b", "a"])]


def test_another_order_of_placement_strategies_is_drift() -> None:
    spread, pack = {"type": "spread", "field": "host"}, {"type": "binpack", "field": "memory"}
    found = changes({"placementStrategy": [spread, pack]}, {"placementStrategy": [pack, spread]})
    assert [change.member for change in found] == ["placementStrategy"]
