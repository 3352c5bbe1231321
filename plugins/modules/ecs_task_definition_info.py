#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_definition_info
short_description: Reads an Amazon ECS task definition
version_added: 0.1.0
description:
  - Reads one revision of a task definition with its tags and, optionally, lists the revisions of its family.
author: The Slipway authors (@slipway)
options:
  family:
    description: The family, of which the newest active revision is read; also C(family:revision) or a revision's ARN.
    type: str
    required: true
    aliases: [name]
  revision:
    description: The revision to read.
    type: int
  list_revisions:
    description: Whether to list the revisions of the family.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
notes:
  - A value that looks like a secret is shown as V(********), as in M(slipway.aws.ecs_task_definition).
seealso:
  - module: slipway.aws.ecs_task_definition
"""

EXAMPLES = r"""
- name: Read the newest revision
  slipway.aws.ecs_task_definition_info:
    family: web
  register: found

- name: Read revision 1 and list all others
  slipway.aws.ecs_task_definition_info:
    family: web:1
    list_revisions: true
"""

RETURN = r"""
task_definitions:
  description:
    - The revision, as M(slipway.aws.ecs_task_definition) returns it; an empty list if there is none.
  returned: success
  type: list
  elements: dict
  contains:
    arn:
      description: ARN of the revision.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1
    family:
      description: The family.
      type: str
      sample: web
    revision:
      description: Number of the revision.
      type: int
      sample: 1
    container_definitions:
      description: The containers, in AWS's spelling.
      type: list
      elements: dict
    tags:
      description: The tags.
      type: dict
revisions:
  description: Numbers of the family's revisions, newest first.
  returned: if O(list_revisions=true)
  type: dict
  contains:
    active:
      description: Those that can be deployed.
      type: list
      elements: int
      sample: [3, 2]
    inactive:
      description: Those that are deregistered.
      type: list
      elements: int
      sample: [1]
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: DescribeClusters
problems:
  description: All problems of the options, one sentence each.
  returned: when options are invalid
  type: list
  elements: str
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition import info

ARGUMENT_SPEC = {
    "family": {"required": True, "aliases": ["name"]},
    "revision": {"type": "int"},
    "list_revisions": {"type": "bool", "default": False},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
