"""The security controls that the guide calls met are met, and each says what proves it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils.variables import PROJECT

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import controls  # noqa: E402  # docs/ is no package

Json = dict[str, Any]
CONTROLS = {controls.names(one): one for rows in controls.controls().values() for one in rows}
PROVEN = {name: one for name, one in CONTROLS.items() if one["met"] in {"default", "variable"}}
# What the roles create; the local cloud is none of AWS's.
ROLES = [path for path in (ROOT / "roles").iterdir() if path.name != "local_cloud"]
TASKS = [path for role in ROLES for path in (role / "tasks").glob("*.yml")]
SPECS: dict[str, Json] = {}
DEFAULTS: Json = {}
for role in ROLES:
    SPECS |= yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    if (role / "defaults/main.yml").exists():
        DEFAULTS |= yaml.safe_load((role / "defaults/main.yml").read_text()) or {}


def is_test(name: str) -> bool:
    """Whether there is a test of this name, `<file>::<class>::<function>`."""
    path, *names = name.split("::")
    found: list[ast.AST] = [ast.parse((ROOT / path).read_text())]
    for one in names:
        found = [node for parent in found for node in ast.iter_child_nodes(parent) if getattr(node, "name", "") == one]
    return bool(found)


def members(value: Any, path: list[str]) -> Iterator[Any]:
    """All values at the end of a path, wherever it begins."""
    if isinstance(value, list):
        for one in value:
            yield from members(one, path)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == path[0]:
                yield from at(one, path[1:])
            yield from members(one, path)


def at(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from at(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from at(value[path[0]], path[1:])


def is_proven(proof: Json) -> bool:
    if "test" in proof:
        return is_test(proof["test"])
    if "task" in proof:
        tasks = yaml.safe_load((ROOT / proof["task"]).read_text())
        return proof["value"] in members(tasks, proof["member"].split("."))
    if "default" in proof:
        return bool(DEFAULTS[proof["default"]] == proof["value"])
    return not [path for path in TASKS if proof["never"].lower() in path.read_text().lower()]


@pytest.mark.parametrize("name", PROVEN)
def test_a_control_that_is_met_has_a_proof(name: str) -> None:
    assert is_proven(PROVEN[name]["proof"])


@pytest.mark.parametrize("name", [name for name, one in CONTROLS.items() if "with" in one])
def test_a_variable_that_meets_a_control_exists(name: str) -> None:
    variable, *path = CONTROLS[name]["with"].replace("[]", "").split(".")
    found = SPECS.get(variable) or PROJECT[variable]
    for member in path:
        found = found["options"][member]


def test_each_control_says_whether_it_is_met_and_why_not() -> None:
    assert {one["met"] for one in CONTROLS.values()} == {"default", "variable", "no", "account"}
    assert [name for name, one in CONTROLS.items() if ("with" in one) != (one["met"] == "variable")] == []
    assert [name for name, one in CONTROLS.items() if one["met"] != "default" and not one.get("why")] == []
    assert [name for name, one in CONTROLS.items() if name not in PROVEN and "proof" in one] == []


def test_the_guide_lists_every_control() -> None:
    text = controls.GUIDE.read_text()
    assert text == controls.guide(text), "run `make docs`"


@pytest.mark.parametrize(
    "proof",
    [
        {"test": "tests/unit/test_controls.py::test_that_is_not_there"},
        {"task": "roles/ecs_cluster/tasks/hosts.yml", "member": "metadata_options.http_tokens", "value": "optional"},
        {"task": "roles/ecs_cluster/tasks/hosts.yml", "member": "metadata_options.http_token", "value": "required"},
        {"default": "ecs_load_balancer_drop_invalid_headers", "value": False},
        {"never": "http_tokens"},
    ],
    ids=str,
)
def test_a_proof_that_does_not_hold_is_none(proof: Json) -> None:
    assert not is_proven(proof)
