#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_authorization_info
version_added: 0.1.0
short_description: Gets a password for a registry of Amazon ECR
author:
  - The Slipway authors (@slipway)
description:
  - Returns a user name and a password for C(docker login), valid for twelve hours.
  - With them, a host without AWS credentials can pull and push, with the permissions of this module's caller.
  - The result is a secret. Set C(no_log) on the task.
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: community.docker.docker_login
"""

EXAMPLES = r"""
- name: Get a password for the registry
  slipway.aws.ecr_authorization_info:
  delegate_to: localhost
  register: authorization
  no_log: true

- name: Log in to the registry
  community.docker.docker_login:
    registry_url: "{{ authorization.registry }}"
    username: "{{ authorization.username }}"
    password: "{{ authorization.password }}"
  no_log: true
"""

RETURN = r"""
username:
  description: The user name.
  returned: success
  type: str
  sample: AWS
password:
  description: The password.
  returned: success
  type: str
registry:
  description: The address of the registry for C(docker login).
  returned: success
  type: str
  sample: 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com
expires_at:
  description: When the password expires.
  returned: success
  type: str
  sample: "2026-01-31T12:00:00+00:00"
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
from ansible_collections.slipway.aws.plugins.module_utils._ecr.authorization import info

ARGUMENT_SPEC: dict[str, dict[str, str]] = {}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
