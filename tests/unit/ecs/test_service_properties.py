# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever service botocore's shapes allow: made once, asked again without a difference, and of any one change exactly
that is seen."""

from __future__ import annotations

import copy
import itertools
import typing as t

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import normalise
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import check_options, option_names
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.defaults import fill
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.members import SETS
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.model import (
    DesiredService,
    Shapes,
    from_api,
    plan_service,
)

Json = dict[str, t.Any]
Path = tuple[t.Any, ...]
TEXT = st.text("abc", min_size=1, max_size=3)
SETTINGS = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# No settings of the service, or not of the kind that is compared.
ELSEWHERE = {"cluster", "serviceName", "clientToken", "tags"}
# A change of these is refused, or is seen in other members as well, and rightly so.
DECIDING = {"launchType", "schedulingStrategy", "role", "deploymentController"}
SWITCHES = {"strategy", "enable", "enabled", "type"}
# What identifies an element: with another value it is another element.
IDENTITIES = {(name, member) for name, members in SETS.items() for member in members}


def values(shape: t.Any, name: str) -> st.SearchStrategy[t.Any]:
    """Values of a botocore shape; `name` is the member that holds it."""
    if shape.type_name == "structure":
        return structures(shape)
    if shape.type_name == "list":
        return lists(shape, name)
    least = getattr(shape, "metadata", {}).get("min", 1)
    simple = {
        "map": st.dictionaries(TEXT, TEXT, max_size=2),
        "boolean": st.booleans(),
        "integer": st.integers(least, least + 8),
        "double": st.sampled_from([1.0, 2.5, 7.5]),
    }
    if shape.type_name in simple:
        return simple[shape.type_name]
    return st.sampled_from(shape.enum) if getattr(shape, "enum", ()) else TEXT


def structures(shape: t.Any) -> st.SearchStrategy[Json]:
    every = {name: values(member, name) for name, member in shape.members.items() if name != "hookDetails"}
    # Of a name without a value nothing is left: it is refused.
    pair = set(shape.members) if set(shape.members) in ({"name", "value"}, {"key", "value"}) else set()
    required = {name: strategy for name, strategy in every.items() if name in {*shape.required_members, *pair}}
    return st.fixed_dictionaries(required, optional={name: every[name] for name in every if name not in required})


def option(name: str) -> str:
    return {member: text for text, member in NAMES.items()}.get(name, name)


def lists(shape: t.Any, name: str) -> st.SearchStrategy[list[t.Any]]:
    """Elements are all unlike one another, and have what identifies them."""
    identity = SETS.get(option(name), ())
    unique = (lambda item: repr([item.get(key) for key in identity])) if identity else repr
    elements = values(shape.member, name)
    if identity:
        elements = elements.filter(lambda item: all(key in item for key in identity[:1]))
    return st.lists(elements, min_size=1, max_size=2, unique_by=unique)


NAMES: dict[str, str] = {}


@pytest.fixture(scope="module")
def shapes(ecs_model: t.Any) -> Shapes:
    create, update = (ecs_model.operation_model(name).input_shape for name in ("CreateService", "UpdateService"))
    NAMES.update(option_names(create))
    return Shapes(create, update)


def drawn(data: st.DataObject, shapes: Shapes, without: t.Collection[str] = ()) -> Json:
    """Options for a service, a few of all that there are."""
    names = sorted(set(shapes.create.members) - ELSEWHERE - set(without))
    chosen = data.draw(st.sets(st.sampled_from(names), min_size=1, max_size=4), label="members")
    if {"launchType", "capacityProviderStrategy"} <= chosen:
        chosen.discard("launchType")
    return {option(name): data.draw(values(shapes.create.members[name], name), label=name) for name in sorted(chosen)}


def answer(options: Json, scheduling: str) -> Json:
    """The service as AWS would return it: the given options, completed."""
    filled = fill(options, scheduling)
    to_result = {NAMES[name]: value for name, value in filled.items()}
    to_result["roleArn"] = to_result.pop("role", "")
    return {"serviceName": "web", "status": "ACTIVE", "schedulingStrategy": scheduling, "deployments": [], **to_result}


def plan(current: Json, asked: Json, shapes: Shapes) -> t.Any:
    return plan_service(from_api(current, current.get("monitoring")), DesiredService(asked), shapes)


def turned(value: t.Any, name: str = "") -> t.Any:
    """The same with every set in another order."""
    if isinstance(value, dict):
        return {key: turned(member, key) for key, member in value.items()}
    if isinstance(value, list):
        items = [turned(item, name) for item in value]
        return items[::-1] if option(name) in SETS else items
    return value


def leaves(value: t.Any, path: Path = ()) -> t.Iterator[Path]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from leaves(element, (*path, index))
    else:
        yield path


def mutated(options: Json, path: Path) -> Json:
    copied = copy.deepcopy(options)
    holder: t.Any = copied
    for part in path[:-1]:
        holder = holder[part]
    old = holder[path[-1]]
    holder[path[-1]] = (not old) if isinstance(old, bool) else f"{old}z" if isinstance(old, str) else old + 10
    return copied


def names_of(path: Path) -> Path:
    return tuple(part for part in path if isinstance(part, str))


def is_identity(path: Path) -> bool:
    return len(path) > 1 and path[-2:] in IDENTITIES


def scheduling_of(options: Json) -> str:
    return str(options.get("scheduling_strategy", "REPLICA"))


@SETTINGS
@given(data=st.data())
def test_the_canonical_form_is_one(data: st.DataObject, shapes: Shapes) -> None:
    options = drawn(data, shapes)
    scheduling = scheduling_of(options)
    once = normalise(fill(options, scheduling), SETS)
    assert normalise(fill(once, scheduling), SETS) == once


@SETTINGS
@given(data=st.data())
def test_the_check_takes_what_the_api_takes_and_changes_nothing(data: st.DataObject, shapes: Shapes) -> None:
    options = drawn(data, shapes)
    assert check_options(shapes.create, options) == options


@SETTINGS
@given(data=st.data())
def test_what_was_created_and_is_requested_again_is_no_difference(data: st.DataObject, shapes: Shapes) -> None:
    options = drawn(data, shapes)
    current = answer(options, scheduling_of(options))
    assert plan(current, options, shapes).plan.diff == {"before": {}, "after": {}}
    assert not plan(current, turned(options), shapes).changed
    assert not plan(current, {}, shapes).changed


@SETTINGS
@given(data=st.data())
def test_any_one_change_is_seen_is_all_that_is_named_and_is_sent(data: st.DataObject, shapes: Shapes) -> None:
    options = drawn(data, shapes, without=DECIDING)
    paths = [path for path in leaves(options) if path[-1] not in SWITCHES]
    assume(paths)
    path = data.draw(st.sampled_from(paths), label="path")
    asked = mutated(options, path)
    current = answer(options, "REPLICA")
    assume(normalise(fill(asked, "REPLICA"), SETS) != normalise(fill(options, "REPLICA"), SETS))
    planned = plan(current, asked, shapes)
    assert planned.plan.members == {path[0]}
    assert set(planned.request) - {"forceNewDeployment"} == {NAMES[path[0]]}
    names = names_of(path)
    if not is_identity(names) and not has_no_identity(path):
        named = {names_of(leaf) for side in planned.plan.diff.values() for leaf in leaves(side)}
        assert {leaf for leaf in named if not is_identity(leaf)} == {names}


def has_no_identity(path: Path) -> bool:
    """True when the change is inside an element that nothing identifies: such lists are shown whole."""
    holders = [part for part, index in itertools.pairwise(path) if isinstance(index, int)]
    return any(not SETS.get(str(holder)) for holder in holders) or "portName" in path


@SETTINGS
@given(data=st.data())
def test_the_prediction_is_what_a_second_run_finds(data: st.DataObject, shapes: Shapes) -> None:
    options, asked = drawn(data, shapes, without=DECIDING), drawn(data, shapes, without=DECIDING)
    current = answer(options, "REPLICA")
    first = plan(current, asked, shapes)
    after = answer({**options, **{name: first.plan.predicted[name] for name in asked}}, "REPLICA")
    assert not plan(after, asked, shapes).changed
