# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: check_problems
short_description: What is wrong with the checks of a site
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes checks as the role P(slipway.aws.ecs_verify#role) has them and says for each what cannot be right, in a
    sentence.
positional: _input, services
options:
  _input:
    description: The checks.
    type: list
    elements: dict
    required: true
  services:
    description: The names of the services beside whose tasks a command can run.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: A port that does not exist
  ansible.builtin.debug:
    msg: "{{ [{'name': 'cache', 'type': 'tcp', 'host': 'cache', 'port': 70000}] | slipway.aws.check_problems([]) }}"
"""

RETURN = r"""
_value:
  description: The problems, none where all is right.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]
# What each type needs and may have, besides a name.
MEMBERS = {
    "http": ({"type"}, {"path", "status", "content"}),
    "tcp": ({"type", "host", "port"}, {"from"}),
    "command": ({"type", "command"}, {"from", "service", "container", "content"}),
}
PLACES = {"tcp": ("here", "docker_host"), "command": ("task", "here", "docker_host")}


def _number(value: Any) -> int:
    return int(value) if str(value).isdigit() else -1


def _values(check: Json, services: Sequence[str]) -> Iterator[str]:
    """What is wrong with values that are there."""
    if "path" in check and not str(check["path"]).startswith("/"):
        yield f"path is '{check['path']}', a path with a slash in front is right"
    if "status" in check and not 100 <= _number(check["status"]) <= 599:
        yield f"status is {check['status']}, a number from 100 to 599 is right"
    if "port" in check and not 1 <= _number(check["port"]) <= 65535:
        yield f"port is {check['port']}, a number from 1 to 65535 is right"
    if check.get("command") == [] or check.get("host") == "":
        yield "host or command is empty"
    places = PLACES.get(check["type"], ())
    place = check.get("from", places[0] if places else None)
    if places and place not in places:
        yield f"from is '{place}', {' or '.join(places)} is right"
    if place == "task" and check["type"] == "command" and check.get("service") not in services:
        given = f"service is '{check['service']}'" if check.get("service") else "service is missing"
        yield f"{given}, one of {', '.join(services) or 'the services, of which there are none'} is right"


def problems_of(check: Json, services: Sequence[str]) -> list[str]:
    kind = check.get("type")
    if kind not in MEMBERS:
        given_type = "none" if kind is None else f"'{kind}'"
        return [f"type: expected {', '.join(MEMBERS)}, got {given_type}"]
    given = {name for name, value in check.items() if value is not None} - {"name"}
    needed, allowed = MEMBERS[kind]
    found = [f"{kind} needs {name}" for name in sorted(needed - given)]
    found += [f"{kind} has no {name}" for name in sorted(given - needed - allowed)]
    return found + list(_values(check, services))


def check_problems(checks: Sequence[Json], services: Sequence[str]) -> list[str]:
    names = [str(check.get("name", "?")) for check in checks]
    twice = [f"{name} is there {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]
    found = [
        f"{name}: {problem}"
        for name, check in zip(names, checks, strict=True)
        for problem in problems_of(check, services)
    ]
    return twice + found if checks else ["there is none, at least one is right"]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"check_problems": check_problems}
