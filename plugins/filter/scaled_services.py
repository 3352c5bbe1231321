# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: scaled_services
short_description: Put the scaling of a site's services into the form that ecs_service_scaling takes
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes services as the role P(slipway.aws.ecs_app#role) has them and gives those that scale the form that
    O(slipway.aws.ecs_service_scaling#module:services) has.
  - Services that are marked as scaling and are not asked to scale any more are to lose it.
positional: _input
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
  released:
    description: Services that there are, as M(slipway.aws.ecs_service_info) returns them.
    type: list
    elements: dict
    default: []
  target_groups:
    description: ARNs of target groups by name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: What the module is told of one service
  ansible.builtin.debug:
    msg: "{{ [{'name': 'web', 'scaling': {'min_capacity': 1, 'max_capacity': 4}}] | slipway.aws.scaled_services }}"
"""

RETURN = r"""
_value:
  description: The services that scale, or have to stop it. Empty where there is none.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.tags import SCALING_TAG

Json = dict[str, Any]


def scaled_services(
    services: Sequence[Json], released: Iterable[Json] = (), target_groups: Mapping[str, str] | None = None
) -> list[Json]:
    scaled = [_scaled(service, target_groups or {}) for service in services if service.get("scaling")]
    names = {service["name"] for service in scaled}
    marked = [service["service_name"] for service in released if SCALING_TAG in (service.get("tags") or {})]
    return scaled + [{"name": name, "state": "absent"} for name in marked if name not in names]


def _scaled(service: Json, target_groups: Mapping[str, str]) -> Json:
    balancers = service.get("load_balancers") or []
    group = str(balancers[0].get("targetGroupArn") or "") if balancers else ""
    counted = service["scaling"].get("requests_per_target") is not None and group
    target = {"target_group_arn": target_groups.get(group, group)} if counted else {}
    return {"name": service["name"], **service["scaling"], **target}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"scaled_services": scaled_services}
