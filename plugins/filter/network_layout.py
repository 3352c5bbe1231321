# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: network_layout
short_description: Derive the network of a project from variables and from what exists
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Derives zones, ranges, names, security groups and VPC endpoints of the role P(slipway.aws.ecs_network#role) from its
    variables, and lists what is wrong with them.
  - Once the role has read what exists, O(found), also what is to be created, replaced and deleted.
  - Reads nothing itself. Private to the role.
positional: _input, found
options:
  _input:
    description: The variables of the role by name, with or without C(ecs_network_).
    type: dict
    required: true
  found:
    description:
      - What the info modules of C(amazon.aws) return, by kind, such as C(endpoints). C(vpcs) and C(subnets) are
        required.
    type: dict
  services:
    description: The services, as C(ecs_app_services) has them. Their ports are opened.
    type: list
    elements: dict
    default: []
  target_groups:
    description: The target groups, as C(ecs_load_balancer_target_groups) has them.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Print what is wrong with the variables
  ansible.builtin.debug:
    msg: "{{ (variables | slipway.aws.network_layout).problems }}"
"""

RETURN = r"""
_value:
  description:
    - The layout, with C(problems), one sentence each.
    - Without O(found), what follows from variables alone.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_network


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"network_layout": ecs_network.layout}
