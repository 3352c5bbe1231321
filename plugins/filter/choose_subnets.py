# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: choose_subnets
short_description: Choose subnets by their ids or by their tags
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes those subnets out of a list that are named by id, in that order, or those that carry all of the given tags,
    in the order of their zones.
  - Without ids and tags it takes none.
positional: _input, ids, tags
options:
  _input:
    description: Subnets as M(amazon.aws.ec2_vpc_subnet_info) returns them.
    type: list
    elements: dict
    required: true
  ids:
    description: Ids of subnets. Those that are not in the list are left out.
    type: list
    elements: str
    required: true
  tags:
    description: Tags that a subnet carries, perhaps among others. They count where there are no ids.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Ids of the private subnets of a VPC
  ansible.builtin.debug:
    msg: "{{ found.subnets | slipway.aws.choose_subnets([], {'Tier': 'private'}) | map(attribute='subnet_id') }}"
"""

RETURN = r"""
_value:
  description: The subnets.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import text_of

Subnet = dict[str, Any]


def choose_subnets(subnets: list[Subnet], ids: list[str], tags: dict[str, Any]) -> list[Subnet]:
    if ids:
        known = {subnet["subnet_id"]: subnet for subnet in subnets}
        return [known[one] for one in ids if one in known]
    if not tags:
        return []
    wanted = {(str(key), text_of(value)) for key, value in tags.items()}
    tagged = [subnet for subnet in subnets if wanted <= set((subnet.get("tags") or {}).items())]
    return sorted(tagged, key=lambda subnet: (str(subnet["availability_zone"]), str(subnet["subnet_id"])))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Subnet]]]:
        return {"choose_subnets": choose_subnets}
