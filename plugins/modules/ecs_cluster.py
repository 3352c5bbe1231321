#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster
short_description: Create, change and remove Amazon ECS clusters
version_added: 0.1.0
description:
  - Keeps a cluster as it is asked for, with its settings, configuration, capacity providers and tags.
  - An option that is not given leaves its member as it is. The order of capacity providers makes no difference.
  - The names of the options are those of the API in Ansible's spelling. What is inside of them is in AWS's own
    spelling and is checked against the API's model before any call.
author: The Slipway authors (@slipway)
options:
  state:
    description: Whether the cluster is there. AWS refuses to delete a cluster that has services or tasks.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The name of the cluster.
    type: str
    required: true
    aliases: [cluster_name]
  settings:
    description:
      - Settings, each with C(name) (V(containerInsights)) and C(value) (V(enabled), V(enhanced) or V(disabled)).
      - Settings that are not named stay as they are.
    type: list
    elements: dict
  configuration:
    description:
      - C(executeCommandConfiguration) and C(managedStorageConfiguration), each as a whole. The one that is not named
        stays as it is.
      - "See U(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterConfiguration.html)."
    type: dict
  capacity_providers:
    description: The names of all the capacity providers of the cluster, such as V(FARGATE) and V(FARGATE_SPOT).
    type: list
    elements: str
  default_capacity_provider_strategy:
    description:
      - The strategy of services and tasks that have none of their own. Each item has C(capacityProvider), C(weight) and
        C(base), which are 0 if not given.
    type: list
    elements: dict
  service_connect_defaults:
    description:
      - C(namespace), the name or ARN of the AWS Cloud Map namespace of services that name none. AWS creates it if
        there is none of that name. An empty text takes the default away.
    type: dict
  wait:
    description: Whether to wait until the cluster is ready, with its capacity providers attached, or until it is gone.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait at most.
    type: int
    default: 300
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
seealso:
  - module: slipway.aws.ecs_cluster_info
"""

EXAMPLES = r"""
- name: The cluster runs on Fargate, mostly on spot capacity
  slipway.aws.ecs_cluster:
    name: shop
    settings:
      - name: containerInsights
        value: enabled
    capacity_providers: [FARGATE, FARGATE_SPOT]
    default_capacity_provider_strategy:
      - capacityProvider: FARGATE
        base: 1
        weight: 1
      - capacityProvider: FARGATE_SPOT
        weight: 3
    tags:
      team: shop
  register: shop

- name: What is typed in a container's shell is logged
  slipway.aws.ecs_cluster:
    name: shop
    configuration:
      executeCommandConfiguration:
        logging: OVERRIDE
        logConfiguration:
          cloudWatchLogGroupName: /ecs/shell

- name: The cluster is gone
  slipway.aws.ecs_cluster:
    name: shop
    state: absent
"""

RETURN = r"""
cluster:
  description: The cluster. In check mode the one that would be, V(unknown) where AWS decides.
  returned: unless it was absent already
  type: dict
  contains:
    arn:
      description: ARN of the cluster.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:cluster/shop
    name:
      description: The name.
      type: str
      sample: shop
    status:
      description: Its status.
      type: str
      sample: ACTIVE
    settings:
      description: The settings.
      type: list
      elements: dict
      sample: [{name: containerInsights, value: enabled}]
    configuration:
      description: The configuration.
      type: dict
    capacity_providers:
      description: The capacity providers, sorted.
      type: list
      elements: str
      sample: [FARGATE, FARGATE_SPOT]
    default_capacity_provider_strategy:
      description: The default strategy, sorted by provider.
      type: list
      elements: dict
    service_connect_defaults:
      description: C(namespace), the ARN of the default namespace.
      type: dict
    tags:
      description: The tags.
      type: dict
    registered_container_instances_count:
      description: How many container instances are registered.
      type: int
    running_tasks_count:
      description: How many tasks run.
      type: int
    pending_tasks_count:
      description: How many tasks are about to run.
      type: int
    active_services_count:
      description: How many services are active.
      type: int
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
    - V(cluster_failed). AWS failed to create the cluster or to update its capacity providers.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout). These any module
      returns that calls AWS.
  returned: failure
  type: str
  sample: cluster_failed
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: DescribeClusters
problems:
  description: Everything that is wrong with the options, one sentence each.
  returned: when options are wrong
  type: list
  elements: str
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cluster import flow

ARGUMENT_SPEC = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "name": {"required": True, "aliases": ["cluster_name"]},
    "settings": {"type": "list", "elements": "dict"},
    "configuration": {"type": "dict"},
    "capacity_providers": {"type": "list", "elements": "str"},
    "default_capacity_provider_strategy": {"type": "list", "elements": "dict"},
    "service_connect_defaults": {"type": "dict"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
