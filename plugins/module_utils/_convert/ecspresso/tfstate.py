# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds values in a state of Terraform by their address. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator, Mapping

_STEP = re.compile(r"\.?(?P<name>[^.\[\]'\"]+)|\[(?P<number>\d+)\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]")
_MISSING = object()


class _Key(str):
    """A key in brackets, which belongs to the resource or module before it."""


class StateError(Exception):
    """What an address does not find, as one sentence."""


def lookup(state: Mapping[str, t.Any], address: str) -> t.Any:
    """The value at an address such as `aws_subnet.private["a"].id`, `module.x.…`, `data.…` or `output.name`.

    A value that Terraform marks as sensitive is refused: it must not get into a file.
    """
    steps = _steps(address)
    if steps[:1] == ["output"] and len(steps) > 1:
        output = (state.get("outputs") or {}).get(steps[1])
        if output is None:
            raise StateError(f"expected an output {steps[1]} in the state, got none")
        if output.get("sensitive"):
            raise StateError("expected a value that is not sensitive, got one that Terraform marks as sensitive")
        return _inside(output.get("value"), steps[2:], address)
    for instance, rest in _instances(state, steps):
        if _is_sensitive(instance, rest):
            raise StateError("expected a value that is not sensitive, got one that Terraform marks as sensitive")
        return _inside(instance.get("attributes") or {}, rest, address)
    raise StateError(f"expected {address} in the state, got no such resource")


def _steps(address: str) -> list[t.Any]:
    steps: list[t.Any] = []
    position = 0
    while position < len(address):
        found = _STEP.match(address, position)
        if not found:
            raise StateError(f"expected an address such as aws_subnet.a.id, got {address}")
        steps.append(int(found["number"]) if found["number"] else found["name"] or _Key(found["key"]))
        position = found.end()
    return steps


def _instances(state: Mapping[str, t.Any], steps: list[t.Any]) -> Iterator[tuple[Mapping[str, t.Any], list[t.Any]]]:
    """The instance that the steps begin with, and the steps into it."""
    module, rest = _module(steps)
    mode = "managed"
    if rest[:1] == ["data"]:
        mode, rest = "data", rest[1:]
    for resource in state.get("resources") or ():
        same = (resource.get("type"), resource.get("name"), resource.get("mode", "managed")) == (*rest[:2], mode)
        if same and (resource.get("module") or "") == module:
            yield from _keyed(resource.get("instances") or (), rest[2:])


def _module(steps: list[t.Any]) -> tuple[str, list[t.Any]]:
    """The address of the module as the state spells it, and the other steps."""
    parts: list[str] = []
    while steps[:1] == ["module"] and len(steps) > 1:
        name, steps = f"module.{steps[1]}", steps[2:]
        if steps and isinstance(steps[0], int | _Key):
            name, steps = f"{name}[{json.dumps(steps[0])}]", steps[1:]
        parts.append(name)
    return ".".join(parts), steps


def _keyed(
    instances: t.Sequence[Mapping[str, t.Any]], rest: list[t.Any]
) -> Iterator[tuple[Mapping[str, t.Any], list[t.Any]]]:
    for instance in instances:
        key = instance.get("index_key", _MISSING)
        if key is _MISSING:
            yield instance, rest
        elif rest and rest[0] == key:
            yield instance, rest[1:]


def _is_sensitive(instance: Mapping[str, t.Any], rest: list[t.Any]) -> bool:
    paths = [[step.get("value") for step in path] for path in instance.get("sensitive_attributes") or ()]
    return any(path and path == rest[: len(path)] for path in paths)


def _inside(value: t.Any, steps: list[t.Any], address: str) -> t.Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError) as error:
            raise StateError(f"expected {address} in the state, got no member {step}") from error
    return value
