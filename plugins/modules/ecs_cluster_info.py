#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_cluster_info
short_description: Reads Amazon ECS clusters
version_added: 0.1.0
description:
  - Reads clusters with their settings, configuration, capacity providers, statistics and tags.
author: The Slipway authors (@slipway)
options:
  names:
    description: Names or ARNs of the clusters. If omitted, all clusters of the region are read.
    type: list
    elements: str
    aliases: [name]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
seealso:
  - module: slipway.aws.ecs_cluster
"""

EXAMPLES = r"""
- name: Read the cluster of the shop
  slipway.aws.ecs_cluster_info:
    names: [shop]
  register: found

- name: Read all clusters
  slipway.aws.ecs_cluster_info:
"""

RETURN = r"""
clusters:
  description:
    - The clusters that exist, each as M(slipway.aws.ecs_cluster) returns it, and with the members below.
    - Clusters that do not exist are omitted.
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
      description: What AWS created for the capacity providers.
      type: list
      elements: dict
    attachments_status:
      description: The status of the attachments.
      type: str
      sample: UPDATE_COMPLETE
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
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

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cluster import info

ARGUMENT_SPEC = {"names": {"type": "list", "elements": "str", "aliases": ["name"]}}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
