# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hosted_services
short_description: Complete services by what follows from where they run
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes services as the role P(slipway.aws.ecs_app#role) has them. A service runs where its C(options) say, and
    otherwise where the cluster's default strategy says.
  - The launch type or strategy, C(requiresCompatibilities), C(networkMode), C(runtimePlatform) and the network
    configuration follow, as far as the service does not say them itself.
positional: _input
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
  cluster:
    description: What the role P(slipway.aws.ecs_cluster#role) publishes.
    type: dict
    required: true
  network:
    description: C(subnets) and C(securityGroups) of tasks that have an address of their own.
    type: dict
    default: {}
  architecture:
    description: The CPU architecture of tasks that name none.
    type: str
    default: X86_64
"""

EXAMPLES = r"""
- name: On the hosts of the cluster
  ansible.builtin.debug:
    msg: "{{ [service] | slipway.aws.hosted_services(cluster={'default_strategy': [{'capacityProvider': 'hosts'}]}) }}"
  vars:
    service: {name: web, task_definition: {family: web, networkMode: bridge}}
"""

RETURN = r"""
_value:
  description: The services, completed.
  type: list
  elements: dict
"""

from collections.abc import Callable, Sequence

from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import DEFAULT_ARCHITECTURE
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_hosting import Json, placed


def hosted_services(
    services: Sequence[Json], cluster: Json, network: Json | None = None, architecture: str = DEFAULT_ARCHITECTURE
) -> list[Json]:
    return [placed(service, cluster, network or {}, architecture) for service in services]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"hosted_services": hosted_services}
