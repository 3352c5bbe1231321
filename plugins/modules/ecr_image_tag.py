#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_tag
version_added: 0.1.0
short_description: Manages the tags of images in Amazon ECR
author:
  - The Slipway authors (@slipway)
description:
  - Tags an image that is in the repository, or removes tags.
  - Nothing is pulled or pushed, and Docker is not required. The image keeps its digest.
  - If a tag is immutable and on another image, the module fails with the code V(tag_immutable), and changes no tag.
options:
  repository:
    description:
      - The name of the repository.
    type: str
    required: true
  registry_id:
    description:
      - The account of the registry. Defaults to the caller's.
    type: str
  source:
    description:
      - The image to tag, by a tag or by its digest (V(sha256:…)). Required with O(state=present).
    type: str
  tags:
    description:
      - The tags.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) sets the tags on the O(source). Other tags of the image are kept.
      - V(absent) removes the tags from whatever image has them.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - AWS deletes an image with its last tag. With O(state=absent), the module then fails with the code V(last_tag),
        unless this is V(true).
    type: bool
    default: false
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.ecr_repository_info
"""

EXAMPLES = r"""
- name: Tag the tested image for production
  slipway.aws.ecr_image_tag:
    repository: webapp
    source: src-0d4a1185c5c1d7f3
    tags: [production, ecr1.0]
  register: promoted

- name: Show its digest
  ansible.builtin.debug:
    var: promoted.image.image_digest

- name: Remove the tag of an old release
  slipway.aws.ecr_image_tag:
    repository: webapp
    tags: [ecr0.9]
    state: absent
"""

RETURN = r"""
image:
  description: The tagged image; in check mode the predicted one. Empty with O(state=absent).
  returned: success
  type: dict
  contains:
    image_digest:
      description: The digest of the image's manifest.
      type: str
      sample: sha256:0d4a1185c5c1d7f3c0c4f5c2f3ac0f6a6d1b8a7cba31e7e5b8f6d0a9c8b7a695
    image_tags:
      description: All tags of the image, sorted.
      type: list
      elements: str
      sample: [ecr1.0, production, src-0d4a1185c5c1d7f3]
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(last_tag). Without this tag, ECR would delete the image.
    - V(tag_immutable). The tags of the repository are immutable.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(misplaced_secret),
      V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that
      calls AWS.
  returned: failure
  type: str
  sample: tag_immutable
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecr.image import flow

ARGUMENT_SPEC = {
    "repository": {"type": "str", "required": True},
    "registry_id": {"type": "str"},
    "source": {"type": "str"},
    "tags": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, required_if=[("state", "present", ["source"])])


if __name__ == "__main__":
    main()
