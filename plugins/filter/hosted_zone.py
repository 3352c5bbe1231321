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
  - Finds the public hosted zone of Route 53 in which a record of a domain name has to stand. Of several that fit, the
    longest name is the one that the internet asks.
positional: _input, zones
options:
  _input:
    description: The domain name. A wildcard's zone is that of the name behind it.
    type: str
    required: true
  zones:
    description: Hosted zones as M(amazon.aws.route53_info) gives them, with C(id), C(name) and C(config).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Where records of the shop have to stand
  ansible.builtin.debug:
    msg: "{{ 'shop.example.com' | slipway.aws.hosted_zone(zones.hosted_zones) }}"  # Z0123456789EXAMPLE
"""

RETURN = r"""
_value:
  description: The ID of the hosted zone. Empty where there is none.
  type: str
"""

import typing as t
from collections.abc import Callable, Sequence

Json = dict[str, t.Any]


def hosted_zone(domain: str, zones: Sequence[Json]) -> str:
    labels = "." + domain.lower().rstrip(".").removeprefix("*.")
    public = [zone for zone in zones if not (zone.get("config") or {}).get("private_zone")]
    fitting = [zone for zone in public if labels.endswith("." + zone["name"].lower().rstrip("."))]
    found = max(fitting, key=lambda zone: len(zone["name"]), default={"id": ""})
    return str(found["id"]).rpartition("/")[2]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"hosted_zone": hosted_zone}
