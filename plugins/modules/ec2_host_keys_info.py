#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_host_keys_info
version_added: 0.2.0
short_description: Reads the SSH host keys of an EC2 instance from its console output
author:
  - The Slipway authors (@slipway)
description:
  - Returns the public host keys that the instance printed on its console when it booted. They come from the API of AWS,
    so nobody between this machine and the instance can replace them, as opposed to those that C(ssh-keyscan) reads.
  - Images with cloud-init print them, such as those of Amazon Linux, Debian and Ubuntu.
  - Waits until the console shows them. Instances of the AWS Nitro System show them once they have booted, others some
    minutes later.
options:
  instance_id:
    description:
      - The ID of the instance.
    type: str
    required: true
  wait_timeout:
    description:
      - How many seconds to wait.
    type: int
    default: 300
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
notes:
  - Requires C(ec2:GetConsoleOutput).
"""

EXAMPLES = r"""
- name: Read the host keys of the instance
  slipway.aws.ec2_host_keys_info:
    instance_id: i-0123456789abcdef0
  register: console

- name: Trust them
  ansible.builtin.known_hosts:
    name: build.example.com
    key: "build.example.com ssh-ed25519 {{ console.host_keys['ssh-ed25519'] }}"
"""

RETURN = r"""
host_keys:
  description: The public keys by their type.
  returned: success
  type: dict
  sample:
    ssh-ed25519: AAAAC3NzaC1lZDI1NTE5AAAAIKwZ1wpGJ2oYvz8rYp7n1C6Ht0SmJYqCbFvZy8d7Jm0A
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout). These any module returns that calls
      AWS.
  returned: failure
  type: str
  sample: timeout
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ec2.host_keys import info

ARGUMENT_SPEC = {
    "instance_id": {"type": "str", "required": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
