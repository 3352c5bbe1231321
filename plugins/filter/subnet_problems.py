# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: subnet_problems
short_description: Say which subnets of a VPC are not as described
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Compares subnets that are there with those that are described, and returns a sentence for each that is in another
    zone, or described no longer.
  - AWS cannot move a subnet, and what runs in it would have to leave before it is removed. So this is for a person.
  - Subnets that are described and not there yet are no problem.
positional: _input, wanted
options:
  _input:
    description: Subnets as M(amazon.aws.ec2_vpc_subnet_info) returns them.
    type: list
    elements: dict
    required: true
  wanted:
    description: Pairs of a range and its zone.
    type: list
    elements: list
    required: true
"""

EXAMPLES = r"""
- name: The subnets are where they are described
  ansible.builtin.assert:
    that: found.subnets | slipway.aws.subnet_problems(['10.0.0.0/20'] | zip(['eu-central-1a'])) | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each problem.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable
from typing import Any


def _problem(subnet: dict[str, Any], zones: dict[str, str]) -> str | None:
    cidr, zone = subnet["cidr_block"], subnet["availability_zone"]
    if cidr not in zones:
        return f"{subnet['subnet_id']} ({cidr} in {zone}) is described no longer"
    if zone != zones[cidr]:
        return f"{subnet['subnet_id']} ({cidr}) is in {zone}, not in {zones[cidr]}"
    return None


def subnet_problems(subnets: list[dict[str, Any]], wanted: Iterable[tuple[str, str]]) -> list[str]:
    zones = dict(wanted)
    problems = [_problem(subnet, zones) for subnet in sorted(subnets, key=lambda subnet: str(subnet["cidr_block"]))]
    return [problem for problem in problems if problem]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"subnet_problems": subnet_problems}
