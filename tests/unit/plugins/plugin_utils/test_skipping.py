# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role is skipped only if everything that it depends on is as in a proven record."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils import skipping

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[4]
# The roles that have records.
ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/converge.yml"))
INPUTS = {"variables": "1", "dependencies": "2", "files": "3", "collection": "4"}
RECORD = {"inputs": INPUTS, "proven": True, "unproven": "", "differences": [], "result": {}, "at": "then"}
READ: Json = {
    "records": {"ecs_app": RECORD},
    "problems": {},
    "states": {"ecs_app": {"digest": "5", "unstable": []}},
    "unknown": [],
}


def options_of(role: str) -> Json:
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())
    return dict(specs["argument_specs"]["main"]["options"])


def reason(read: Json | None = None, given: Json | None = None, role: str = "ecs_app", **members: Any) -> str:
    return skipping.why_not(role, members.get("group", ""), given or INPUTS, read or READ, members.get("obstacles", []))


def other(value: Any) -> Any:
    """A value that differs from this one."""
    return [*value, "x"] if isinstance(value, list) else {**value, "x": "x"} if isinstance(value, dict) else f"{value}x"


def test_a_role_as_in_its_proven_record_is_skipped() -> None:
    assert reason() == ""


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"records": {}}, "no record"),
        ({"records": {}, "problems": {"ecs_app": "its record is damaged"}}, "its record is damaged"),
        ({"records": {"ecs_app": {**RECORD, "proven": False, "unproven": "changed it"}}}, "changed it"),
        ({"records": {"ecs_app": {**RECORD, "differences": ["service web"]}}}, "not as recorded: service web"),
        ({"states": {"ecs_app": {"digest": "5", "unstable": ["service web"]}}}, "not stable: service web"),
        ({"unknown": [{"kind": "service", "roles": ["ecs_app"], "action": "ecs:DescribeServices"}]}, "ecs:Describe"),
        ({"unknown": [{"kind": "record", "roles": [], "action": "ssm:GetParametersByPath"}]}, "ssm:GetParameters"),
    ],
)
def test_whatever_differs_from_the_record_is_said(members: Json, said: str) -> None:
    assert said in reason({**READ, **members})


def test_what_other_roles_depend_on_does_not_count() -> None:
    unknown = [{"kind": "subnet", "roles": ["ecs_network"], "action": "ec2:DescribeSubnets"}]
    assert reason({**READ, "unknown": unknown}) == ""


@pytest.mark.parametrize("part", skipping.PARTS)
def test_each_part_of_the_inputs_counts(part: str) -> None:
    assert skipping.PARTS[part] in reason(given={**INPUTS, part: "other"})


def test_a_role_may_have_reasons_of_its_own() -> None:
    assert reason(obstacles=["The VPC is not the project's."]) == "The VPC is not the project's."


def test_a_group_of_services_has_its_own_record() -> None:
    assert reason(group="shop") == "no record"


@pytest.mark.parametrize(("role", "name"), [(role, name) for role in ROLES for name in options_of(role)])
def test_a_change_of_any_variable_is_a_change_of_the_inputs(role: str, name: str) -> None:
    options = options_of(role)
    values = {option: spec.get("default") for option, spec in options.items()}
    changed = {**copy.deepcopy(values), name: other(values[name])}
    one, two = (skipping.variables_of(options, given.get) for given in (values, changed))
    assert skipping.inputs(one, {}, {}, {})["variables"] != skipping.inputs(two, {}, {}, {})["variables"]


@pytest.mark.parametrize(
    ("role", "name"),
    [(role, name) for role in ROLES for name, one in options_of(role).items() if one["type"] == "list"],
)
def test_another_order_of_a_list_is_a_change_of_the_inputs(role: str, name: str) -> None:
    """Subnets go to zones by their position, and so on: only AWS's own lists are sets."""
    options = options_of(role)
    one, two = (skipping.variables_of(options, {name: value}.get) for value in (["a", "b"], ["b", "a"]))
    assert skipping.inputs(one, {}, {}, {})["variables"] != skipping.inputs(two, {}, {}, {})["variables"]
    parts = ({name: ["a", "b"]}, {name: ["b", "a"]})
    assert skipping.inputs({}, parts[0], {}, {}) != skipping.inputs({}, parts[1], {}, {})


def test_values_of_secrets_are_no_inputs() -> None:
    options = options_of("ecs_app")
    one, two = ({"ecs_app_secret_values": {"key": value}} for value in ("red", "blue"))
    assert skipping.variables_of(options, one.get) == skipping.variables_of(options, two.get)
    more = {"ecs_app_secret_values": {"key": "red", "other": "blue"}}
    assert skipping.variables_of(options, one.get) != skipping.variables_of(options, more.get)


def test_variables_that_hold_a_secret_are_found() -> None:
    container = {"name": "web", "environment": [{"name": "DB_PASSWORD", "value": "red"}]}
    services = [{"name": "web", "task_definition": {"containerDefinitions": [container]}}]
    assert skipping.secrets_in({"ecs_app_services": services, "ecs_app_tags": {}}) == ["ecs_app_services"]
