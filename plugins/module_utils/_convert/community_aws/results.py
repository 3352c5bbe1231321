# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Members of results in later templates, as our modules return them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..notes import Notes
from .options import MODULES, RESULTS

_STEP = re.compile(r"\.([A-Za-z_]\w*)(?!\w|\s*\()|\[\s*'(\w+)'\s*\]|\[\s*\"(\w+)\"\s*\]|\[(-?\d+)\]|\.(\d+)(?!\w)")
_PATH = rf"(?:{re.sub(r'[(](?![?])', '(?:', _STEP.pattern)})*"
# What Ansible adds to every result.
_GENERAL = frozenset({"changed", "failed", "msg", "skipped", "results", "diff", "attempts", "warnings"})


def rewritten(text: str, registered: Mapping[str, str], place: str, notes: Notes) -> str:
    """A text with the members of registered results of community.aws as our modules name them."""
    # A bare expression need not be one: what is unknown in it is no news.
    heard = notes if "{{" in text else Notes()
    for variable, module in registered.items():

        def path(found: re.Match[str], variable: str = variable, module: str = module) -> str:
            return _path(found, variable, module, heard, place)

        text = re.sub(rf"(?<![\w./-]){re.escape(variable)}({_PATH})", path, text)
        text = _of_attributes(text, variable, module)
    return text


def _of_attributes(text: str, variable: str, module: str) -> str:
    """The members that `map` takes out of the results of a loop."""

    def attribute(found: re.Match[str]) -> str:
        renamed = _steps(list(found["path"].split(".")), module)
        return found["start"] + (found["path"] if renamed is None else ".".join(map(str, renamed)))

    start = rf"(?<![\w./-]){re.escape(variable)}\.results\s*\|\s*map\(\s*attribute\s*=\s*['\"]"
    return re.sub(rf"(?P<start>{start})(?P<path>[A-Za-z_][\w.]*)", attribute, text)


def _path(found: re.Match[str], variable: str, module: str, notes: Notes, place: str) -> str:
    steps: list[str | int] = [
        int(step[4] or step[5]) if step[4] or step[5] else step[1] or step[2] or step[3]
        for step in _STEP.finditer(found[1])
    ]
    prefix: list[str | int] = []
    if steps[:1] == ["results"] and len(steps) > 1 and isinstance(steps[1], int):
        prefix, steps = steps[:2], steps[2:]
    elif steps and isinstance(steps[0], int):
        # An element of a list of lists.
        prefix, steps = steps[:1], steps[1:]
    if not steps or steps[0] in _GENERAL:
        return found[0]
    renamed = _steps(steps, module)
    if renamed is None:
        notes.add(
            f"{place}: {found[0]}",
            f"{MODULES[module].name} does not return a member with this name.",
            "Compare the results in the module's documentation.",
        )
        return found[0]
    return variable + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in [*prefix, *renamed])


def _steps(steps: list[str | int], module: str) -> list[str | int] | None:
    before, after = MODULES[module].result
    if module == "ecs_taskdefinition_info":
        return ["task_definitions", 0, *_members(steps, module)]
    if steps[0] != before:
        return None
    return [after, *_members(steps[1:], module)]


def _members(steps: list[str | int], module: str) -> list[str | int]:
    """The first member in snake case, what is below it as AWS spells it."""
    position = next((number for number, step in enumerate(steps) if isinstance(step, str)), len(steps))
    if position == len(steps):
        return steps
    first = str(steps[position])
    below = steps[position + 1 :]
    if module == "ecs_taskdefinition_info":
        below = [_camel(step) for step in below]
    return [*steps[:position], RESULTS.get(module, {}).get(first) or _snake(first), *below]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _camel(step: str | int) -> str | int:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), step) if isinstance(step, str) else step
