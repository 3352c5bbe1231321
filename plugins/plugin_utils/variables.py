# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables validated against the roles' argument specs and, where they are in AWS's spelling, its shapes. Pure.

Ansible itself ignores a variable that no role knows, and validates a role's variables only when that role is reached.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import (
    Shape,
    did_you_mean,
    named,
    problems_of,
    snake,
)
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE
from ansible_collections.slipway.aws.plugins.plugin_utils.variable_members import (
    ANSWERS,
    KEYS,
    SERVICE_OPTIONS,
    SHAPES,
)

Options = Mapping[str, Json]

# What all roles share, and what only playbooks read.
PROJECT: Options = {
    "slipway_project": {"type": "str"},
    "slipway_tags": {"type": "dict"},
    "slipway_region": {"type": "str"},
    "slipway_endpoint_url": {"type": "str"},
    "slipway_access_key": {"type": "str"},
    "slipway_secret_key": {"type": "str"},
    "slipway_profile": {"type": "str"},
    "slipway_account": {"type": "str"},
    "slipway_promoted": {"type": "bool"},
    "slipway_production": {"type": "bool"},
    "slipway_aws_config": {"type": "dict"},
    "slipway_permissions_boundary": {"type": "str"},
    "slipway_kms_key": {"type": "str"},
    "slipway_skip_converged": {"type": "bool"},
    "slipway_preflight": {"type": "bool"},
    "slipway_exit_code": {"type": "int"},
    "slipway_directory": {"type": "path"},
    "slipway_plain_values": {"type": "list", "elements": "str"},
    "slipway_apps": {"type": "path"},
    "slipway_prune": {"type": "bool"},
    "preflight_format": {"type": "str", "choices": ["list", "problems", "json", "none"]},
    "preflight_junit": {"type": "path"},
    "preflight_tags": {"type": "list"},
    "deployer_state": {"type": "str", "choices": ["present", "absent"]},
}
PROJECT_PREFIX = "slipway_"
# Internals of roles, and what Ansible itself knows.
FREE = ("__", "ansible_")
# How much of a name has to be the same for a suggestion, from 0 to 1.
SIMILAR = 0.7
# What a role returns beside its result.
FACTS = ("docker_host_there",)

Shapes = Callable[[str, str], Shape | None]
"""A shape by service and name; None where botocore is not installed."""


# Variables that argument specs call a dictionary, and whose members are known.
_WITH_KEYS = frozenset(place.removesuffix(".*") for place in KEYS)


def needs_value(option: Json, name: str = "") -> bool:
    """Whether more than a variable's name can be validated. Text is not, so that no secret is read for nothing."""
    if name in _WITH_KEYS:
        return True
    kind, elements = option.get("type", "str"), option.get("elements", "str")
    if "choices" in option or "options" in option:
        return True
    return elements in ("dict", "int", "float", "bool") if kind == "list" else kind in ("int", "float", "bool")


@dataclass(frozen=True)
class Specs:
    """The options of all roles, by name, and the prefixes that belong to them."""

    options: Options
    prefixes: tuple[str, ...]
    results: frozenset[str]

    @classmethod
    def of(cls, roles: Mapping[str, Options]) -> Specs:
        options = {name: option for role in roles.values() for name, option in role.items()}
        prefixes = (*(f"{role}_" for role in roles), PROJECT_PREFIX)
        return cls({**PROJECT, **options}, prefixes, frozenset([f"{role}_result" for role in roles] + list(FACTS)))


def name_problems(names: Collection[str], specs: Specs) -> list[str]:
    """Variables that look like ours, and that no role knows."""
    known = sorted(specs.options)
    folded = {_folded(name): name for name in known}
    found = []
    for name in sorted(names):
        if name in specs.options or name in specs.results or name.startswith(FREE):
            continue
        nearest = near(name, folded)
        if nearest:
            found.append(f"{name}: unknown variable (did you mean '{nearest}'?).")
        elif name.startswith(specs.prefixes):
            found.append(f"{name}: unknown variable{_hint(name, specs)}.")
    return found


def _hint(name: str, specs: Specs) -> str:
    """The nearest option of the name's role. An option of the elements of a list counts too.

    The prefix is not compared: it would make short names similar that have nothing else in common.
    """
    prefix = max((one for one in specs.prefixes if name.startswith(one)), key=len)
    own = {option.removeprefix(prefix): option for option in specs.options if option.startswith(prefix)}
    nested = {
        inner: f"{inner}' of '{option}"
        for option in own.values()
        for inner in specs.options[option].get("options") or ()
    }
    places = {**nested, **own}
    nearest = difflib.get_close_matches(name.removeprefix(prefix), places, n=1, cutoff=SIMILAR)
    return f" (did you mean '{places[nearest[0]]}'?)" if nearest else ""


def near(name: str, folded: Mapping[str, str]) -> str | None:
    """The known name from which this one differs by one letter, or by two in the wrong order."""
    given = _folded(name)
    return next((known for other, known in folded.items() if _one_edit(given, other)), None)


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _one_edit(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    shorter = min(len(one), len(other))
    start = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    one, other = one[start:], other[start:]
    shorter = min(len(one), len(other))
    end = next((at for at in range(shorter) if one[-1 - at] != other[-1 - at]), shorter)
    one, other = one[: len(one) - end], other[: len(other) - end]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


@dataclass
class Validator:
    """Walks a value along its option, collecting what is wrong.

    A `path` is for people, `services[0] (web).after`; a `place` is the same in the argument specs, `services[].after`.
    """

    shape: Shapes
    problems: list[str] = field(default_factory=list)

    def check(self, value: Any, option: Json, path: str, place: str) -> None:
        if value is None or value == UNKNOWN:
            return
        if place in SHAPES:
            self._aws(value, path, place)
        elif place == SERVICE_OPTIONS and isinstance(value, dict):
            self._service_options(value, path)
        elif option.get("type") == "list" and not isinstance(value, str):
            self._list(value, option, path, place)
        elif option.get("type") == "dict":
            self._dict(value, option, path, place)
        else:
            self._scalar(value, option, path)

    def _wrong(self, path: str, expected: str, value: Any) -> None:
        kind = {"dict": "a dictionary", "list": "a list"}.get(type(value).__name__)
        self.problems.append(f"{path}: expected {expected}, got {kind or repr(value)}.")

    def _names(self, given: Collection[str], known: Collection[str], path: str, what: str) -> None:
        """Names that are not known. An option of ecs_service beside `options` gets a hint."""
        nested = SERVICE if "options" in known else {}
        for name in given:
            if name in known:
                continue
            hint = " (it belongs under 'options')" if name in nested else did_you_mean(name, list(known))
            self.problems.append(f"{path}: unknown {what} '{name}'{hint}.")

    def _aws(self, value: Any, path: str, place: str) -> None:
        shape = self.shape(*SHAPES[place])
        if shape is None:
            return
        if place in ANSWERS and isinstance(value, dict):
            value = value.get("taskDefinition", value)
            answer = self.shape(*ANSWERS[place])
            read_only = set(answer.members) - set(shape.members) if answer else set()
            value = {name: member for name, member in value.items() if name not in read_only}
        self.problems += problems_of(shape, value, path)

    def _service_options(self, value: Json, path: str) -> None:
        self._names(value, [*SERVICE, "initial_count"], path, "option")
        shape = self.shape("ecs", "CreateServiceRequest")
        members = {snake(member): inner for member, inner in shape.members.items()} if shape else {}
        for name in value.keys() & (members.keys() - {"tags"}):
            if value[name] is not None:
                self.problems += problems_of(members[name], value[name], f"{path}.{name}")
        if isinstance(value.get("definition"), dict):
            self._service_definition(value["definition"], members, f"{path}.definition")

    def _service_definition(self, value: Json, members: Json, path: str) -> None:
        """A service in AWS's spelling, or as modules return it; what only AWS writes is ignored."""
        answer = self.shape("ecs", "Service")
        answered = {snake(member) for member in answer.members} if answer else set()
        for name, inner in value.items():
            option = snake(name)
            if option in members and inner is not None and option != "tags":
                self.problems += problems_of(members[option], inner, f"{path}.{name}")
            elif members and option not in {*members, *answered}:
                self.problems.append(f"{path}: unknown member '{name}'{did_you_mean(name, list(members))}.")

    def _list(self, value: Any, option: Json, path: str, place: str) -> None:
        if not isinstance(value, list):
            self._wrong(path, "a list", value)
            return
        element = {**option, "type": option.get("elements", "str")}
        for index, item in enumerate(value):
            self.check(item, element, f"{path}[{index}]{named(item)}", f"{place}[]")

    def _dict(self, value: Any, option: Json, path: str, place: str) -> None:
        if not isinstance(value, dict):
            self._wrong(path, "a dictionary", value)
            return
        options = option.get("options")
        if not options:
            self._keys(value, path, place)
            return
        self._names(value, options, path, "option")
        for name, inner in options.items():
            if name in value:
                self.check(value[name], inner, f"{path}.{name}", f"{place}.{name}")
            # A misspelt one has been reported.
            elif inner.get("required") and not any(near(str(given), {_folded(name): name}) for given in value):
                self.problems.append(f"{path}: required option '{name}' is missing.")

    def _keys(self, value: Any, path: str, place: str) -> None:
        """Members of what neither argument specs nor botocore describe."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._keys(item, f"{path}[{index}]", f"{place}[]")
        if not isinstance(value, dict):
            return
        if place in KEYS:
            self._names(value, KEYS[place], path, "member")
        own = f"{place}.*" in KEYS
        for name, member in value.items():
            self._keys(member, f"{path}.{name}", f"{place}.*" if own else f"{place}.{name}")

    def _scalar(self, value: Any, option: Json, path: str) -> None:
        """As Ansible itself validates it, with its conversions."""
        if isinstance(value, (dict, list)) and option.get("type", "str") != "raw":
            self._wrong(path, KINDS.get(option.get("type", "str"), "text"), value)
            return
        if not needs_value(option):
            return
        spec = {"value": {"type": option.get("type", "str"), "choices": option.get("choices")}}
        if not ArgumentSpecValidator(spec).validate({"value": value}).error_messages:
            return
        if "choices" in option:
            choices = [str(choice) for choice in option["choices"]]
            hint = did_you_mean(str(value), choices, False)
            self.problems.append(f"{path}: expected one of {', '.join(choices)}, got {value!r}{hint}.")
            return
        self._wrong(path, KINDS.get(option.get("type", "str"), "text"), value)


KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "path": "a path"}


def variable_problems(names: Collection[str], value_of: Callable[[str], Any], specs: Specs, shape: Shapes) -> list[str]:
    """Everything that is wrong with variables, one sentence each. `value_of` has the text "unknown" for what is known
    only later."""
    validator = Validator(shape)
    for name, option in specs.options.items():
        if name in names and needs_value(option, name):
            validator.check(value_of(name), option, name, name)
        if name in names and is_tags(name, option):
            validator.problems += tag_problems(value_of(name), name)
    return name_problems(names, specs) + validator.problems


def is_tags(name: str, option: Json) -> bool:
    """Tags that are written. Others find subnets, and may be AWS's own."""
    return name.endswith("_tags") and option.get("type") == "dict" and not name.endswith(("vpc_tags", "subnet_tags"))


def tag_problems(value: Any, name: str) -> list[str]:
    """What AWS would refuse of tags; a value that is known only later is skipped."""
    if not isinstance(value, Mapping):
        return []
    return tagging.problems({key: text for key, text in value.items() if text != UNKNOWN}, name)
