#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_target_group
version_added: 0.1.0
short_description: Manages a target group of Elastic Load Balancing
author:
  - The Slipway authors (@slipway)
description:
  - Creates, updates and deletes a target group. Its targets are kept.
  - A target group is created with its tags. M(community.aws.elb_target_group) adds them later, so an interrupted run
    leaves one without an owner; it also lacks check mode.
  - Options that are omitted keep their values, or AWS's defaults.
options:
  name:
    description:
      - The name of the target group.
    type: str
    required: true
  state:
    description:
      - Whether the target group exists.
    type: str
    choices: [present, absent]
    default: present
  vpc_id:
    description:
      - The VPC of its targets. AWS cannot change it.
    type: str
  protocol:
    description:
      - The protocol of its targets. AWS cannot change it.
    type: str
    choices: [HTTP, HTTPS]
  port:
    description:
      - The port of its targets. AWS cannot change it.
    type: int
  target_type:
    description:
      - How targets are registered. AWS cannot change it.
    type: str
    choices: [ip, instance]
  health_check_protocol:
    description:
      - The protocol of the health check.
    type: str
    choices: [HTTP, HTTPS]
  health_check_path:
    description:
      - The path that the health check requests.
    type: str
  health_check_codes:
    description:
      - The status codes of a healthy target, such as V(200-399).
    type: str
  health_check_interval:
    description:
      - Seconds from one health check to the next.
    type: int
  health_check_timeout:
    description:
      - Seconds after which a check without an answer fails.
    type: int
  healthy_threshold:
    description:
      - Consecutive successes that make a target healthy.
    type: int
  unhealthy_threshold:
    description:
      - Consecutive failures that make a target unhealthy.
    type: int
  deregistration_delay:
    description:
      - Seconds that a deregistering target has to finish its requests.
    type: int
  keep_settings:
    description:
      - Whether an existing target group keeps its health check settings and its deregistration delay, whatever
        the options say. A new one gets the options.
      - For target groups whose settings change with their services, as O(slipway.aws.ecs_release#module:target_groups).
    type: bool
    default: false
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.elb_listener_rules
"""

EXAMPLES = r"""
- name: Create a target group for containers on port 8080
  slipway.aws.elb_target_group:
    name: shop-web
    vpc_id: "{{ network.vpc_id }}"
    protocol: HTTP
    port: 8080
    target_type: ip
    health_check_path: /readyz
    health_check_interval: 10
    healthy_threshold: 2
    deregistration_delay: 30
    tags:
      team: shop
"""

RETURN = r"""
target_group:
  description:
    - The target group with its options; in check mode the predicted one, whose ARN is V(unknown) if it is new. Empty
      after its deletion.
  returned: success
  type: dict
  contains:
    target_group_name:
      description: The name.
      type: str
      sample: shop-web
    target_group_arn:
      description: The ARN.
      type: str
      sample: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/shop-web/73e2d6bc24d8a067
    port:
      description: The port, and likewise each other option.
      type: int
      sample: 8080
    tags:
      description: The tags.
      type: dict
      sample: {team: shop}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(immutable). AWS cannot change this property of an existing resource.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(no_connection),
      V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: immutable
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._core.target_groups import ARGUMENTS
from ansible_collections.slipway.aws.plugins.module_utils._elb.target_group import flow

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "vpc_id": {"type": "str"},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"]},
    "port": {"type": "int"},
    "target_type": {"type": "str", "choices": ["ip", "instance"]},
    **ARGUMENTS,
    "keep_settings": {"type": "bool", "default": False},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
