#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository
version_added: 0.1.0
short_description: Manages repositories of Amazon ECR
author:
  - The Slipway authors (@slipway)
description:
  - Creates, updates and deletes repositories of Amazon Elastic Container Registry, with their lifecycle policy,
    repository policy and tags.
  - Options that are omitted keep their values.
  - The contents of options keep AWS's spelling, and are validated before anything is changed.
options:
  name:
    description:
      - The name of the repository, with its namespace if it has one.
    type: str
    required: true
    aliases: [repository_name]
  state:
    description:
      - Whether the repository exists.
    type: str
    choices: [present, absent]
    default: present
  registry_id:
    description:
      - The account of the registry. Defaults to the caller's.
    type: str
  image_tag_mutability:
    description:
      - Whether a tag may move from one image to another.
      - With V(IMMUTABLE_WITH_EXCLUSION) the tags that O(image_tag_mutability_exclusion_filters) matches may move; with
        V(MUTABLE_WITH_EXCLUSION) these may not.
      - AWS defaults to V(MUTABLE).
    type: str
    choices: [MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]
  image_tag_mutability_exclusion_filters:
    description:
      - The tags that are excepted from O(image_tag_mutability), as C(filterType) V(WILDCARD) and a C(filter). The
        order does not matter.
      - They are removed when O(image_tag_mutability) becomes V(MUTABLE) or V(IMMUTABLE).
    type: list
    elements: dict
  image_scanning_configuration:
    description:
      - C(scanOnPush), whether images are scanned when they are pushed.
    type: dict
  encryption_configuration:
    description:
      - C(encryptionType) V(AES256), V(KMS) or V(KMS_DSSE), and the C(kmsKey) by its ARN, ID or alias.
      - AWS cannot change it later. A difference fails with the code V(immutable).
      - Without C(kmsKey), any key of the repository is accepted.
    type: dict
  lifecycle_policy:
    description:
      - The rules by which images expire, as a dictionary or as JSON.
      - V({}) removes the policy.
      - Compared by meaning, so the order of rules and keys, and numbers that are given as text, make no difference.
    type: json
  policy:
    description:
      - Who may use the repository, as a dictionary or as JSON in the language of IAM policies.
      - V({}) removes the policy.
      - Compared by meaning, so a single value and a list of one, the order in lists, and an account's number and the
        ARN of its root user make no difference.
    type: json
  force_set_policy:
    description:
      - Sets O(policy) even if it keeps the caller from ever changing it again. AWS refuses that otherwise.
    type: bool
    default: false
  force:
    description:
      - With O(state=absent), deletes the repository together with the images in it. Without, a repository that has
        images is kept, and the module fails with the code V(not_empty).
    type: bool
    default: false
  tags:
    description:
      - The tags of the repository, not of its images.
      - V({}) with O(purge_tags=true) removes all tags.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description:
      - Whether to remove tags that are not in O(tags). Without O(tags), all are kept.
    type: bool
    default: true
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.ecr_repository_info
  - module: slipway.aws.ecr_image_tag
"""

EXAMPLES = r"""
- name: Create the repository of the web application
  slipway.aws.ecr_repository:
    name: webapp
    image_tag_mutability: IMMUTABLE_WITH_EXCLUSION
    image_tag_mutability_exclusion_filters:
      - filterType: WILDCARD
        filter: latest*
    image_scanning_configuration:
      scanOnPush: true
    lifecycle_policy:
      rules:
        - rulePriority: 1
          description: Expire untagged images after two weeks
          selection:
            tagStatus: untagged
            countType: sinceImagePushed
            countUnit: days
            countNumber: 14
          action:
            type: expire
    tags:
      team: shop

- name: Allow another account to pull
  slipway.aws.ecr_repository:
    name: webapp
    policy:
      Version: "2012-10-17"
      Statement:
        - Sid: pull
          Effect: Allow
          Principal:
            AWS: "123456789012"
          Action:
            - ecr:BatchCheckLayerAvailability
            - ecr:BatchGetImage
            - ecr:GetDownloadUrlForLayer

- name: Remove the repository policy
  slipway.aws.ecr_repository:
    name: webapp
    policy: {}

- name: Delete the repository with its images
  slipway.aws.ecr_repository:
    name: webapp
    state: absent
    force: true
"""

RETURN = r"""
repository:
  description:
    - The repository; in check mode the predicted one, with V(unknown) where AWS decides. Empty after its deletion.
  returned: success
  type: dict
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
      description: The lifecycle policy, rules by their priority.
      returned: when O(lifecycle_policy) is given
      type: dict
    policy:
      description: The repository policy, with lists where the language allows single values.
      returned: when O(policy) is given
      type: dict
    tags:
      description: The tags.
      type: dict
      sample: {team: shop}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(immutable). AWS cannot change this property of an existing resource.
    - V(not_empty). The repository contains images.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(refused) and V(throttled). These any module returns
      that calls AWS.
  returned: failure
  type: str
  sample: not_empty
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._ecr.repository import flow

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True, "aliases": ["repository_name"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "registry_id": {"type": "str"},
    "image_tag_mutability": {
        "type": "str",
        "choices": ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"],
    },
    "image_tag_mutability_exclusion_filters": {"type": "list", "elements": "dict"},
    "image_scanning_configuration": {"type": "dict"},
    "encryption_configuration": {"type": "dict"},
    "lifecycle_policy": {"type": "json"},
    "policy": {"type": "json"},
    "force_set_policy": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
