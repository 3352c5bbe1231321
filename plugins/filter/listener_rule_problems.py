# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: listener_rule_problems
short_description: Say what is wrong with the hosts, paths and priorities of target groups
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Checks target groups, as P(slipway.aws.listener_rules#filter) takes them, by AWS's rules for listener rules.
positional: _input
options:
  _input:
    description: Target groups with C(name) and, where they have a rule, C(hosts), C(paths) and C(priority).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Hosts, paths and priorities are right
  ansible.builtin.assert:
    that: target_groups | slipway.aws.listener_rule_problems | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each problem. Empty when all is right.
  type: list
  elements: str
"""

import re
import typing as t
from collections.abc import Callable, Iterator, Sequence

Json = dict[str, t.Any]

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
HOST = re.compile(r"[A-Za-z0-9.*?-]*\.[A-Za-z]+")
PATH = re.compile(r"[/*?][A-Za-z0-9_.$/~\"'@:+&()!,;=%*?-]*")
LONGEST = 128
MOST_VALUES = 5
LAST_PRIORITY = 50000


def listener_rule_problems(target_groups: Sequence[Json]) -> list[str]:
    problems = [problem for group in target_groups for problem in _of_one(group)]
    taken: dict[int, str] = {}
    for place, group in enumerate(target_groups, 1):
        if not group.get("hosts") and not group.get("paths"):
            continue
        priority = int(group.get("priority") or 10 * place)
        if priority in taken:
            problems.append(f"{group['name']} and {taken[priority]} both have priority {priority}, each needs its own")
        taken[priority] = group["name"]
    return problems


def _of_one(group: Json) -> Iterator[str]:
    name, priority = group["name"], group.get("priority")
    hosts, paths = group.get("hosts") or [], group.get("paths") or []
    for host in hosts:
        if not HOST.fullmatch(host) or len(host) > LONGEST:
            yield f"{name}: '{host}' is no host, names such as api.example.com and *.example.com are right"
    for path in paths:
        if not PATH.fullmatch(path) or len(path) > LONGEST:
            yield f"{name}: '{path}' is no path, paths such as /api and /api/* are right"
    if len(hosts) + len(paths) > MOST_VALUES:
        yield f"{name} has {len(hosts) + len(paths)} hosts and paths, AWS takes {MOST_VALUES} of both together"
    if priority is not None and not hosts and not paths:
        yield f"{name} has priority {priority}, but neither hosts nor paths"
    if priority is not None and not 1 <= int(priority) <= LAST_PRIORITY:
        yield f"{name}: priority {priority} is not between 1 and {LAST_PRIORITY}"


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"listener_rule_problems": listener_rule_problems}
