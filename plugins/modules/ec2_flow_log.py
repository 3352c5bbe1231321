#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_flow_log
version_added: 0.1.0
short_description: Manages flow logs of VPCs, subnets and network interfaces
author:
  - The Slipway authors (@slipway)
description:
  - Creates a flow log that delivers to a log group of CloudWatch Logs. It records which connections were accepted or
    rejected, without their content.
  - AWS cannot change a flow log, apart from its tags. For other settings the module deletes it and creates another
    one; nothing is recorded for the moment between.
options:
  state:
    description: Whether the flow log exists. V(absent) deletes all flow logs of the resource that have O(match_tags).
    type: str
    choices: [present, absent]
    default: present
  resource_id:
    description: The VPC, subnet or network interface whose connections are recorded, by its ID.
    type: str
    required: true
  match_tags:
    description:
      - Tags that identify the caller's flow log. Only a flow log with all of them is used, and a new one gets them.
      - Flow logs without them are neither changed nor deleted.
    type: dict
    required: true
  traffic_type:
    description:
      - Which connections are recorded. If omitted, an existing flow log is kept, and a new one records V(ALL).
    type: str
    choices: [ACCEPT, REJECT, ALL]
  log_group_name:
    description: The log group that gets the records. Required with O(state=present).
    type: str
  role_arn:
    description:
      - The IAM role with which records are delivered. It has to trust C(vpc-flow-logs.amazonaws.com), and needs
        permission to describe log groups and to write to this one. Required with O(state=present).
    type: str
  max_aggregation_interval:
    description:
      - Seconds after which a record is closed. If omitted, an existing flow log is kept, and a new one gets 600.
    type: int
    choices: [60, 600]
  tags:
    description: The tags of the flow log, beside O(match_tags). If omitted, tags are kept.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are neither in O(tags) nor in O(match_tags).
    type: bool
    default: true
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: amazon.aws.cloudwatchlogs_log_group
  - module: amazon.aws.ec2_vpc_net
"""

EXAMPLES = r"""
- name: Record rejected connections of a VPC
  slipway.aws.ec2_flow_log:
    resource_id: vpc-0123456789abcdef0
    match_tags:
      project: shop
    traffic_type: REJECT
    log_group_name: /shop/flow-logs
    role_arn: arn:aws:iam::123456789012:role/shop-flow-logs

- name: Delete the flow log
  slipway.aws.ec2_flow_log:
    state: absent
    resource_id: vpc-0123456789abcdef0
    match_tags:
      project: shop
"""

RETURN = r"""
flow_log:
  description:
    - The flow log; in check mode the predicted one. With O(state=absent) empty.
  returned: success
  type: dict
  contains:
    id:
      description: Its ID. In check mode V(unknown) for one that does not exist yet.
      type: str
      sample: fl-0123456789abcdef0
    resource_id:
      description: The ID of the resource.
      type: str
      sample: vpc-0123456789abcdef0
    traffic_type:
      description: Which connections are recorded.
      type: str
      sample: REJECT
    log_group_name:
      description: The log group; empty where records go somewhere else.
      type: str
      sample: /shop/flow-logs
    role_arn:
      description: The IAM role with which records are delivered.
      type: str
      sample: arn:aws:iam::123456789012:role/shop-flow-logs
    max_aggregation_interval:
      description: Seconds after which a record is closed.
      type: int
      sample: 600
    delivery_status:
      description: V(SUCCESS) or V(FAILED), as AWS reports the last delivery; empty before the first.
      type: str
      sample: SUCCESS
    delivery_error:
      description: Why the last delivery failed.
      type: str
      sample: Access error
    tags:
      description: Its tags.
      type: dict
      sample: {"project": "shop"}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout). These any module
      returns that calls AWS.
  returned: failure
  type: str
  sample: invalid_option
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._ec2.flow_log import flow

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "resource_id": {"type": "str", "required": True},
    "match_tags": {"type": "dict", "required": True},
    "traffic_type": {"type": "str", "choices": ["ACCEPT", "REJECT", "ALL"]},
    "log_group_name": {"type": "str"},
    "role_arn": {"type": "str"},
    "max_aggregation_interval": {"type": "int", "choices": [60, 600]},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, required_if=[("state", "present", ["log_group_name", "role_arn"])])


if __name__ == "__main__":
    main()
