# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules offer every member of target groups, attributes and rules that botocore knows: `make test` fails when a
newer one has more. What is offered is compared, too: another value of any member is a difference."""

from __future__ import annotations

import copy
import importlib
import re
import typing as t

import botocore.session
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._core import rule_actions as actions
from ansible_collections.slipway.aws.plugins.module_utils._core import rule_conditions as conditions
from ansible_collections.slipway.aws.plugins.module_utils._core.target_group_attributes import ATTRIBUTES, KINDS
from ansible_collections.slipway.aws.plugins.module_utils._core.target_groups import CODES, HEALTH
from ansible_collections.slipway.aws.plugins.module_utils._elb.listener_rules import model
from ansible_collections.slipway.aws.plugins.module_utils._elb.target_group.model import FIXED

Json = dict[str, t.Any]
Path = tuple[t.Any, ...]
ELB = botocore.session.get_session().get_service_model("elbv2")

# Members of the requests for target groups, and the option that sets each.
GROUP_OPTIONS = {member: option for option, member in (FIXED | HEALTH).items()} | {
    "Name": "name",
    "Matcher.HttpCode": CODES,
    "Matcher.GrpcCode": CODES,
    "Tags": "tags",
}
# Members of requests for rules that no option of the same name sets, and what stands for them.
RULE_OPTIONS = {
    "ListenerArn": "listener_arn",
    "Priority": "rules.priority",
    "Tags": "owner_tags",
    "Conditions": "rules.conditions",
    "Actions": "rules.actions",
    "Transforms": "rules.transforms",
}
# Members that no option offers, and why.
LEFT_OUT = {
    "ModifyTargetGroup": {"TargetGroupArn": "follows from the name"},
    "ModifyRule": {
        "RuleArn": "follows from the priority",
        "ResetTransforms": "follows from a rule that has transforms and should have none",
    },
}
# Members whose other values are no difference, and why.
NOT_COMPARED = {
    "Actions.Order": "the place in the list says it",
    "Actions.AuthenticateOidcConfig.ClientSecret": "AWS does not return it: the option client_secret",
    "Actions.AuthenticateOidcConfig.UseExistingClientSecret": "AWS does not return it: the option renew_client_secret",
}


def documentation(module: str) -> Json:
    code = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}")
    return dict(yaml.safe_load(code.DOCUMENTATION)["options"])


def members(operation: str) -> t.Iterator[str]:
    shape = ELB.operation_model(operation).input_shape
    for name, member in shape.members.items():
        yield from [f"{name}.{one}" for one in member.members] if member.type_name == "structure" else [name]


@pytest.mark.parametrize("operation", ["CreateTargetGroup", "ModifyTargetGroup"])
def test_no_member_of_a_target_group_is_missing(operation: str) -> None:
    offered = {*documentation("elb_target_group"), "tags"}
    options = {name: GROUP_OPTIONS.get(name) for name in members(operation) if name not in LEFT_OUT.get(operation, {})}
    assert {name for name, option in options.items() if option not in offered} == set()


def test_no_member_that_target_groups_have_is_missing() -> None:
    """Of an answer, too."""
    known = {*GROUP_OPTIONS, "Matcher", "TargetGroupArn", "TargetGroupName", "LoadBalancerArns"}
    assert set(ELB.shape_for("TargetGroup").members) - known == set()


@pytest.mark.parametrize(
    ("option", "shape"),
    [
        ("protocol", "ProtocolEnum"),
        ("target_type", "TargetTypeEnum"),
        ("ip_address_type", "TargetGroupIpAddressTypeEnum"),
    ],
)
def test_no_choice_of_a_target_group_is_missing(option: str, shape: str) -> None:
    assert set(documentation("elb_target_group")[option]["choices"]) == set(ELB.shape_for(shape).enum)


def test_each_protocol_has_its_attributes() -> None:
    assert set(KINDS) == set(ELB.shape_for("ProtocolEnum").enum)


def test_no_attribute_is_missing() -> None:
    """AWS documents them in the model: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
    API_TargetGroupAttribute.html"""
    text = ELB.shape_for("TargetGroupAttribute").members["Key"].documentation
    documented = set(re.findall(r"<code>([a-z0-9_]+(?:\.[a-z0-9_]+)+)</code> [-\u2013]", text))
    assert len(documented) > 20
    assert documented == set(ATTRIBUTES)
    described = str(documentation("elb_target_group")["attributes"]["description"])
    lacking = {key for key in ATTRIBUTES if not any(f"C({one})" in described for one in (key, key.rpartition(".")[0]))}
    assert lacking == {"deregistration_delay.timeout_seconds"}


@pytest.mark.parametrize("operation", ["CreateRule", "ModifyRule"])
def test_no_member_of_a_rule_is_missing(operation: str) -> None:
    options = documentation("elb_listener_rules")
    offered = {*options, *(f"rules.{name}" for name in options["rules"]["suboptions"])}
    found = {name: RULE_OPTIONS.get(name) for name in members(operation) if name not in LEFT_OUT.get(operation, {})}
    assert {name for name, option in found.items() if option not in offered} == set()


def test_no_kind_of_action_or_transform_is_missing() -> None:
    assert set(actions.CONFIGURATIONS) == set(ELB.shape_for("ActionTypeEnum").enum)
    assert set(actions.TRANSFORMS) == set(ELB.shape_for("TransformTypeEnum").enum)


def test_no_settings_of_a_condition_are_missing() -> None:
    known = {"Field", *conditions.LISTS, *conditions.CONFIGURATIONS.values()}
    assert set(ELB.shape_for("RuleCondition").members) == known


# Every member is compared


def sample(shape: t.Any) -> t.Any:
    """A value of a shape with all of its members."""
    if shape.type_name == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member)]
    if shape.type_name == "map":
        return {"a": "b"}
    if shape.enum if shape.type_name == "string" else False:
        return shape.enum[0]
    return {"boolean": True, "integer": 2, "long": 2}.get(shape.type_name, "a")


def other(value: t.Any) -> t.Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}b"


def leaves(value: t.Any, path: Path = ()) -> t.Iterator[Path]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in items:
            yield from leaves(member, (*path, key))
    else:
        yield path


def changed(value: Json, path: Path) -> Json:
    whole = copy.deepcopy(value)
    inner: t.Any = whole
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other(inner[path[-1]])
    return whole


def with_all(shape: str, kind: str, kinds: t.Mapping[str, str], flat: tuple[str, ...] = ()) -> Json:
    """An element of that kind, with everything that its settings have."""
    every = sample(ELB.shape_for(shape))
    name = "Field" if shape == "RuleCondition" else "Type"
    kept = {key: value for key, value in every.items() if key in {kinds[kind], *flat}}
    return {name: kind, **kept}


ELEMENTS = {
    **{
        ("Conditions", kind): with_all("RuleCondition", kind, conditions.CONFIGURATIONS)
        for kind in conditions.CONFIGURATIONS
    },
    **{
        ("Actions", kind): with_all("Action", kind, actions.CONFIGURATIONS, ("Order",))
        for kind in actions.CONFIGURATIONS
    },
    **{("Transforms", kind): with_all("RuleTransform", kind, actions.TRANSFORMS) for kind in actions.TRANSFORMS},
}
# The only target group gets all requests, whatever its weight.
ELEMENTS["Actions", "forward"]["ForwardConfig"]["TargetGroups"] += [{"TargetGroupArn": "c", "Weight": 2}]
CASES = [(place, kind, path) for (place, kind), element in ELEMENTS.items() for path in leaves(element)]


def settings(place: str, element: Json) -> Json:
    answer = {"RuleArn": "arn", "Priority": "1", "Actions": [], "Conditions": [], place: [element]}
    return model.settings(model.from_api([answer])[0])


@pytest.mark.parametrize(
    ("place", "kind", "path"), CASES, ids=[f"{kind}: {'.'.join(map(str, path))}" for _, kind, path in CASES]
)
def test_another_value_of_a_member_is_a_difference(place: str, kind: str, path: Path) -> None:
    if path in {("Type",), ("Field",)}:
        return
    element = ELEMENTS[place, kind]
    name = ".".join((place, *(str(key) for key in path if isinstance(key, str))))
    differs = settings(place, element) != settings(place, changed(element, path))
    assert differs != (name in NOT_COMPARED)
