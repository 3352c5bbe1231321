# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: surplus_endpoints
short_description: Find the VPC endpoints of a project that have to go
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Of the VPC endpoints that carry the tag C(slipway:project) of a project, returns those that are not as wanted.
  - M(amazon.aws.ec2_vpc_endpoint) does not move an endpoint to other subnets or route tables, and takes one that is
    being deleted for one that is there. Both have to be gone before it makes the endpoint anew.
positional: _input, project, wanted
options:
  _input:
    description: Endpoints as M(amazon.aws.ec2_vpc_endpoint_info) returns them.
    type: list
    elements: dict
    required: true
  project:
    description: The value of the tag C(slipway:project).
    type: str
    required: true
  wanted:
    description: Full names of the services that should have an endpoint, each with ids of its subnets or route tables.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Endpoints of services that are wanted no longer
  ansible.builtin.debug:
    msg: "{{ found.vpc_endpoints | slipway.aws.surplus_endpoints('ecs', wanted) | rejectattr('wanted') }}"
"""

RETURN = r"""
_value:
  description:
    - The endpoints, each with C(id), C(service), C(state), and C(wanted), which says whether the service is wanted,
      only not so.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

Endpoint = dict[str, Any]
TAG = "slipway:project"


def _owned(endpoint: Endpoint, project: str) -> bool:
    return any(tag["key"] == TAG and tag["value"] == project for tag in endpoint.get("tags") or [])


def _state(endpoint: Endpoint) -> str:
    # AWS documents "Available" and answers "available".
    return str(endpoint["state"]).lower()


def _is_right(endpoint: Endpoint, places: list[str]) -> bool:
    there = [*(endpoint.get("subnet_ids") or []), *(endpoint.get("route_table_ids") or [])]
    return _state(endpoint) != "deleting" and set(there) == set(places)


def surplus_endpoints(found: list[Endpoint], project: str, wanted: dict[str, list[str]]) -> list[Endpoint]:
    live = [endpoint for endpoint in found if _owned(endpoint, project) and _state(endpoint) != "deleted"]
    return [
        {
            "id": endpoint["vpc_endpoint_id"],
            "service": endpoint["service_name"],
            "state": _state(endpoint),
            "wanted": endpoint["service_name"] in wanted,
        }
        for endpoint in live
        if endpoint["service_name"] not in wanted or not _is_right(endpoint, wanted[endpoint["service_name"]])
    ]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Endpoint]]]:
        return {"surplus_endpoints": surplus_endpoints}
