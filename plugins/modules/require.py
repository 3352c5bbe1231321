#!/usr/bin/python
# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: require
version_added: 0.1.0
short_description: Require conditions, and fail with an error code
author:
  - The Slipway authors (@slipway)
description:
  - Evaluates conditions as M(ansible.builtin.assert) does, and fails with an error code for programs.
  - The roles and playbooks of this collection refuse with it what they find wrong before they change anything.
options:
  that:
    description: A condition, or a list of conditions, of which all have to be true.
    type: raw
    required: true
  fail_msg:
    description: The message if one of them is not.
    type: str
    required: true
  code:
    description: The error code for this failure.
    type: str
    required: true
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.action
  - slipway.aws.attributes.reads
seealso:
  - module: ansible.builtin.assert
"""

EXAMPLES = r"""
- name: Require a name
  slipway.aws.require:
    that: release_name | default('') is match('[a-z]+$')
    fail_msg: "release_name: expected lower case letters, got {{ release_name | default('none') }}."
    code: invalid_variable
  vars:
    release_name: monday
"""

RETURN = r"""
code:
  description:
    - The value of O(code). R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting) explains
      those of the roles and playbooks of this collection.
  returned: failure
  type: str
  sample: invalid_variable
"""
