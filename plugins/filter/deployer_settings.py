# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: deployer_settings
short_description: Write IAM policies from the list of what the playbooks may do
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Derives what the tasks of the role P(slipway.aws.deployer#role) need from its variables and its
    C(files/permissions.yml), and lists what is wrong with them.
  - With O(found), also an IAM policy for each tag of the site, C(destroy) to delete it, C(plan) with all that only
    reads, and C(all) with everything. A policy that is too long becomes several, V(all), V(all-2), V(all-3) and so on,
    which together allow the same.
  - Reads nothing itself. Private to the role.
positional: _input, permissions, found
options:
  _input:
    description: The variables of the role by name, with or without C(deployer_).
    type: dict
    required: true
  permissions:
    description: What C(files/permissions.yml) has.
    type: dict
    required: true
  found:
    description:
      - What the info modules of C(amazon.aws) return, C(caller) the account, C(users) and C(roles) those of the names
        in the variables.
    type: dict
"""

EXAMPLES = r"""
- name: Print what a deployer may do to the load balancer
  ansible.builtin.debug:
    msg: "{{ (variables | slipway.aws.deployer_settings(permissions, found)).policies.load_balancer }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems), one sentence each, C(tags), C(policy_prefix) and C(credentials), the file of each user.
    - With O(found), C(policies) by name, those that are C(desired), the C(arns) of each user and role, the C(users) and
      C(roles) that the project owns, and the policies that are C(deletable).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import deployer


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"deployer_settings": deployer.settings}
