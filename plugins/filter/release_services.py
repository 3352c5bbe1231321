# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: release_services
short_description: Put the services of a site into the form that a release takes
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes services as the role P(slipway.aws.ecs_app#role) has them and gives them the form that
    O(slipway.aws.ecs_release#module:services) has.
  - A service with C(scaling) has its C(desired_count), or the least that it scales to, only when it is made.
  - Target groups and names of service discovery become ARNs. A name that is not known is an error that says which ones
    are.
positional: _input
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
  definitions:
    description: The whole task definition of each service, in the same order.
    type: list
    elements: dict
    required: true
  defaults:
    description:
      - Options of M(slipway.aws.ecs_service) for which a service has no value.
      - A launch type is no default for a service with a C(capacity_provider_strategy).
    type: dict
    default: {}
  target_groups:
    description: ARNs of target groups by name.
    type: dict
    default: {}
  registries:
    description: ARNs of service discovery by name. A C(registryArn) that is no ARN must be one of these names.
    type: dict
    default: {}
  tags:
    description: Tags of every service and task definition.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: What a release of one service is told
  ansible.builtin.debug:
    msg: "{{ services | slipway.aws.release_services(definitions=[definition], defaults={'launch_type': 'FARGATE'}) }}"
  vars:
    services: [{name: web, desired_count: 2, options: {enable_execute_command: true}}]
    definition: {family: web, containerDefinitions: [{name: web, image: "registry.example/web:1"}]}
"""

RETURN = r"""
_value:
  description: The services, for a release.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

Json = dict[str, Any]


def resolved(reference: Json, member: str, kind: str, arns: Mapping[str, str]) -> Json:
    """A service's load balancer or registry with an ARN in the place of a name."""
    name = reference.get(member)
    # In check mode, what does not exist yet has no ARN.
    if name is None or str(name).startswith("arn:") or name == "unknown":
        return reference
    if name not in arns:
        known = ", ".join(sorted(arns)) or "none"
        raise AnsibleFilterError(f"{member}: there is no {kind} named {name!r}; the known ones are: {known}")
    return {**reference, member: arns[str(name)]}


def counted(service: Json) -> Json:
    """How many tasks: from its beginning on it is AWS that changes the number of a service that scales."""
    count, scaling = service.get("desired_count"), service.get("scaling")
    if scaling:
        return {"initial_count": scaling["min_capacity"] if count is None else count}
    return {} if count is None else {"desired_count": count}


def release_services(
    services: Sequence[Json],
    definitions: Sequence[Json],
    defaults: Json | None = None,
    target_groups: Mapping[str, str] | None = None,
    registries: Mapping[str, str] | None = None,
    tags: Json | None = None,
) -> list[Json]:
    """The `services`, each with the definition at its place."""
    released = []
    for service, definition in zip(services, definitions, strict=True):
        own = dict(service.get("options") or {})
        asked = {**(defaults or {}), **own}
        if own.get("capacity_provider_strategy") and "launch_type" not in own:
            asked.pop("launch_type", None)
        balancers = service.get("load_balancers") or ()
        asked.setdefault(
            "load_balancers",
            [resolved(item, "targetGroupArn", "target group", target_groups or {}) for item in balancers],
        )
        if asked.get("service_registries"):
            asked["service_registries"] = [
                resolved(item, "registryArn", "Cloud Map service", registries or {})
                for item in asked["service_registries"]
            ]
        direct = {name: service[name] for name in ("name", "after") if service.get(name) is not None}
        direct |= counted(service)
        task_definition = {"definition": definition, "tags": tags or {}}
        released.append({**asked, **direct, "task_definition": task_definition, "tags": tags or {}})
    return released


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"release_services": release_services}
