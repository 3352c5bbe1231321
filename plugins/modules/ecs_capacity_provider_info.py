#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_capacity_provider_info
short_description: Reads capacity providers of Amazon ECS
version_added: 0.1.0
description:
  - Reads capacity providers with their configuration and tags.
author: The Slipway authors (@slipway)
options:
  names:
    description: Names of the capacity providers.
    type: list
    elements: str
    required: true
    aliases: [name]
  cluster:
    description: The cluster of capacity providers that start instances by themselves.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
seealso:
  - module: slipway.aws.ecs_capacity_provider
"""

EXAMPLES = r"""
- name: Read the capacity provider of the shop
  slipway.aws.ecs_capacity_provider_info:
    names: [shop-hosts]
"""

RETURN = r"""
capacity_providers:
  description:
    - The capacity providers that exist, each as M(slipway.aws.ecs_capacity_provider) returns it.
    - Those that do not exist, or are being deleted, are omitted.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: shop-hosts
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:capacity-provider/shop-hosts
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: DescribeCapacityProviders
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.capacity_provider import info

ARGUMENT_SPEC = {
    "names": {"type": "list", "elements": "str", "required": True, "aliases": ["name"]},
    "cluster": {},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
