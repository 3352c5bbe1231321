#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: auto_scaling_group
short_description: Create, change and remove Auto Scaling groups for hosts of Amazon ECS
version_added: 0.1.0
description:
  - Keeps an Auto Scaling group as it is asked for. What is not given stays as it is.
  - What M(amazon.aws.autoscaling_group) lacks for capacity providers - protection of new instances from scale-in, check
    mode that tells a group that is right from one that is not, and no change for the tag that ECS puts on the group.
  - Instances that run are left alone, also when their launch template changes.
author: The Slipway authors (@slipway)
options:
  state:
    description: Whether the group is there.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The name of the group.
    type: str
    required: true
  settings:
    description:
      - Members of the API's request in AWS's own spelling, checked against its model before any call. A new group needs
        C(MinSize), C(MaxSize), a C(LaunchTemplate), and subnets in C(VPCZoneIdentifier).
      - A group whose capacity provider scales it keeps its C(DesiredCapacity) where that is not given.
      - "See U(https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html)."
    type: dict
  force:
    description:
      - Whether O(state=absent) ends the instances too, at once. Without, AWS refuses while there are any.
      - M(slipway.aws.ecs_capacity_provider) takes their tasks away before.
    type: bool
    default: false
  tags:
    description: Tags of the group and of the instances that it starts. AWS's own C(AmazonECSManaged) is left alone.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that are not in O(tags) are removed.
    type: bool
    default: true
  wait:
    description: Whether O(state=absent) waits until group and instances are gone.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait at most.
    type: int
    default: 600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
seealso:
  - module: slipway.aws.ecs_capacity_provider
  - module: amazon.aws.ec2_launch_template
"""

EXAMPLES = r"""
- name: There are hosts for the shop, as many as its capacity provider asks for
  slipway.aws.auto_scaling_group:
    name: shop
    settings:
      MinSize: 1
      MaxSize: 4
      LaunchTemplate:
        LaunchTemplateName: shop
        Version: $Latest
      VPCZoneIdentifier: subnet-0a1b2c3d,subnet-4e5f6a7b
      NewInstancesProtectedFromScaleIn: true
    tags:
      team: shop

- name: There are eight at most
  slipway.aws.auto_scaling_group:
    name: shop
    settings:
      MaxSize: 8

- name: Group and hosts are gone
  slipway.aws.auto_scaling_group:
    name: shop
    state: absent
    force: true
"""

RETURN = r"""
auto_scaling_group:
  description: The group. In check mode the one that would be, V(unknown) where AWS decides.
  returned: when O(state=present)
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
    name:
      description: The name.
      type: str
      sample: shop
    settings:
      description: All of its members that O(settings) can have, in AWS's own spelling.
      type: dict
      sample: {MinSize: 1, MaxSize: 4}
    tags:
      description: The tags.
      type: dict
    instances:
      description: The ids of its instances.
      type: list
      elements: str
diff:
  description: Exactly the members that differ.
  returned: always
  type: dict
  contains:
    before:
      description: What they were.
      type: dict
    after:
      description: What they are now.
      type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(no_connection), V(no_credentials), V(refused), V(throttled) and V(timeout). These any module returns that
      calls AWS.
  returned: failure
  type: str
  sample: refused
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: CreateAutoScalingGroup
problems:
  description: Everything that is wrong with the options, one sentence each.
  returned: when options are wrong
  type: list
  elements: str
"""

from ansible_collections.slipway.aws.plugins.module_utils._asg import flow
from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run

ARGUMENT_SPEC = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "name": {"required": True},
    "settings": {"type": "dict"},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
