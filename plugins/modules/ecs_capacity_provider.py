#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_capacity_provider
short_description: Manages capacity providers of Amazon ECS
version_added: 0.1.0
description:
  - Creates, updates and deletes a capacity provider, through which a cluster gets container instances from an Auto
    Scaling group, or managed instances. M(slipway.aws.ecs_cluster) attaches it to a cluster.
  - Options and members of them that are omitted keep their values. A change that AWS cannot make, such as another Auto
    Scaling group, fails before anything is changed.
  - Options are members of the API's request in snake case. Their contents keep AWS's spelling, and are validated
    against the API's model before any call.
author: The Slipway authors (@slipway)
options:
  state:
    description: Whether the capacity provider exists. AWS refuses to delete one that a service uses.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The name. It must not start with C(aws), C(ecs) or C(fargate).
    type: str
    required: true
  auto_scaling_group_provider:
    description:
      - C(autoScalingGroupArn), C(managedScaling), C(managedTerminationProtection) and C(managedDraining).
      - C(managedTerminationProtection) V(ENABLED) needs an Auto Scaling group that protects new instances from
        scale-in, see M(slipway.aws.auto_scaling_group).
      - "See U(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AutoScalingGroupProvider.html)."
    type: dict
  managed_instances_provider:
    description:
      - Instances that ECS starts, patches and terminates.
      - "See U(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateManagedInstancesProviderConfiguration.html)."
    type: dict
  cluster:
    description: The cluster of a capacity provider with O(managed_instances_provider).
    type: str
  detach_from:
    description:
      - With O(state=absent), clusters to detach it from before it is deleted. Its container instances in them are
        drained first.
    type: list
    elements: str
    default: []
  wait:
    description: Whether to wait until it is stable, or deleted.
    type: bool
    default: true
  wait_timeout:
    description: Time-out for each wait, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
seealso:
  - module: slipway.aws.auto_scaling_group
  - module: slipway.aws.ecs_capacity_provider_info
  - module: slipway.aws.ecs_cluster
"""

EXAMPLES = r"""
- name: Scale the container instances with the tasks
  slipway.aws.ecs_capacity_provider:
    name: shop-hosts
    auto_scaling_group_provider:
      autoScalingGroupArn: "arn:aws:autoscaling:eu-central-1:123456789012:\
        autoScalingGroup:11111111-2222-3333-4444-555555555555:autoScalingGroupName/shop"
      managedScaling:
        status: ENABLED
      managedTerminationProtection: ENABLED
    tags:
      team: shop

- name: Keep a tenth of the capacity spare
  slipway.aws.ecs_capacity_provider:
    name: shop-hosts
    auto_scaling_group_provider:
      managedScaling:
        targetCapacity: 90

- name: Drain the container instances and delete the capacity provider
  slipway.aws.ecs_capacity_provider:
    name: shop-hosts
    state: absent
    detach_from: [shop]
"""

RETURN = r"""
capacity_provider:
  description:
    - The capacity provider; in check mode the predicted one, with V(unknown) where AWS decides. Empty after its
      deletion.
  returned: success
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:capacity-provider/shop-hosts
    name:
      description: The name.
      type: str
      sample: shop-hosts
    status:
      description: Its status.
      type: str
      sample: ACTIVE
    cluster:
      description: The cluster that it belongs to, if AWS ties it to one.
      type: str
    auto_scaling_group_provider:
      description: The Auto Scaling group and its scaling.
      type: dict
    managed_instances_provider:
      description: How ECS starts instances.
      type: dict
    tags:
      description: The tags.
      type: dict
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
    - V(capacity_provider_failed). AWS failed to create, update or delete the capacity provider.
    - V(cluster_failed). AWS failed to create the cluster or to update its capacity providers.
    - V(immutable). AWS cannot change this property of an existing resource.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: immutable
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: UpdateCapacityProvider
problems:
  description: All problems of the options, one sentence each.
  returned: when options are invalid
  type: list
  elements: str
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.capacity_provider import flow

ARGUMENT_SPEC = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "name": {"required": True},
    "auto_scaling_group_provider": {"type": "dict"},
    "managed_instances_provider": {"type": "dict"},
    "cluster": {},
    "detach_from": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, mutually_exclusive=[("auto_scaling_group_provider", "managed_instances_provider")])


if __name__ == "__main__":
    main()
