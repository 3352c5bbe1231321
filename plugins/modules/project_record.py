#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_record
version_added: 0.2.0
short_description: Records which roles have converged
author:
  - The Slipway authors (@slipway)
description:
  - Reads a project, and writes for each role of O(roles) the digest of its inputs, its result and the state of its
    resources, to parameters of AWS Systems Manager below C(/slipway/<project>/record/).
  - A record is proven if the role ran in full, and its resources were the same before and after. A rerun skips a role
    only by a proven record.
  - The parameters are encrypted and carry the tag C(slipway:project) and O(tags). Digests distinguish records of
    interrupted or concurrent runs from complete ones.
  - Records are no part of the site. Writing them is not reported as a change, and a missing permission is a warning.
options:
  state:
    description: V(absent) deletes all records of the project, and the history of its releases.
    type: str
    choices: [present, absent]
    default: present
  project:
    description: The name of the project.
    type: str
    required: true
  roles:
    description:
      - The roles that ran in full.
      - If omitted, these are the roles that M(slipway.aws.compare_role) did not skip in this run.
    type: list
    elements: dict
    suboptions:
      role:
        description: The name of the role.
        type: str
        required: true
      group:
        description: The group of services, for the role P(slipway.aws.ecs_app#role).
        type: str
        default: ""
      inputs:
        description: The digests of what the role has read.
        type: dict
        required: true
      result:
        description: What the role has returned.
        type: dict
        required: true
      before:
        description: The digest of the state of its resources before it ran.
        type: str
        required: true
      unproven:
        description: Why a rerun has to run it in full, whatever the state of its resources.
        type: str
        default: ""
  collection:
    description: The version of this collection.
    type: str
    default: ""
  tags:
    description: Further tags of new parameters.
    type: dict
    default: {}
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
"""

EXAMPLES = r"""
- name: Record the roles that ran in full
  slipway.aws.project_record:
    project: ecs
    tags:
      team: web

- name: Delete the records
  slipway.aws.project_record:
    project: ecs
    state: absent
"""

RETURN = r"""
records:
  description: The roles that were recorded, each with the reason why a rerun has to run it in full. Empty if none.
  returned: success
  type: dict
  sample: {ecs_cluster: "", ecs_app: its resources changed during the last run}
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
from ansible_collections.slipway.aws.plugins.module_utils._project.record import flow

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "project": {"type": "str", "required": True},
    "roles": {
        "type": "list",
        "elements": "dict",
        "options": {
            "role": {"type": "str", "required": True},
            "group": {"type": "str", "default": ""},
            "inputs": {"type": "dict", "required": True},
            "result": {"type": "dict", "required": True},
            "before": {"type": "str", "required": True},
            "unproven": {"type": "str", "default": ""},
        },
    },
    "collection": {"type": "str", "default": ""},
    "tags": {"type": "dict", "default": {}},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
