#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_container_info
short_description: Reads the containers that run on Amazon ECS
version_added: 0.2.0
description:
  - Reads the containers of tasks that run, with the variables that hosts of the inventory P(slipway.aws.ecs#inventory)
    have.
  - The playbook C(slipway.aws.exec) finds the container of a service with it.
author: The Slipway authors (@slipway)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  services:
    description: Names of services. By default, the containers of all tasks are returned, also of those of no service.
    type: list
    elements: str
  containers:
    description: Names of containers. By default, all containers are returned.
    type: list
    elements: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
notes:
  - Requires C(ecs:ListTasks) and C(ecs:DescribeTasks), and C(ecr:DescribeImages) for the versions of images that are
    referred to by their digest. If one of them is not allowed, the module warns, and returns what it could read.
seealso:
  - plugin: slipway.aws.ecs
    plugin_type: inventory
  - plugin: slipway.aws.ecs_exec
    plugin_type: connection
"""

EXAMPLES = r"""
- name: Read the containers of a service
  slipway.aws.ecs_container_info:
    cluster: shop
    services: [web]
  register: found

- name: Add them as hosts
  ansible.builtin.add_host: "{{ item | combine({'groups': 'web', 'ansible_connection': 'slipway.aws.ecs_exec'}) }}"
  loop: "{{ found.containers }}"
"""

RETURN = r"""
containers:
  description: The containers that run. Members without a value are omitted.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the host in the inventory.
      type: str
      sample: web-3f2a9c1d-nginx
    ecs_cluster:
      description: The name of the cluster.
      type: str
      sample: shop
    ecs_service:
      description: The name of the service.
      type: str
      sample: web
    ecs_container:
      description: The name of the container.
      type: str
      sample: nginx
    ecs_task_arn:
      description: The ARN of the task.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:task/shop/3f2a9c1d4b5e6f708192a3b4c5d6e7f8
    ecs_exec_enabled:
      description: Whether the task was started with ECS Exec.
      type: bool
      sample: true
    ecs_version:
      description: The tag of the image.
      type: str
      sample: "1.4"
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: not_found
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.hosts import info

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "str"},
    "containers": {"type": "list", "elements": "str"},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
