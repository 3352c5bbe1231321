# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the values of options change. Pure."""

from __future__ import annotations

import re
import typing as t

from ..notes import Notes
from . import text as yaml_text
from .options import Option
from .text import Edit, Node, Pair

_SPELLED = "Its members must have AWS's spelling, such as capacityProvider."
_NETWORK = {"subnets": "subnets", "security_groups": "securityGroups", "assign_public_ip": "assignPublicIp"}


class Place(t.NamedTuple):
    """Where an option stands, and who hears what has to be done by hand."""

    source: str
    name: str
    notes: Notes

    def note(self, option: str, reason: str, advice: str) -> None:
        self.notes.add(f"{self.name}.{option}", reason, advice)


def edits(place: Place, pair: Pair, option: Option) -> list[Edit]:
    """The edits of one member of a task's options."""
    key, value = pair
    if not option.to:
        return [yaml_text.removed(place.source, pair)]
    renames = [yaml_text.renamed(key, option.to)] if yaml_text.scalar(key) != option.to else []
    return [*renames, *_CHANGES[option.change](place, key, value)]


def is_left_out(pair: Pair, option: Option) -> bool:
    """Whether a value means the same as none."""
    value = yaml_text.scalar(pair[1])
    if option.change == "no_empty":
        return yaml_text.kind(pair[1]) == "scalar" and value == ""
    if option.change == "empty_if_true":
        return value.lower() in ("false", "no", "")
    return option.to == "network_mode" and value == "default"


def _same(_place: Place, _key: Node, _value: Node) -> list[Edit]:
    return []


def _camel(place: Place, key: Node, value: Node) -> list[Edit]:
    """Keys in snake case, at any depth, as AWS spells them."""
    if yaml_text.kind(value) == "scalar":
        place.note(yaml_text.scalar(key), _SPELLED, "Change them where you define them.")
        return []
    found: list[Edit] = []
    for inner, below in yaml_text.pairs(value):
        name = camel(yaml_text.scalar(inner))
        if name != yaml_text.scalar(inner):
            found.append(yaml_text.renamed(inner, name))
        found += _inner_camel(place, below)
    for item in yaml_text.items(value):
        found += _inner_camel(place, item)
    return found


def _inner_camel(place: Place, value: Node) -> list[Edit]:
    return _camel(place, value, value) if yaml_text.kind(value) != "scalar" else []


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def _upper(place: Place, _key: Node, value: Node) -> list[Edit]:
    if yaml_text.is_template(value):
        inner = re.fullmatch(r"\{\{(.*)\}\}", yaml_text.scalar(value), re.DOTALL)
        if not inner:
            return []
        return [yaml_text.replaced(place.source, value, f'"{{{{ ({inner[1].strip()}) | upper }}}}"')]
    return [yaml_text.replaced(place.source, value, yaml_text.scalar(value).upper())]


def _list(place: Place, _key: Node, value: Node) -> list[Edit]:
    written = place.source[value.start_mark.index : yaml_text.end_of(place.source, value)]
    return [yaml_text.replaced(place.source, value, f"[{written}]")]


def _scan(place: Place, key: Node, value: Node) -> list[Edit]:
    written = place.source[value.start_mark.index : yaml_text.end_of(place.source, value)]
    return [yaml_text.replaced(place.source, value, f"{{scanOnPush: {written}}}")]


def _empty(place: Place, _key: Node, value: Node) -> list[Edit]:
    if yaml_text.is_template(value):
        place.note(yaml_text.scalar(_key), "An empty policy removes the policy.", "Write the condition as a template.")
    return [yaml_text.replaced(place.source, value, "{}")]


def _state(place: Place, _key: Node, value: Node) -> list[Edit]:
    return [yaml_text.replaced(place.source, value, "absent")] if yaml_text.scalar(value) == "deleting" else []


def _network(place: Place, key: Node, value: Node) -> list[Edit]:
    """Subnets, groups and the public address, one level deeper and in AWS's spelling."""
    if yaml_text.kind(value) != "mapping":
        place.note(
            yaml_text.scalar(key),
            "It is a template whose value must have AWS's spelling: {awsvpcConfiguration: {subnets, securityGroups,"
            " assignPublicIp}}.",
            "Change it where you define it.",
        )
        return []
    inner: list[Edit] = []
    for name, below in value.value:
        option = yaml_text.scalar(name)
        if _NETWORK.get(option, option) != option:
            inner.append(yaml_text.renamed(name, _NETWORK[option]))
        if option == "assign_public_ip":
            inner.append(yaml_text.replaced(place.source, below, _public(below)))
        if option == "security_groups":
            _by_name(place, key, below)
    start, end = value.start_mark.index, yaml_text.end_of(place.source, value)
    written = yaml_text.applied(place.source, inner, start, end)
    if value.flow_style:
        return [Edit(start, end, f"{{awsvpcConfiguration: {written}}}")]
    margin = " " * (value.start_mark.column + 2)
    return [Edit(start, end, f"awsvpcConfiguration:\n{margin}{yaml_text.indented(written, 2)}")]


def _public(value: Node) -> str:
    text = yaml_text.scalar(value)
    inner = re.fullmatch(r"\{\{(.*)\}\}", text, re.DOTALL)
    if inner:
        return f"\"{{{{ ({inner[1].strip()}) | bool | ternary('ENABLED', 'DISABLED') }}}}\""
    return "ENABLED" if text.lower() in ("true", "yes", "on", "1") else "DISABLED"


def _by_name(place: Place, key: Node, groups: Node) -> None:
    names = [yaml_text.scalar(item) for item in yaml_text.items(groups)]
    others = [name for name in names if not name.startswith("sg-") and "{{" not in name]
    if others:
        place.note(
            yaml_text.scalar(key),
            f"securityGroups takes IDs; {', '.join(others)} is a name.",
            "Find its ID with amazon.aws.ec2_security_group_info.",
        )


def _registries(place: Place, key: Node, value: Node) -> list[Edit]:
    found = _camel(place, key, value)
    for item in yaml_text.items(value):
        arn = yaml_text.member(item, "arn")
        if arn:
            found.append(yaml_text.renamed(arn[0], "registryArn"))
    return found


def _containers(place: Place, _key: Node, value: Node) -> list[Edit]:
    """Conditions in capitals, as AWS documents them."""
    found: list[Edit] = []
    for container in yaml_text.items(value):
        after = yaml_text.member(container, "dependsOn")
        for one in yaml_text.items(after[1]) if after else ():
            condition = yaml_text.member(one, "condition")
            if condition and not yaml_text.is_template(condition[1]):
                found += _upper(place, condition[0], condition[1])
    return found


_CHANGES: dict[str, t.Callable[[Place, Node, Node], list[Edit]]] = {
    "same": _same,
    "camel": _camel,
    "upper": _upper,
    "list": _list,
    "network": _network,
    "registries": _registries,
    "scan": _scan,
    "state": _state,
    "empty_if_true": _empty,
    "container_definitions": _containers,
    "no_empty": _same,
    "wait": _same,
}
