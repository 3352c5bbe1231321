#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository_info
version_added: 0.1.0
short_description: Reads repositories of Amazon ECR and their images
author:
  - The Slipway authors (@slipway)
description:
  - Reads the repositories of a registry, with the tags, policies and images that O(include) selects.
options:
  names:
    description:
      - The repositories to read. Those that do not exist are omitted. Defaults to all.
    type: list
    elements: str
    aliases: [name]
  registry_id:
    description:
      - The account of the registry. Defaults to the caller's.
    type: str
  include:
    description:
      - What to read beside the repository itself. Each is one more call to AWS per repository.
    type: list
    elements: str
    choices: [images, lifecycle_policy, policy, tags]
    default: [tags]
  image_tags:
    description:
      - Reads only images with one of these tags, without O(include=images).
    type: list
    elements: str
    aliases: [image_tag]
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.ecr_repository
"""

EXAMPLES = r"""
- name: Read all repositories with their policies
  slipway.aws.ecr_repository_info:
    include: [lifecycle_policy, policy, tags]
  register: registry

- name: Read whether this image was pushed
  slipway.aws.ecr_repository_info:
    name: webapp
    image_tag: src-0d4a1185c5c1d7f3
  register: pushed

- name: Show the digest
  ansible.builtin.debug:
    msg: "{{ pushed.repositories[0].images[0].image_digest | default('not pushed') }}"
"""

RETURN = r"""
repositories:
  description: The repositories, sorted by name; those of O(names) in the given order.
  returned: success
  type: list
  elements: dict
  contains:
    repository_name:
      description: The name of the repository.
      type: str
      sample: webapp
    repository_arn:
      description: The ARN of the repository.
      type: str
      sample: arn:aws:ecr:ap-northeast-2:123456789012:repository/webapp
    repository_uri:
      description: Its name for C(docker push) and C(docker pull).
      type: str
      sample: 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/webapp
    registry_id:
      description: The account of the registry.
      type: str
      sample: "123456789012"
    created_at:
      description: When the repository was created.
      type: str
      sample: "2026-01-31T12:00:00+00:00"
    image_tag_mutability:
      description: Whether tags may move.
      type: str
      sample: MUTABLE
    image_tag_mutability_exclusion_filters:
      description: The tags that are excluded.
      type: list
      elements: dict
      sample: [{filterType: WILDCARD, filter: "latest*"}]
    image_scanning_configuration:
      description: Whether images are scanned when they are pushed.
      type: dict
      sample: {scanOnPush: true}
    encryption_configuration:
      description: How the images are encrypted.
      type: dict
      sample: {encryptionType: AES256}
    lifecycle_policy:
      description: The lifecycle policy, rules by their priority. Empty when there is none.
      returned: when O(include) has it
      type: dict
    policy:
      description: The repository policy, with lists where the language allows single values. Empty when there is none.
      returned: when O(include) has it
      type: dict
    tags:
      description: The tags.
      returned: when O(include) has it
      type: dict
      sample: {team: shop}
    images:
      description: The images, newest first, with all members of AWS's answer.
      returned: when O(include) has it, or O(image_tags) is given
      type: list
      elements: dict
      contains:
        image_digest:
          description: The digest of the image's manifest.
          type: str
          sample: sha256:0d4a1185c5c1d7f3c0c4f5c2f3ac0f6a6d1b8a7cba31e7e5b8f6d0a9c8b7a695
        image_tags:
          description: The tags of the image, sorted.
          type: list
          elements: str
          sample: [ecr1.0, src-0d4a1185c5c1d7f3]
        image_size_in_bytes:
          description: The size of the image in the registry.
          type: int
          sample: 43211234
        image_pushed_at:
          description: When the image was pushed.
          type: str
          sample: "2026-01-31T12:00:00+00:00"
        last_recorded_pull_time:
          description: When the image was last pulled, to the day.
          returned: when it was pulled
          type: str
          sample: "2026-02-01T00:00:00+00:00"
        image_manifest_media_type:
          description: The kind of the manifest, an image or an index of several platforms.
          type: str
          sample: application/vnd.oci.image.index.v1+json
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecr.repository import info

ARGUMENT_SPEC = {
    "names": {"type": "list", "elements": "str", "aliases": ["name"]},
    "registry_id": {"type": "str"},
    "include": {
        "type": "list",
        "elements": "str",
        "choices": ["images", "lifecycle_policy", "policy", "tags"],
        "default": ["tags"],
    },
    "image_tags": {"type": "list", "elements": "str", "aliases": ["image_tag"]},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
