# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""taskdef_overrides of a manifest: rules that change the task definition of CloudFormation. Pure."""

from __future__ import annotations

import re
import typing as t

from ..._core.types import Json

_STEP = re.compile(r"(?P<name>[^.\[\]]+)|\[(?P<index>\d+|-)\]")
# Maps whose keys are not members of the API.
_MAPS = ("dockerLabels", "options", "driverOpts", "labels")


class OverrideError(ValueError):
    """A rule that does not fit, as one sentence."""


def apply(definition: Json, path: str, value: t.Any) -> None:
    """Sets a member, such as ContainerDefinitions[0].Ulimits[-].HardLimit; [-] appends."""
    steps = [found["name"] or found["index"] for found in _STEP.finditer(path)]
    indexes = [bool(found["index"]) for found in _STEP.finditer(path)]
    here: t.Any = definition
    inside = ""
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        new: t.Any = members(value) if last else ([] if indexes[number + 1] else {})
        if indexes[number]:
            here = _element(here, step, new, last, path)
        else:
            name = step if inside in _MAPS else member(step)
            here = _member(here, name, new, last)
            inside = name


def _element(here: t.Any, step: str, new: t.Any, last: bool, path: str) -> t.Any:
    if not isinstance(here, list) or (step != "-" and int(step) > len(here)):
        raise OverrideError(f"expected a list with {step} elements or more, got none")
    if step == "-" or int(step) == len(here):
        here.append(new)
        return here[-1]
    if last:
        here[int(step)] = new
    return here[int(step)]


def _member(here: t.Any, name: str, new: t.Any, last: bool) -> t.Any:
    if not isinstance(here, dict):
        raise OverrideError(f"expected a dictionary with {name}, got something else")
    if last or name not in here:
        here[name] = new
    return here[name]


def member(name: str) -> str:
    """The API's spelling of a member that CloudFormation spells with a capital."""
    return name[:1].lower() + name[1:]


def members(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {member(str(name)): members(item) for name, item in value.items()}
    return [members(item) for item in value] if isinstance(value, list) else value
