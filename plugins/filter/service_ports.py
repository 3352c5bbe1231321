# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: service_ports
short_description: List the ports that follow from the port mappings of services
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes services as the role P(slipway.aws.ecs_app#role) has them, so that a port is declared once, in the
    C(portMappings) of a container.
  - Security groups, target groups and smoke tests follow from it.
positional: _input, target_groups, images
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
  target_groups:
    description: Target groups as the role P(slipway.aws.ecs_load_balancer#role) has them. Their C(port) comes first.
    type: list
    elements: dict
    default: []
  images:
    description: Images by name, each C(repository:tag), as C(ecs_app_images) has them.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: A container on port 8000 behind a target group
  ansible.builtin.debug:
    msg: "{{ ([shop] | slipway.aws.service_ports([{'name': 'shop'}])).tasks }}"
  vars:
    shop:
      name: shop
      load_balancers: [{targetGroupArn: shop}]
      task_definition:
        containerDefinitions: [{name: shop, portMappings: [{containerPort: 8000}]}]
"""

RETURN = r"""
_value:
  description:
    - C(tasks), the ports that the load balancer sends requests and health checks to.
    - C(peers), the ports that containers reach of each other by a name in Cloud Map or in Service Connect.
    - C(target_groups), the target groups with their C(port).
    - C(images), the port of each repository.
  type: dict
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_ports import Json, service_ports


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"service_ports": service_ports}
