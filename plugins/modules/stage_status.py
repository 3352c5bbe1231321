#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: stage_status
version_added: 0.2.0
short_description: Reads what another stage runs
author:
  - The Slipway authors (@slipway)
description:
  - Reads the status of the stage that another inventory describes, with the region, endpoint, profile and keys of that
    inventory, as M(slipway.aws.project_status) does.
  - Instead of an inventory, it takes a file with the status as JSON. A pipeline writes that with the credentials of the
    other stage, so that this run needs none of them.
  - It only reads, and prints nothing.
options:
  stage:
    description:
      - The inventory of the other stage, or the file that C(slipway.aws.status -e status_format=json) has printed.
    type: path
    required: true
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.action
  - slipway.aws.attributes.reads
notes:
  - Extra variables (C(-e)) apply to the other inventory, too.
seealso:
  - module: slipway.aws.project_status
  - module: slipway.aws.promotion_info
"""

EXAMPLES = r"""
- name: Read what the stage before this one runs
  slipway.aws.stage_status:
    stage: inventory/staging
  register: staging
"""

RETURN = r"""
status:
  description: What runs where, as M(slipway.aws.project_status) returns it.
  returned: success
  type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: invalid_option
"""
