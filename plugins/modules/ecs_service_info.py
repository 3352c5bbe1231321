#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_info
version_added: 0.1.0
short_description: Read services of Amazon ECS and check their rollouts
description:
  - Reads services of a cluster. Optionally returns the state of their latest rollout, and why it failed.
  - Never waits. To wait for a rollout, use M(slipway.aws.ecs_service).
author: The Slipway authors (@slipway)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  names:
    description:
      - Names or ARNs of the services. By default, all services of the cluster are read.
      - Services that do not exist or were deleted are not returned.
    type: list
    elements: str
    aliases: [name, services]
  rollouts:
    description: Whether to return the state of the latest rollout of each service. Takes a few more calls per service.
    type: bool
    default: false
  network:
    description:
      - Whether to check the network of each service. Reads routes, NAT gateways, VPC endpoints and security groups of
        its VPC, and its load balancers.
      - Only what certainly stops packets is returned. Network ACLs, peering and firewalls are not read.
    type: bool
    default: false
    version_added: 0.2.0
  tasks:
    description: Whether to return the tasks that should run, with the digests of their images.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
seealso:
  - module: slipway.aws.ecs_service
"""

EXAMPLES = r"""
- name: Read all services of the cluster
  slipway.aws.ecs_service_info:
    cluster: shop
  register: shop

- name: Read the state of a rollout
  slipway.aws.ecs_service_info:
    cluster: shop
    names: [web]
    rollouts: true
  register: found

- name: Check that the latest rollout of web succeeded
  ansible.builtin.assert:
    that: found.services[0].rollout.state == 'succeeded'
    fail_msg: "{{ found.services[0].rollout.summary }}"

- name: Find out what in the network of web stops packets
  slipway.aws.ecs_service_info:
    cluster: shop
    names: [web]
    network: true
  register: found

- name: Print it
  ansible.builtin.debug:
    var: found.services[0].network.advice
"""

RETURN = r"""
services:
  description:
    - The services ordered by name, as AWS returns them, with top-level members in snake case, tags as a dictionary and
      their ten latest events.
  type: list
  elements: dict
  returned: success
  contains:
    service_name:
      description: Name of the service.
      type: str
    service_arn:
      description: ARN of the service.
      type: str
    status:
      description: V(ACTIVE) or V(DRAINING).
      type: str
    task_definition:
      description: ARN of the task definition.
      type: str
    desired_count:
      description: The desired number of tasks.
      type: int
    running_count:
      description: The number of running tasks.
      type: int
    rollout:
      description: The latest rollout, if O(rollouts=true).
      type: dict
      contains:
        state:
          description: V(in_progress), V(succeeded) or V(failed).
          type: str
        code:
          description: Error code of the rollout, one of those of M(slipway.aws.ecs_service).
          type: str
        summary:
          description: What happened, in one sentence.
          type: str
        progress:
          description: How many tasks are running, pending and failed.
          type: str
        failure:
          description: Why tasks failed, as M(slipway.aws.ecs_service) returns it. Omitted if none failed.
          type: dict
    network:
      description:
        - What in the network keeps clients from the load balancer, the load balancer from the tasks, or tasks from
          starting, if O(network=true).
      type: dict
      contains:
        causes:
          description: A code for each fault that was found, those of RV(services[].rollout.failure).
          type: list
          elements: str
        advice:
          description: What was found, and what to do, in sentences.
          type: list
          elements: str
        unread:
          description: What could not be read, for instance for lack of permissions.
          type: list
          elements: str
    tasks:
      description: The tasks that should run, if O(tasks=true).
      type: list
      elements: dict
      contains:
        task_arn:
          description: ARN of the task.
          type: str
        task_definition:
          description: ARN of the task definition.
          type: str
        last_status:
          description: Last known status of the task, such as V(RUNNING).
          type: str
        health_status:
          description: V(HEALTHY), V(UNHEALTHY) or V(UNKNOWN).
          type: str
        containers:
          description: Its containers, each with C(name), C(image), C(image_digest) and C(last_status).
          type: list
          elements: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  type: str
  returned: failure
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import info

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "names": {"type": "list", "elements": "str", "aliases": ["name", "services"]},
    "network": {"type": "bool", "default": False},
    "rollouts": {"type": "bool", "default": False},
    "tasks": {"type": "bool", "default": False},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
