# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hosted_zone
short_description: Find the hosted zone that a domain name is in
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Finds the public hosted zone of Route 53 to which a record of a domain name belongs. Of several that fit, it is the
    one with the longest name, which resolvers ask.
positional: _input, zones
options:
  _input:
    description: The domain name. A wildcard's zone is that of the name behind it.
    type: str
    required: true
  zones:
    description: Hosted zones as M(amazon.aws.route53_info) returns them, with C(id), C(name) and C(config).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the hosted zone of the shop
  ansible.builtin.debug:
    msg: "{{ 'shop.example.com' | slipway.aws.hosted_zone(zones.hosted_zones) }}"  # Z0123456789EXAMPLE
"""

RETURN = r"""
_value:
  description: The ID of the hosted zone. Empty if none fits.
  type: str
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer_problems import hosted_zone


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"hosted_zone": hosted_zone}
