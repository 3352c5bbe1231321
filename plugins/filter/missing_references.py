# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: missing_references
short_description: Report names that stand for nothing
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Looks up the names that services use, as the role P(slipway.aws.ecs_app#role) takes them, in what the account has.
  - These are images by tag, target groups, and services of Cloud Map.
positional: _input
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
  images:
    description: Images by name, each C(repository:tag).
    type: dict
    default: {}
  repositories:
    description: The repositories with their images, as M(slipway.aws.ecr_repository_info) returns them.
    type: list
    elements: dict
    default: []
  known:
    description:
      - The images that this run has pushed or found, by C(repository:tag), as C(container_image_result.references) has
        them.
    type: dict
    default: {}
  target_groups:
    description: The names that a C(targetGroupArn) can be.
    type: list
    elements: str
    default: []
  registries:
    description: The names that a C(registryArn) can be.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Everything that the services name exists
  ansible.builtin.assert:
    that: missing | length == 0
    fail_msg: "{{ missing | join(' ') }}"
  vars:
    missing: "{{ services | slipway.aws.missing_references(images=images, repositories=registry.repositories) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each name that stands for nothing.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils.container_image import image_problems

Json = dict[str, Any]


def missing_references(
    services: Sequence[Json],
    images: Mapping[str, str] | None = None,
    repositories: Sequence[Json] = (),
    known: Mapping[str, str] | None = None,
    target_groups: Iterable[str] = (),
    registries: Iterable[str] = (),
) -> list[str]:
    found = image_problems(images or {}, repositories, known or {}, services)
    groups, names = list(target_groups), list(registries)
    for service in services:
        balancers = service.get("load_balancers") or ()
        registered = (service.get("options") or {}).get("service_registries") or ()
        found += _unknown(service, balancers, "targetGroupArn", "target group", groups)
        found += _unknown(service, registered, "registryArn", "Cloud Map service", names)
    return found


def _unknown(service: Json, items: Iterable[Json], member: str, kind: str, known: Sequence[str]) -> Iterator[str]:
    for item in items:
        name = str(item.get(member) or "unknown")
        # In check mode, what does not exist yet has no ARN.
        if name != "unknown" and not name.startswith("arn:") and name not in known:
            there = ", ".join(sorted(known)) or "none"
            yield f"{service['name']}: {member}: expected the name of a {kind} ({there}), got {name!r}."


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"missing_references": missing_references}
