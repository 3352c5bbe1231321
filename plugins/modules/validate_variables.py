#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_variables
version_added: 0.1.0
short_description: Validate the variables of all roles of this collection
author:
  - The Slipway authors (@slipway)
description:
  - Refuses variables that no role knows, before anything is touched. Ansible ignores them silently.
  - These are variables whose name begins with that of a role, or with C(slipway_), and is none of its options, and
    those that differ from one by a single letter. Names that begin with two underscores are free.
  - Values are validated too, by the roles' argument specs, and by AWS's own shapes where they are in AWS's spelling,
    such as task definitions. Values that a template cannot resolve yet are skipped.
  - A value with the form of a secret, such as a token, a private key or an address with a password, is refused and not
    shown, unless the variable is for secrets. C(slipway_plain_values) lists where such values may stand, by what the
    message names.
  - All problems are reported at once, each with its position and with the nearest known name.
  - Every role of the collection depends on the role P(slipway.aws.preflight#role), which runs this once in each play.
options: {}
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.action
  - slipway.aws.attributes.reads
"""

EXAMPLES = r"""
- name: Validate the variables
  slipway.aws.validate_variables:
"""

RETURN = r"""
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(invalid_variable). A variable, option or member is unknown or missing, or its value is not valid.
    - V(misplaced_secret). A secret, such as a private key or a token, is in a place where others can read it. The
      message does not show it.
  returned: failure
  type: str
  sample: invalid_variable
"""
