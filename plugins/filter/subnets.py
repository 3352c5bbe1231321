# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: subnets
short_description: Divide an IPv4 range into equal parts
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Divides an IPv4 range into equal parts, in ascending order.
  - A value that is no range, or too small to divide, gives an empty list, so that it can be reported
    together with everything else that is wrong. See P(slipway.aws.cidr_problems#filter).
positional: _input, parts
options:
  _input:
    description: The range in CIDR notation.
    type: str
    required: true
  parts:
    description: How many parts. A power of two.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: The first of sixteen parts
  ansible.builtin.debug:
    msg: "{{ ('10.0.0.0/16' | slipway.aws.subnets(16))[0] }}"  # 10.0.0.0/20
"""

RETURN = r"""
_value:
  description: The parts in CIDR notation.
  type: list
  elements: str
"""

from collections.abc import Callable
from ipaddress import IPv4Network

from ansible.errors import AnsibleFilterError


def subnets(cidr: str, parts: int) -> list[str]:
    if parts < 1 or parts & (parts - 1):
        raise AnsibleFilterError(f"subnets: {parts} is not a power of two")
    try:
        network = IPv4Network(cidr)
        return [str(part) for part in network.subnets(prefixlen_diff=parts.bit_length() - 1)]
    except ValueError:
        return []


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"subnets": subnets}
