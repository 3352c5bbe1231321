# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cidr_problems
short_description: Say what is wrong with a list of IPv4 ranges
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Checks IPv4 ranges before AWS sees them and returns a sentence for each problem, none when all is well.
  - Ranges that divide one network, named with O(within), must also lie in it and must not overlap.
options:
  _input:
    description: Ranges in CIDR notation.
    type: list
    elements: str
    required: true
  within:
    description: The network that the ranges divide.
    type: str
  widest:
    description: The shortest prefix allowed; by default that of a VPC.
    type: int
    default: 16
  narrowest:
    description: The longest prefix allowed; by default that of a VPC and its subnets.
    type: int
    default: 28
"""

EXAMPLES = r"""
- name: The subnets fit into the VPC
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: "{{ ['10.0.0.0/20', '10.0.16.0/20'] | slipway.aws.cidr_problems(within='10.0.0.0/16') }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem.
  type: list
  elements: str
"""

from collections.abc import Callable
from ipaddress import IPv4Network
from itertools import combinations


def _parse(cidr: str) -> IPv4Network | str:
    try:
        return IPv4Network(cidr)
    except ValueError:
        pass
    try:
        return f"{cidr} does not start at the first address of its range, which is {IPv4Network(cidr, strict=False)}"
    except ValueError:
        return f"{cidr} is not an IPv4 range in CIDR notation such as 10.0.0.0/16"


def _size_problems(network: IPv4Network, widest: int, narrowest: int) -> list[str]:
    if network.prefixlen < widest:
        return [f"{network} is too wide, /{widest} at most"]
    if network.prefixlen > narrowest:
        return [f"{network} is too small, /{narrowest} at least"]
    return []


def _layout_problems(networks: list[IPv4Network], whole: IPv4Network) -> list[str]:
    outside = [f"{network} is not inside {whole}" for network in networks if not network.subnet_of(whole)]
    overlaps = [f"{one} overlaps {other}" for one, other in combinations(networks, 2) if one.overlaps(other)]
    return outside + overlaps


def cidr_problems(cidrs: list[str], within: str | None = None, widest: int = 16, narrowest: int = 28) -> list[str]:
    parsed = [_parse(str(cidr)) for cidr in cidrs]
    networks = [network for network in parsed if isinstance(network, IPv4Network)]
    problems = [problem for problem in parsed if isinstance(problem, str)]
    for network in networks:
        problems += _size_problems(network, widest, narrowest)
    whole = _parse(within) if within is not None else None
    if isinstance(whole, IPv4Network):
        problems += _layout_problems(networks, whole)
    return problems


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"cidr_problems": cidr_problems}
