# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever task definition botocore's shapes allow: registered once, asked again without a difference, and of any one
change exactly that is seen."""

from __future__ import annotations

import copy
import itertools
import typing as t

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import check_options, snake
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition.model import (
    FILLED,
    SETS,
    canonical,
    draft,
)

Json = dict[str, t.Any]
Path = tuple[t.Any, ...]
TEXT = st.text("abc", min_size=1, max_size=3)
SETTINGS = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
# These decide what AWS fills in elsewhere, so a change of theirs is rightly seen elsewhere too.
DECIDING = ("network_mode", "requires_compatibilities", "runtime_platform")


def values(shape: t.Any, name: str) -> st.SearchStrategy[t.Any]:
    """Values of a botocore shape; `name` is the member that holds it."""
    if shape.type_name == "structure":
        return structures(shape)
    if shape.type_name == "list":
        return lists(shape, name)
    if shape.type_name == "map":
        return st.dictionaries(TEXT, TEXT, max_size=2)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "integer":
        return st.integers(1, 9)
    return st.sampled_from(shape.enum) if getattr(shape, "enum", ()) else TEXT


def structures(shape: t.Any) -> st.SearchStrategy[Json]:
    every = {name: values(member, name) for name, member in shape.members.items()}
    pair = (
        {"name", "value"} if set(shape.members) == {"name", "value"} else set()
    )  # one means nothing without the other
    required = {name: strategy for name, strategy in every.items() if name in {*shape.required_members, *pair}}
    optional = {name: strategy for name, strategy in every.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def lists(shape: t.Any, name: str) -> st.SearchStrategy[list[t.Any]]:
    """Sets have no two elements of one identity."""
    identity = SETS.get(name)
    if identity is None:
        return st.lists(values(shape.member, name), max_size=3)

    def unique(element: t.Any) -> str:
        return repr([{**FILLED.get(name, {}), **element}.get(key) for key in identity] if identity else element)

    return st.lists(values(shape.member, name), max_size=3, unique_by=unique)


@pytest.fixture(scope="module")
def register(ecs_model: t.Any) -> t.Any:
    return ecs_model.operation_model("RegisterTaskDefinition").input_shape


def drawn(data: st.DataObject, register: t.Any) -> Json:
    """A task definition with a few of its members and at least one container that has a name."""
    names = data.draw(st.sets(st.sampled_from(sorted(set(register.members) - {"tags", "family"})), max_size=4))
    names.add("containerDefinitions")
    members = {
        snake(name): data.draw(values(register.members[name], snake(name)), label=name) for name in sorted(names)
    }
    containers = [item for item in members["container_definitions"] if item.get("name")]
    return {**members, "family": "web", "container_definitions": containers or [{"name": "web", "image": "a"}]}


def leaves(value: t.Any, path: Path = ()) -> t.Iterator[tuple[Path, t.Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from leaves(element, (*path, index))
    else:
        yield path, value


def names_of(path: Path) -> Path:
    """The members on the path, up to a list without identified elements: that is named as a whole."""
    names: Path = ()
    for part in path:
        if isinstance(part, str):
            names += (part,)
        elif not SETS.get(names[-1]):
            break
    return names


def differing(diff: Json) -> set[Path]:
    """The members that a diff names, without those that only say which element is meant."""
    found = {names_of(path) for side in diff.values() for path, _value in leaves(side)}
    return {path for path in found if not is_identity(path)}


def is_identity(path: Path) -> bool:
    return len(path) > 1 and path[-1] in SETS.get(path[-2], ())


def changed(value: t.Any) -> t.Any:
    if isinstance(value, bool):
        return not value
    return value + 10 if isinstance(value, int) else f"{value}z"


def mutate(definition: Json, path: Path) -> Json:
    mutated = copy.deepcopy(definition)
    holder: t.Any = mutated
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = changed(holder[path[-1]])
    return mutated


@SETTINGS
@given(data=st.data())
def test_the_canonical_form_is_one(data: st.DataObject, register: t.Any) -> None:
    once = canonical(drawn(data, register))
    assert canonical(once) == once


@SETTINGS
@given(data=st.data())
def test_the_check_takes_what_the_api_takes_and_changes_nothing(data: st.DataObject, register: t.Any) -> None:
    definition = drawn(data, register)
    assert check_options(register, definition) == definition


@SETTINGS
@given(data=st.data())
def test_registering_the_same_again_is_no_difference(data: st.DataObject, register: t.Any) -> None:
    definition = drawn(data, register)
    answer = {**canonical(definition), "status": "ACTIVE", "tags": {}}
    turned = {name: value[::-1] if name in SETS else value for name, value in definition.items()}
    assert not draft(answer, definition, None).plan.changed
    assert not draft(answer, turned, None).plan.changed


@SETTINGS
@given(data=st.data())
def test_any_one_change_is_seen_and_is_all_that_is_named(data: st.DataObject, register: t.Any) -> None:
    definition = canonical(drawn(data, register))
    paths = [path for path, _value in leaves(definition) if path[0] not in (*DECIDING, "family")]
    path = data.draw(st.sampled_from(paths), label="path")
    mutated = mutate(definition, path)
    assume(sorted(map(repr, leaves(canonical(mutated)))) != sorted(map(repr, leaves(definition))))
    plan = draft({**definition, "status": "ACTIVE"}, mutated, None).plan
    assert plan.members == {path[0]}
    names = names_of(path)
    if is_identity(names):
        return  # one element goes, another comes: both are named whole
    assert differing(plan.diff) == {names}


WRITTEN = {"arn", "registered_at", "registered_by", "requires_attributes", "compatibilities"}
FAMILIES = itertools.count()
# moto does not keep it.
FORGOTTEN = {"enable_fault_injection"}


# The same examples in each run, since each quirk of moto would look like a fault of ours; shrinking would take minutes.
@settings(
    SETTINGS,
    max_examples=15,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_check_mode_predicts_what_is_registered_and_a_second_run_changes_nothing(
    data: st.DataObject, register: t.Any, run: t.Callable[..., Json]
) -> None:
    drawn_definition = drawn(data, register)
    definition = {name: value for name, value in drawn_definition.items() if name not in FORGOTTEN}
    definition["family"] = f"web{next(FAMILIES)}"
    if "requires_compatibilities" in definition:
        definition["network_mode"] = "awsvpc"  # moto's, whatever is requested
    # What is refused: a container without an image, a task without memory, what leads to nowhere, what is out of range.
    for name in ("cpu", "memory", "volumes", "ephemeral_storage"):
        definition.pop(name, None)
    for container in definition["container_definitions"]:
        for name in (
            "mountPoints",
            "volumesFrom",
            "dependsOn",
            "healthCheck",
            "restartPolicy",
            "portMappings",
            "secrets",
            "ulimits",
        ):
            container.pop(name, None)
        container.update(image="a", memory=64, memoryReservation=64, essential=True)
    predicted = run("ecs_task_definition", check=True, **definition)
    real = run("ecs_task_definition", **definition)
    assume(real.get("code") != "refused")  # such as a host's process namespace on Fargate
    assert "failed" not in predicted, predicted["msg"]
    assert predicted["diff"] == real["diff"]
    for result in (predicted, real):
        result["task_definition"] = {k: v for k, v in result["task_definition"].items() if k not in WRITTEN}
    assert predicted["task_definition"] == real["task_definition"]
    assert not run("ecs_task_definition", **definition)["changed"]
