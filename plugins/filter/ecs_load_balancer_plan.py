# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_load_balancer_plan
short_description: Compare the variables of the role ecs_load_balancer with what exists
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Validates the variables of the role P(slipway.aws.ecs_load_balancer#role), lists what of the project exists, and
    derives target groups, listeners and rules.
  - Private to that role.
positional: _input
options:
  _input:
    description: The role's variables by name.
    type: dict
    required: true
  services:
    description: C(ecs_app_services), whose ports target groups without a port take.
    type: list
    elements: dict
    default: []
  found:
    description: >-
      What modules returned, by kind, such as C(load_balancers), C(target_groups) and C(hosted_zones).
      Kinds that were not read are missing.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Validate the variables
  ansible.builtin.assert:
    that: (variables | slipway.aws.ecs_load_balancer_plan).problems | length == 0
"""

RETURN = r"""
_value:
  description: >-
    C(problems), a list of sentences; what the project owns (C(owned)); the settings of what the role creates; and
    C(result), which the role returns.
  type: dict
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer import plan


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"ecs_load_balancer_plan": plan}
