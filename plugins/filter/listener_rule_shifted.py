# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: listener_rule_shifted
short_description: Find the weights that Amazon ECS has given to target groups
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes the default actions of a listener and returns the weights of its target groups, if there are several and the
    given one is among them. Amazon ECS shifts these weights in blue/green, linear and canary deployments; setting them
    would shift them back.
positional: _input, target_group_arn
options:
  _input:
    description: Actions as M(amazon.aws.elb_application_lb_info) returns them under C(default_actions).
    type: list
    elements: dict
    required: true
  target_group_arn:
    description: The ARN of the desired target group.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the weights of the first listener's target groups
  ansible.builtin.debug:
    msg: "{{ load_balancer.listeners[0].default_actions | slipway.aws.listener_rule_shifted(web.target_group_arn) }}"
"""

RETURN = r"""
_value:
  description: Weights by the ARN of their target group. Empty where the listener has a plain action, or another one.
  type: dict
"""

import typing as t
from collections.abc import Callable, Sequence

Json = dict[str, t.Any]


def listener_rule_shifted(actions: Sequence[Json], target_group_arn: str) -> dict[str, int]:
    if len(actions) != 1 or actions[0].get("type") != "forward":
        return {}
    groups = (actions[0].get("forward_config") or {}).get("target_groups") or ()
    weights = {group["target_group_arn"]: int(group.get("weight", 1)) for group in groups}
    return weights if len(weights) > 1 and target_group_arn in weights else {}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, int]]]:
        return {"listener_rule_shifted": listener_rule_shifted}
