#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: promotion_info
version_added: 0.2.0
short_description: Finds the images that a stage gets from another one
author:
  - The Slipway authors (@slipway)
description:
  - Finds, for each image that the services of a stage name, the digest that the same container runs in another stage,
    and prints both.
  - Fails, with all problems at once, if a service of the other stage is missing, not stable, or runs two versions, if
    a digest is unknown, or if the credentials cannot reach an image in Amazon ECR.
  - Without O(target), returns the images that the stage itself runs.
  - It only reads. The playbook C(slipway.aws.promote) runs it.
options:
  source:
    description:
      - The status of the stage that runs the images, as M(slipway.aws.project_status) or M(slipway.aws.stage_status)
        returns it.
    type: dict
    required: true
  target:
    description:
      - The status of the stage that gets them.
    type: dict
  services:
    description:
      - The services of the stage that gets the images, as C(ecs_app_services) of the role P(slipway.aws.ecs_app#role)
        has them. Containers that name an image by its address are left out.
    type: list
    elements: dict
    required: true
  unstable:
    description:
      - Whether to take the images of services that are not stable, or whose last release has not ended.
    type: bool
    default: false
  registry:
    description:
      - Another address of the account's registry in the names of images, such as V(localhost:4566) for the local cloud.
    type: str
  format:
    description:
      - What to print. V(list) has a line for each container. V(none) only returns it.
    type: str
    choices: [list, none]
    default: list
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
notes:
  - Requires the permission C(ecr:BatchGetImage) on the repositories of the images. Images of other registries than
    Amazon ECR are not checked.
  - In check mode without O(target), an image that nothing runs yet is returned with an unknown digest.
seealso:
  - module: slipway.aws.stage_status
  - module: slipway.aws.project_status
"""

EXAMPLES = r"""
- name: Read the other stage
  slipway.aws.stage_status:
    stage: inventory/staging
  register: staging

- name: Read this stage
  slipway.aws.project_status:
    project: "{{ slipway_project }}"
    format: none
  register: production

- name: Find the images
  slipway.aws.promotion_info:
    source: "{{ staging.status }}"
    target: "{{ production.status }}"
    services: "{{ ecs_app_services }}"
"""

RETURN = r"""
images:
  description: The reference of each image by its name, as C(ecs_app_images) of P(slipway.aws.ecs_app#role) takes them.
  returned: success
  type: dict
  sample: {shop: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:0d4a1185..."}
containers:
  description: The containers that name these images.
  returned: success
  type: list
  elements: dict
  contains:
    service:
      description: The service.
      type: str
      sample: web
    container:
      description: The container.
      type: str
      sample: web
    image:
      description: The name of the image.
      type: str
      sample: shop
    before:
      description: What the stage runs. Null if it does not run it yet, or if its digest is unknown.
      type: str
      sample: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:7be00b46...
    after:
      description: What the other stage runs. Null if that is unknown.
      type: str
      sample: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:0d4a1185...
promoted_from:
  description: Where the images come from, for O(slipway.aws.ecs_release#module:promoted_from).
  returned: with O(target)
  type: dict
  sample: {project: shop-staging, region: eu-central-1, account: "123456789012", release: 12}
problems:
  description: What prevents the promotion, a sentence each.
  returned: when there are any
  type: list
  elements: str
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - >-
      V(not_promotable). An image of the other stage cannot be released here: its service is not stable or lacks the
      container, its digest is unknown, or its registry is not reachable.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: not_promotable
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.promotion import flow

ARGUMENT_SPEC = {
    "source": {"type": "dict", "required": True},
    "target": {"type": "dict"},
    "services": {"type": "list", "elements": "dict", "required": True},
    "unstable": {"type": "bool", "default": False},
    "registry": {"type": "str"},
    "format": {"type": "str", "choices": ["list", "none"], "default": "list"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
