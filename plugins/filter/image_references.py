# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: image_references
short_description: Name images by digest
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes images as C(repository:tag) and names each by digest, so that what runs is what was tested, also when the tag
    moves on.
  - The digest is the one that this run pushed or found, and otherwise the one that the tag has in the registry.
  - An image with a digest stays as it is.
positional: _input
options:
  _input:
    description: Images by name, each C(repository:tag).
    type: dict
    required: true
  repositories:
    description: What M(slipway.aws.ecr_repository_info) read, with images.
    type: list
    elements: dict
    required: true
  uris:
    description: What C(docker pull) calls a repository, by its name. By default what AWS calls it.
    type: dict
    default: {}
  known:
    description:
      - The references that this run knows, by C(repository:tag), as the role P(slipway.aws.container_image#role)
        returns them in C(container_image_result.references). In check mode the digest of an image that is yet to be
        built is V(unknown).
    type: dict
    default: {}
  services:
    description:
      - The services as the role P(slipway.aws.ecs_app#role) has them. Images that none of them uses are left out.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Show what would run
  ansible.builtin.debug:
    msg: "{{ {'web': 'webapp:1.0'} | slipway.aws.image_references(repositories=registry.repositories) }}"
"""

RETURN = r"""
_value:
  description: Image references with digests, by name.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.plugin_utils import container_image

Json = dict[str, Any]


def image_references(
    images: Mapping[str, str],
    repositories: Sequence[Json],
    uris: Mapping[str, str] | None = None,
    known: Mapping[str, str] | None = None,
    services: Sequence[Json] | None = None,
) -> dict[str, str]:
    if problems := container_image.image_problems(images, repositories, known or {}, services):
        raise AnsibleFilterError(" ".join(problems))
    return container_image.references(images, repositories, uris or {}, known or {}, services)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, str]]]:
        return {"image_references": image_references}
