#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: base_image_pin
version_added: 0.2.0
short_description: Pins base images in files of variables to the digests of their tags
author:
  - The Slipway authors (@slipway)
description:
  - Asks the registry of each base image for the digest that its tag names now, and writes it behind the tag, such as
    C(debian:trixie-slim@sha256:…). Docker pulls the image by the digest; the tag says what to ask for next time.
  - Only the lines that name a base image change. If a registry does not answer, nothing is written.
  - Images without a tag that are named by a digest, and templates, are kept. A registry that asks for a password is not
    read.
options:
  paths:
    description:
      - Files of variables in YAML, or directories, in which all files that end in C(.yml) or C(.yaml) are read.
    type: list
    elements: path
    required: true
  variables:
    description:
      - The names of the variables, or of the members of variables, that name a base image.
    type: list
    elements: str
    default: [container_image_base_image, base_image]
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
seealso:
  - module: slipway.aws.dockerfile_info
"""

EXAMPLES = r"""
- name: Pin the base images of an inventory to their newest digests
  slipway.aws.base_image_pin:
    paths: [inventory/aws]
"""

RETURN = r"""
images:
  description: The base images, one for each line that names one.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file, where links lead to.
      type: str
      sample: /shop/inventory/aws/group_vars/all/cloud.yml
    line:
      description: The number of the line.
      type: int
      sample: 28
    before:
      description: The image as it was.
      type: str
      sample: public.ecr.aws/docker/library/debian:trixie-slim
    after:
      description: The image as it is now, or in check mode as it would be.
      type: str
      sample: "public.ecr.aws/docker/library/debian:trixie-slim@sha256:…"
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(base_image_missing). No variable in the files names a base image with a tag, or a file cannot be read.
    - V(file_not_written). A file cannot be written.
    - V(registry_unreadable). An image registry cannot be reached, or did not return the digest of a tag.
  returned: failure
  type: str
  sample: registry_unreadable
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.local_module import run
from ansible_collections.slipway.aws.plugins.module_utils._docker.base_image import flow

ARGUMENT_SPEC = {
    "paths": {"type": "list", "elements": "path", "required": True},
    "variables": {"type": "list", "elements": "str", "default": ["container_image_base_image", "base_image"]},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
