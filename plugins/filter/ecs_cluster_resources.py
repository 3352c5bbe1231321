# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_cluster_resources
short_description: List the IAM roles and the launch template that the role ecs_cluster creates
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Makes IAM roles with least privilege policies, and the launch template of hosts, from the variables of the role
    P(slipway.aws.ecs_cluster#role).
  - Private to that role.
positional: _input
options:
  _input:
    description: The role's variables by name.
    type: dict
    required: true
  arn:
    description: An ARN of the account, from which its number and partition are read. Both are C(unknown) without one.
    type: str
    required: true
  network:
    description: What the role P(slipway.aws.ecs_network#role) returns. Needed for hosts only.
    type: dict
    default: {}
  template:
    description: The launch template that exists, as M(amazon.aws.ec2_launch_template_info) returns it.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the statements of the execution role
  ansible.builtin.debug:
    msg: "{{ (variables | slipway.aws.ecs_cluster_resources(arn=log_group.arn)).roles[0].statements }}"
"""

RETURN = r"""
_value:
  description: C(roles), a list, and for hosts C(launch_template).
  type: dict
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_cluster_resources import resources


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"ecs_cluster_resources": resources}
