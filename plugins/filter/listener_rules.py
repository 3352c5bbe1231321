# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: listener_rules
short_description: Make listener rules out of target groups with hosts and paths
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Makes the rules that M(slipway.aws.elb_listener_rules) takes, one for each target group that has hosts or paths.
positional: _input
options:
  _input:
    description:
      - Target groups with C(name) and, where they have a rule, C(hosts), C(paths) and C(priority). Without a priority,
        it is ten times the place in the list, so that rules stand in its order.
    type: list
    elements: dict
    required: true
  arns:
    description: ARNs of target groups by their names. The name stands for one that is missing.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: The second target group has a rule of priority 20
  ansible.builtin.debug:
    msg: "{{ [{'name': 'web'}, {'name': 'api', 'paths': ['/api/*']}] | slipway.aws.listener_rules }}"
"""

RETURN = r"""
_value:
  description: Rules with C(priority), C(hosts), C(paths) and C(target_group_arn), by priority.
  type: list
  elements: dict
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

Json = dict[str, t.Any]


def listener_rules(target_groups: Sequence[Json], arns: Mapping[str, str] | None = None) -> list[Json]:
    rules = [
        {
            "priority": int(group.get("priority") or 10 * place),
            "hosts": group.get("hosts") or [],
            "paths": group.get("paths") or [],
            "target_group_arn": (arns or {}).get(group["name"], group["name"]),
        }
        for place, group in enumerate(target_groups, 1)
        if group.get("hosts") or group.get("paths")
    ]
    return sorted(rules, key=lambda rule: rule["priority"])


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"listener_rules": listener_rules}
