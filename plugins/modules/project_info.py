#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_info
version_added: 0.1.0
short_description: Lists everything that a project owns in a region
author:
  - The Slipway authors (@slipway)
description:
  - Asks each API that the roles of this collection use for what carries the tag C(slipway:project) of a project.
  - It asks the services themselves. AWS's own search by tags knows nothing of IAM, and shows for hours what is gone.
  - Of IAM, which has no regions, it lists what was made for this region or for none in particular, by the tag
    C(slipway:region).
options:
  project:
    description:
      - The name of the project.
    type: str
    required: true
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
"""

EXAMPLES = r"""
- name: It is known what the project owns
  slipway.aws.project_info:
    project: ecs
  register: owned

- name: It is told
  ansible.builtin.debug:
    msg: "{{ owned.resources | map(attribute='name') }}"
"""

RETURN = r"""
resources:
  description: The resources, in the order in which the teardown removes them.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: security group
    tag:
      description: The tag of the playbooks under which it is made and removed.
      type: str
      sample: network
    id:
      description: The id, or the ARN or name where that is the id.
      type: str
      sample: sg-0123456789abcdef0
    name:
      description: The name.
      type: str
      sample: ecs-tasks
    holds:
      description: What is in it that cannot be made again. Empty when there is nothing of that sort.
      type: str
      sample: ""
    tags:
      description: The tags.
      type: dict
      sample: {"slipway:project": ecs}
code:
  description:
    - Which error it was, for programs. V(invalid_option), V(access_denied), V(no_credentials), V(no_connection),
      V(throttled), V(refused) or V(aws_error).
    - V(bad_answer) for an answer that cannot be read, or leaves out what was asked for.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._project import flows

ARGUMENT_SPEC = {"project": {"type": "str", "required": True}}


def main() -> None:
    run(ARGUMENT_SPEC, flows.info)


if __name__ == "__main__":
    main()
