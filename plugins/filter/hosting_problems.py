# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hosting_problems
short_description: Tell why services cannot run where they should
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Looks at launch type and capacity providers, network mode and target groups, CPU architecture and what Fargate
    lacks, of services that P(slipway.aws.hosted_services#filter) has completed.
positional: _input
options:
  _input:
    description: The completed services.
    type: list
    elements: dict
    required: true
  cluster:
    description: What the role P(slipway.aws.ecs_cluster#role) publishes.
    type: dict
    required: true
  target_types:
    description: Target types of target groups by name.
    type: dict
    default: {}
  images:
    description: Names of the images that are built for the architecture O(built).
    type: list
    elements: str
    default: []
  built:
    description: The CPU architecture of O(images).
    type: str
    default: X86_64
"""

EXAMPLES = r"""
- name: Fargate has no bridge
  ansible.builtin.debug:
    msg: "{{ services | slipway.aws.hosting_problems(cluster={'hosting': 'fargate'}) }}"
  vars:
    services:
      - name: web
        options: {launch_type: FARGATE}
        task_definition: {family: web, networkMode: bridge, requiresCompatibilities: [FARGATE]}
"""

RETURN = r"""
_value:
  description: What is wrong, one sentence each, the service's name first.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence

from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import DEFAULT_ARCHITECTURE
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_hosting import Json, problems


def hosting_problems(
    services: Sequence[Json],
    cluster: Json,
    target_types: Mapping[str, str] | None = None,
    images: Sequence[str] | None = None,
    built: str = DEFAULT_ARCHITECTURE,
) -> list[str]:
    return [
        f"{service['name']}: {problem}"
        for service in services
        for problem in problems(service, cluster, target_types or {}, images or [], built)
    ]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"hosting_problems": hosting_problems}
