#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_record_info
version_added: 0.2.0
short_description: Reads a project, and compares it with the records of its roles
author:
  - The Slipway authors (@slipway)
description:
  - Reads all resources of a project as M(slipway.aws.project_info) does with
    O(slipway.aws.project_info#module:details), and the records that M(slipway.aws.project_record) has written.
  - Returns of each role in what the resources differ from its record, without the resources themselves.
  - Without the permission to read records, it reads nothing else, and returns the reason alone.
options:
  project:
    description: The name of the project.
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
- name: Read the project and its records
  slipway.aws.project_record_info:
    project: ecs
  register: __slipway_records
"""

RETURN = r"""
scope:
  description: The project, account, region and endpoint that were read.
  returned: success
  type: dict
  sample: {project: ecs, account: "123456789012", region: eu-central-1, endpoint: ""}
records:
  description:
    - The records by role. That of a group of services is named after both, as in V(ecs_app/shop).
  returned: success
  type: dict
  sample:
    ecs_cluster:
      inputs: {variables: 5d41402abc4b2a76b9719d911017c592}
      result: {name: ecs}
      proven: true
      unproven: ""
      at: "2026-01-02T03:04:05Z"
      by: arn:aws:iam::123456789012:user/deployer
      collection: 0.2.0
      differences: []
problems:
  description: Why a record cannot be used, by role.
  returned: success
  type: dict
  sample: {ecs_app: its record is incomplete}
states:
  description: The digest of the live state of each role, and its services that are not stable.
  returned: success
  type: dict
  sample: {ecs_app: {digest: 5d41402abc4b2a76b9719d911017c592, unstable: []}}
unknown:
  description: What could not be read, with the missing IAM action, and the roles that depend on it.
  returned: success
  type: list
  elements: dict
  sample: []
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
from ansible_collections.slipway.aws.plugins.module_utils._project.record import info

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
