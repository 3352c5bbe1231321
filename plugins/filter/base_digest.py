# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: base_digest
short_description: The digest by which a registry knows an image
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes an image as Docker Engine describes it, and gives the digest under which it was pulled by a name.
  - Where an engine keeps several digests of one image, from several registries, the answer is the same as elsewhere.
positional: _input, name
options:
  _input:
    description: The image, as C(docker image inspect) and the modules of C(community.docker) describe it.
    type: dict
    required: true
  name:
    description: The name by which it was pulled.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The base image is there
  community.docker.docker_image_pull:
    name: public.ecr.aws/docker/library/debian:trixie-slim
  register: base

- name: Its digest is told
  ansible.builtin.debug:
    msg: "{{ base.image | slipway.aws.base_digest('public.ecr.aws/docker/library/debian:trixie-slim') }}"
"""

RETURN = r"""
_value:
  description: The digest; V(unknown) for an image that is not there, or that no registry has.
  type: str
"""

import re
from collections.abc import Callable
from typing import Any

TAG_OR_DIGEST = re.compile(r"(:[^/:@]+)?(@[^@]+)?$")


def base_digest(image: dict[str, Any], name: str) -> str:
    known = [entry.partition("@") for entry in image.get("RepoDigests") or []]
    repository = TAG_OR_DIGEST.sub("", name, count=1)
    # An engine shortens the names of Docker Hub's images, which then are the only ones left to choose from.
    of_name = sorted(digest for its_repository, _at, digest in known if its_repository == repository)
    of_any = sorted(digest for _repository, _at, digest in known)
    return str((of_name or of_any or ["unknown"])[0])


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"base_digest": base_digest}
