# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: network_deletions
short_description: List what of a project's network is deleted, in an order that AWS accepts
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes what the info modules of C(amazon.aws) return and keeps what carries the tag C(slipway:project).
  - A route table with neither tags nor subnets is one that an interrupted run left.
  - Reads nothing itself. Private to the role P(slipway.aws.ecs_network#role).
positional: _input
options:
  _input:
    description: The value of the tag C(slipway:project).
    type: str
    required: true
  groups:
    description: Security groups of the project.
    type: list
    elements: dict
    required: true
  tables:
    description: Route tables of the project's VPC.
    type: list
    elements: dict
    required: true
  endpoints:
    description: VPC endpoints.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Print the security groups in the order in which they are deleted
  ansible.builtin.debug:
    msg: "{{ ('ecs' | slipway.aws.network_deletions(groups=groups, tables=[], endpoints=[])).security_groups }}"
"""

RETURN = r"""
_value:
  description: C(security_groups), C(route_tables) and C(endpoints), these with C(id), C(service) and C(state).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_network


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"network_deletions": ecs_network.deletions}
