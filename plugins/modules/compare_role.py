#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: compare_role
version_added: 0.2.0
short_description: Compares the inputs and the live state of a role with its record
author:
  - The Slipway authors (@slipway)
description:
  - Says whether a role of this collection has nothing to do. That is so if a proven record has the same inputs, and
    if its resources are as recorded.
  - The inputs are all variables of the role after templating, O(inputs), O(files), O(contexts), and the code of this
    collection.
  - It compares with what M(slipway.aws.project_record_info) returned, which the playbook registers on C(localhost) as
    C(__slipway_records). Roles call it as their first step. Private to the collection.
options:
  role:
    description: The role, which calls this module.
    type: str
    required: true
  inputs:
    description: What the role reads from other roles.
    type: dict
    default: {}
  files:
    description: Files on this machine that the role reads or writes.
    type: list
    elements: path
    default: []
  contexts:
    description: Sources of Docker builds that the role reads, each with its C(path) and its C(dockerfile).
    type: list
    elements: dict
    default: []
  obstacles:
    description: Reasons why the role cannot be skipped, such as resources outside of the project.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.action
  - slipway.aws.attributes.reads
"""

EXAMPLES = r"""
- name: Compare the cluster with its record
  slipway.aws.compare_role:
    role: ecs_cluster
    inputs:
      network: "{{ ecs_network_result }}"
  register: __ecs_cluster_record
"""

RETURN = r"""
slipway_skipped:
  description: Whether the role has nothing to do.
  returned: success
  type: bool
  sample: true
msg:
  description: Since when the role is unchanged, or why it has to run.
  returned: always
  type: str
  sample: "Skipped ecs_cluster: unchanged since 2026-01-02T03:04:05Z."
result:
  description: The recorded result of the role, if it is skipped.
  returned: if RV(slipway_skipped)
  type: dict
  sample: {}
run:
  description: What M(slipway.aws.project_record) records of the role at the end, unless it is skipped.
  returned: if not RV(slipway_skipped)
  type: dict
  sample: {}
sources:
  description: O(files) and O(contexts), unless the role is skipped.
  returned: if not RV(slipway_skipped)
  type: dict
  sample: {files: [], contexts: []}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(invalid_variable). A variable, option or member is unknown or missing, or its value is not valid.
  returned: failure
  type: str
  sample: invalid_variable
"""
