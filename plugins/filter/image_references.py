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
  - Takes images as C(repository:tag) and names each by the digest which that tag has in the registry, so that what runs
    is what was tested, even when the tag moves on.
  - A repository or a tag that is not there is an error that names it.
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
  planned:
    description:
      - What check mode has found that C(container_image) would push or tag, as in C(container_image_result). It counts
        before what is in the registry. The digest of an image that is yet to be built is V(unknown).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: What runs, exactly
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

Json = dict[str, Any]


def image_problems(images: Mapping[str, str], repositories: Sequence[Json], planned: Sequence[Json] = ()) -> list[str]:
    """A sentence for each image that the registry does not have, and that this run does not bring there."""
    known, future = _known(repositories), _future(planned)
    return [
        problem
        for name, image in images.items()
        if image not in future and (problem := _problem(f"{name}: {image}", image, known))
    ]


def image_references(
    images: Mapping[str, str],
    repositories: Sequence[Json],
    uris: Mapping[str, str] | None = None,
    planned: Sequence[Json] = (),
) -> dict[str, str]:
    known, future = _known(repositories), _future(planned)

    def reference(image: str) -> str:
        if image in future:
            return future[image]
        if problem := _problem(image, image, known):
            raise AnsibleFilterError(problem)
        name, _colon, tag = image.rpartition(":")
        uri = (uris or {}).get(name, known[name]["repository_uri"])
        return f"{uri}@{_digest(known[name], tag)}"

    return {name: reference(image) for name, image in images.items()}


def _known(repositories: Sequence[Json]) -> dict[str, Json]:
    return {str(repository["repository_name"]): repository for repository in repositories}


def _future(planned: Sequence[Json]) -> dict[str, str]:
    return {f"{image['repository']}:{tag}": str(image["reference"]) for image in planned for tag in image["tags"]}


def _digest(repository: Json, tag: str) -> str | None:
    return next((str(one["image_digest"]) for one in repository["images"] if tag in one["image_tags"]), None)


def _problem(what: str, image: str, known: Mapping[str, Json]) -> str | None:
    name, _colon, tag = image.rpartition(":")
    if name not in known:
        return f"{what}: the registry has no repository {name!r}. Create it with --tags registry."
    if _digest(known[name], tag) is None:
        return f"{what}: the repository {name!r} has no image tagged {tag!r}. Build and push it with --tags image."
    return None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, str]]]:
        return {"image_references": image_references}
