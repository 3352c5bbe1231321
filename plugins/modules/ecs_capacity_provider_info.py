#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_capacity_provider_info
short_description: Read capacity providers of Amazon ECS
version_added: 0.1.0
description:
  - Reads capacity providers with what they get their hosts from, and their tags.
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
- name: What brings hosts to the shop is known
  slipway.aws.ecs_capacity_provider_info:
    names: [shop-hosts]
"""

RETURN = r"""
capacity_providers:
  description:
    - The capacity providers that exist, each as M(slipway.aws.ecs_capacity_provider) returns it.
    - One that is named and does not exist, or is about to go, is left out.
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
    - What went wrong, as a word that does not change.
    - V(access_denied), AWS does not allow the call that is named.
    - V(bad_answer), an answer cannot be read, or leaves out what was asked for.
    - V(aws_error), AWS answered with a fault of its own.
    - V(invalid_option), an option cannot be right; nothing was changed.
    - V(no_connection), AWS cannot be reached.
    - V(no_credentials), there are no usable credentials.
    - V(refused), AWS refuses the request for what it says.
    - V(throttled), AWS was asked too often, even after ten tries.
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
