#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_managed_node
version_added: 0.2.0
short_description: Makes an EC2 instance a managed node of Systems Manager
author:
  - The Slipway authors (@slipway)
description:
  - Waits until the SSM Agent of the instance is connected to AWS Systems Manager, so that Session Manager reaches the
    instance without an open port.
  - The agent needs an instance profile with permissions for Session Manager, and a route to the endpoints C(ssm) and
    C(ssmmessages) of the region. An agent that finds no permissions when it starts tries again less and less often, up
    to once an hour; O(reboot) makes it try at once.
options:
  instance_id:
    description:
      - The ID of the instance.
    type: str
    required: true
  wait_timeout:
    description:
      - How many seconds to wait. With 0, an agent that is not connected now is a timeout.
    type: int
    default: 300
  reboot:
    description:
      - Whether to reboot the instance if its agent is not connected, before the wait. Use it where the role of the
        instance got its permissions after the instance had started.
    type: bool
    default: false
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
notes:
  - Requires C(ssm:DescribeInstanceInformation), and C(ec2:RebootInstances) for O(reboot).
"""

EXAMPLES = r"""
- name: Wait until Session Manager reaches the instance
  slipway.aws.ec2_managed_node:
    instance_id: i-0123456789abcdef0
    wait_timeout: 120
    reboot: true
  register: node

- name: Show which agent it has
  ansible.builtin.debug:
    msg: "SSM Agent {{ node.agent_version }} on {{ node.platform }}"
"""

RETURN = r"""
ping_status:
  description: The state of the agent, V(Online).
  returned: success
  type: str
  sample: Online
agent_version:
  description: The version of the agent.
  returned: success
  type: str
  sample: 3.3.1142.0
platform:
  description: The operating system of the instance.
  returned: success
  type: str
  sample: Amazon Linux 2023
session:
  description: Where a session with the instance is started. It contains no credentials.
  returned: success
  type: dict
  contains:
    instance_id:
      description: The ID of the instance.
      type: str
    region:
      description: The region.
      type: str
    endpoint_url:
      description: The URL of the API of Systems Manager.
      type: str
    profile:
      description: The profile that the module was given. Empty if it was given none.
      type: str
  sample:
    instance_id: i-0123456789abcdef0
    region: eu-central-1
    endpoint_url: https://ssm.eu-central-1.amazonaws.com
    profile: ""
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(no_connection), V(no_credentials),
      V(not_found), V(refused), V(throttled) and V(timeout). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: timeout
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ec2.managed_node import flow

ARGUMENT_SPEC = {
    "instance_id": {"type": "str", "required": True},
    "wait_timeout": {"type": "int", "default": 300},
    "reboot": {"type": "bool", "default": False},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
