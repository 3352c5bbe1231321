# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: image_plan
short_description: What is left to do until a registry has the images
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Holds images that are to be built against what a registry has.
  - An image whose content-derived tag is in its repository needs no build and no push; its other tags may still have
    to be moved.
positional: _input, contexts, uris, stored, built
options:
  _input:
    description: The images, with C(name), and where needed C(repository) and C(tags).
    type: list
    elements: dict
    required: true
  contexts:
    description: For each image, in the same order, what M(slipway.aws.docker_build_context_info) said.
    type: list
    elements: dict
    required: true
  uris:
    description: The repositories' names, and what C(docker push) calls them.
    type: dict
    required: true
  stored:
    description: The repositories with their images, as M(slipway.aws.ecr_repository_info) describes them.
    type: list
    elements: dict
    required: true
  built:
    description: The names of images that were built before O(stored) was read.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Images that have to be built are told
  ansible.builtin.debug:
    msg: "{{ images | slipway.aws.image_plan(contexts.results, uris, registry.repositories) | rejectattr('pushed') }}"
"""

RETURN = r"""
_value:
  description:
    - The images, each with C(name), C(repository), C(uri), C(content_tag), C(dockerfile), C(tags) and C(digest), which
      is V(unknown) before it is pushed, and C(reference), the image by its digest.
    - C(pushed) tells whether the registry has the image, C(complete) whether all of its C(tags) name it too,
      C(built) whether it is one of O(built).
    - C(settings) is the image as it was given.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def image_plan(
    images: Sequence[Json],
    contexts: Sequence[Json],
    uris: Mapping[str, str],
    stored: Sequence[Json],
    built: Sequence[str] = (),
) -> list[Json]:
    tagged = {
        (repository["repository_name"], tag): image["image_digest"]
        for repository in stored
        for image in repository.get("images") or []
        for tag in image.get("image_tags") or []
    }
    plans = [plan(image, context, uris, tagged) for image, context in zip(images, contexts, strict=True)]
    return [{**entry, "built": entry["name"] in built} for entry in plans]


def plan(image: Json, context: Json, uris: Mapping[str, str], tagged: Mapping[tuple[str, str], str]) -> Json:
    """One image against the digests that its repository has under its tags."""
    repository = image.get("repository") or image["name"]
    tags = list(image.get("tags") or [])
    digest = tagged.get((repository, context["tag"]))
    return {
        "name": image["name"],
        "repository": repository,
        "uri": uris[repository],
        "content_tag": context["tag"],
        "dockerfile": context["dockerfile"],
        "tags": tags,
        "digest": digest or "unknown",
        "reference": f"{uris[repository]}@{digest or 'unknown'}",
        "pushed": digest is not None,
        "complete": digest is not None and all(tagged.get((repository, tag)) == digest for tag in tags),
        "settings": dict(image),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"image_plan": image_plan}
