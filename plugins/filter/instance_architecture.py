# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: instance_architecture
short_description: Tell the CPU architecture of an EC2 instance type
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Types with AWS's own Graviton processors have a V(g) right after the generation, as in C(t4g) or C(c7gn), and C(a1)
    was the first of them.
positional: _input
options:
  _input:
    description: The instance type.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: ARM64
  ansible.builtin.debug:
    msg: "{{ 't4g.small' | slipway.aws.instance_architecture }}"
"""

RETURN = r"""
_value:
  description: V(X86_64) or V(ARM64), as task definitions spell it.
  type: str
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.plugin_utils.docker_instance import instance_architecture


class FilterModule:
    def filters(self) -> dict[str, Callable[[str], str]]:
        return {"instance_architecture": instance_architecture}
