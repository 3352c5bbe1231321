#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster_info
short_description: Read Amazon ECS clusters
version_added: 0.1.0
description:
  - Reads clusters with their settings, configuration, capacity providers, statistics and tags.
author: The Slipway authors
options:
  names:
    description: Names or ARNs of the clusters. All clusters of the region are read if this is not given.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
seealso:
  - module: slipway.aws.ecs_cluster
"""

EXAMPLES = r"""
- name: The cluster of the shop is known
  slipway.aws.ecs_cluster_info:
    names: [shop]
  register: found

- name: All clusters are known
  slipway.aws.ecs_cluster_info:
"""

RETURN = r"""
clusters:
  description:
    - The clusters that exist, each as M(slipway.aws.ecs_cluster#module) returns it, and with the members below.
    - A cluster that is named and does not exist is left out.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: shop
    arn:
      description: ARN of the cluster.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:cluster/shop
    statistics:
      description: Counts of tasks and services by launch type.
      type: dict
      sample: {runningFargateTasksCount: "2"}
    attachments:
      description: What AWS made for the capacity providers.
      type: list
      elements: dict
    attachments_status:
      description: How far AWS is with it.
      type: str
      sample: UPDATE_COMPLETE
code:
  description: What went wrong, as a word that does not change.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs import cluster_flow as flow


def main() -> None:
    run({"names": {"type": "list", "elements": "str", "aliases": ["name"]}}, flow.describe)


if __name__ == "__main__":
    main()
