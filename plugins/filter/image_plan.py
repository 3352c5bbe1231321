# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: image_plan
short_description: Derives from declared images what is built, pushed and tagged
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes images as the role P(slipway.aws.container_image#role) has them in C(container_image_images), which is the
    only place where an image is declared.
  - Compares them with what is in the registry. An image whose content-derived tag is in its repository is neither
    built nor pushed; its other tags may still have to be moved.
positional: _input
options:
  _input:
    description: The images.
    type: list
    elements: dict
    required: true
  settings:
    description:
      - Values of the role, C(base_image), C(base_image_arg), C(checkout_directory), C(address) and C(smoke_test_port).
      - C(check_mode), whether the settings of repositories are still to be changed, and C(mutability), what their tags
        are to be where they do not say so.
      - C(container_defaults) is C(ecs_app_container_defaults).
      - C(images) has the names that containers use for images, as C(ecs_app_images) has them.
    type: dict
    default: {}
  services:
    description:
      - The services as the role P(slipway.aws.ecs_app#role) has them. The ports of their containers are those of smoke
        tests.
    type: list
    elements: dict
    default: []
  registry:
    description: The registry, as C(ecr_registry_result) has it.
    type: dict
  pulls:
    description: The base images, results of a loop over M(community.docker.docker_image_pull).
    type: list
    elements: dict
    default: []
  contexts:
    description: For each image, in the same order, what M(slipway.aws.docker_build_context_info) returned.
    type: list
    elements: dict
    default: []
  repositories:
    description: The repositories with their images, as M(slipway.aws.ecr_repository_info) returns them.
    type: list
    elements: dict
    default: []
  built:
    description: The names of images that were built before O(repositories) was read. Without it, none was built yet.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: List the images to build
  ansible.builtin.debug:
    msg: "{{ plan.images | rejectattr('pushed') | map(attribute='name') }}"
  vars:
    plan: "{{ images | slipway.aws.image_plan(contexts=contexts.results, repositories=registry.repositories) }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems), what is wrong with the declarations, a sentence each; with O(registry), also repositories that it
      lacks.
    - C(immutable_tags), with O(repositories), a sentence for each image whose tags would have to leave another image,
      and may not.
    - C(repositories), the repositories with their settings, as C(ecr_registry_repositories) has them.
    - C(tagged), each image's C(repository:tag) by name, as C(ecs_app_images) has them.
    - C(base_images), each once.
    - C(images), complete with defaults, each also with C(uri), C(content_tag), C(digest), which is V(unknown) before it
      is pushed, C(reference), the image by its digest, C(pushed), whether the registry has it, C(complete), whether all
      of its C(tags) name it too, C(user_decides), whether a container has the user of the image, and C(built), whether
      it is one of O(built) or is to be built.
    - C(results), by the name of the image, what the role returns.
    - C(references), the images by digest, by C(repository:tag).
  type: dict
"""

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import container_image, ecr_registry

Json = dict[str, Any]


def image_plan(
    images: Sequence[Json],
    settings: Json | None = None,
    services: Sequence[Json] = (),
    registry: Json | None = None,
    **read: Any,
) -> Json:
    planned = container_image.plan(images, settings or {}, services, {"registry": registry, **read})
    problems = container_image.problems(images, settings or {}, services)
    if registry is not None:
        problems += container_image.unknown_repositories(planned, registry)
    repositories = container_image.repositories(images)
    # Check mode does not change repositories: what they are to be counts too.
    mode = ecr_registry.Defaults((settings or {}).get("mutability") or ecr_registry.IMMUTABLE)
    pending = repositories if (settings or {}).get("check_mode") else ()
    declared = [ecr_registry.desired(one, "", {}, mode) for one in pending]
    return {
        "problems": problems,
        "immutable_tags": container_image.immutable_tags(planned, read.get("repositories") or (), declared),
        "repositories": repositories,
        "tagged": container_image.tagged(images),
        "base_images": list(dict.fromkeys(container_image.pull_name(image["base_image"]) for image in planned)),
        "images": planned,
        "results": container_image.results(planned),
        "references": container_image.known_references(planned),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"image_plan": image_plan}
