# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: complete_load_balancers
short_description: Add the container and port that each load balancer of a service leaves out
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes services as the role P(slipway.aws.ecs_app#role) has them. In C(load_balancers), C(containerName) is the only
    container that has C(portMappings), and C(containerPort) the only port of that container.
  - Where there is a choice, nothing is added.
positional: _input
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: The container and its port follow
  ansible.builtin.debug:
    msg: "{{ ([shop] | slipway.aws.complete_load_balancers)[0].load_balancers }}"
  vars:
    shop:
      name: shop
      load_balancers: [{targetGroupArn: shop}]
      task_definition:
        containerDefinitions: [{name: shop, portMappings: [{containerPort: 8000}]}]
"""

RETURN = r"""
_value:
  description: The services, completed.
  type: list
  elements: dict
"""

from collections.abc import Callable, Sequence

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_ports import Json, completed


def complete_load_balancers(services: Sequence[Json]) -> list[Json]:
    return [completed(service) for service in services]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"complete_load_balancers": complete_load_balancers}
