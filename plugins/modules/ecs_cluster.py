#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster
short_description: Manages Amazon ECS clusters
version_added: 0.1.0
description:
  - Creates, updates and deletes a cluster with its settings, configuration, capacity providers and tags.
  - Options that are omitted keep their values. The order of capacity providers makes no difference.
  - Options are members of the API's request in snake case. Their contents keep AWS's spelling, and are validated
    against the API's model before any call.
author: The Slipway authors (@slipway)
options:
  state:
    description: Whether the cluster exists. AWS refuses to delete a cluster that has services or tasks.
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
      - Settings that are omitted keep their values.
    type: list
    elements: dict
  configuration:
    description:
      - C(executeCommandConfiguration) and C(managedStorageConfiguration), each as a whole. If one is omitted, it keeps
        its value.
      - "See U(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ClusterConfiguration.html)."
    type: dict
  capacity_providers:
    description: The names of all the capacity providers of the cluster, such as V(FARGATE) and V(FARGATE_SPOT).
    type: list
    elements: str
  default_capacity_provider_strategy:
    description:
      - The strategy of services and tasks without one of their own. Each item has C(capacityProvider), C(weight) and
        C(base), which default to 0.
    type: list
    elements: dict
  service_connect_defaults:
    description:
      - C(namespace), the name or ARN of the AWS Cloud Map namespace for services that name none. AWS creates it if
        none exists. An empty string removes the default.
    type: dict
  wait:
    description: Whether to wait until the cluster is stable, including its capacity providers, or deleted.
    type: bool
    default: true
  wait_timeout:
    description: Time-out for each wait, in seconds.
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
- name: Create a cluster on Fargate, mostly on spot capacity
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

- name: Log what is typed in the shells of containers
  slipway.aws.ecs_cluster:
    name: shop
    configuration:
      executeCommandConfiguration:
        logging: OVERRIDE
        logConfiguration:
          cloudWatchLogGroupName: /ecs/shell

- name: Delete the cluster
  slipway.aws.ecs_cluster:
    name: shop
    state: absent
"""

RETURN = r"""
cluster:
  description:
    - The cluster; in check mode the predicted one, with V(unknown) where AWS decides. With O(state=absent) the deleted
      one, empty if none existed.
  returned: success
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
      description: The number of registered container instances.
      type: int
    running_tasks_count:
      description: The number of running tasks.
      type: int
    pending_tasks_count:
      description: The number of pending tasks.
      type: int
    active_services_count:
      description: The number of active services.
      type: int
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
    - V(cluster_failed). AWS failed to create the cluster or to update its capacity providers.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: cluster_failed
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: DescribeClusters
problems:
  description: All problems of the options, one sentence each.
  returned: when options are invalid
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
