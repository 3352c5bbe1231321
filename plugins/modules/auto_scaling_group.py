#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: auto_scaling_group
short_description: Manages Auto Scaling groups for container instances of Amazon ECS
version_added: 0.1.0
description:
  - Creates, updates and deletes an Auto Scaling group. Options and settings that are omitted keep their values.
  - M(amazon.aws.autoscaling_group) lacks three things that capacity providers need - protection of new instances from
    scale-in, an exact check mode, and no change for the tag that ECS sets on the group.
  - Running instances are kept, also when their launch template changes.
author: The Slipway authors (@slipway)
options:
  state:
    description: Whether the group exists.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The name of the group.
    type: str
    required: true
  settings:
    description:
      - Members of the API's request in AWS's spelling, validated against its model before any call. A new group
        requires C(MinSize), C(MaxSize), a C(LaunchTemplate), and subnets in C(VPCZoneIdentifier).
      - A group that a capacity provider scales keeps its C(DesiredCapacity) if that is omitted.
      - "See U(https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html)."
    type: dict
  force:
    description:
      - Whether O(state=absent) terminates the instances too. Otherwise AWS refuses to delete a group with instances.
      - M(slipway.aws.ecs_capacity_provider) drains them first.
    type: bool
    default: false
  tags:
    description: Tags of the group and of the instances that it starts. The tag C(AmazonECSManaged) of ECS is kept.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are not in O(tags).
    type: bool
    default: true
  wait:
    description: Whether O(state=absent) waits until the group and its instances are deleted.
    type: bool
    default: true
  wait_timeout:
    description: Time-out for each wait, in seconds.
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
- name: Create a group that a capacity provider scales
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

- name: Allow up to eight instances
  slipway.aws.auto_scaling_group:
    name: shop
    settings:
      MaxSize: 8

- name: Delete the group with its instances
  slipway.aws.auto_scaling_group:
    name: shop
    state: absent
    force: true
"""

RETURN = r"""
auto_scaling_group:
  description: The group; in check mode the predicted one, with V(unknown) where AWS decides. Empty after its deletion.
  returned: success
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
      description: All members that O(settings) can hold, in AWS's spelling.
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
      description: Their values before the run.
      type: dict
    after:
      description: Their values after the run.
      type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(refused), V(throttled) and V(timeout). These any
      module returns that calls AWS.
  returned: failure
  type: str
  sample: refused
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: CreateAutoScalingGroup
problems:
  description: All problems of the options, one sentence each.
  returned: when options are invalid
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
