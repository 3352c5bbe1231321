#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_drift
version_added: 0.2.0
short_description: Compares a project with the records of its last runs
author:
  - The Slipway authors (@slipway)
description:
  - Reads all resources of a project as M(slipway.aws.project_info) does with
    O(slipway.aws.project_info#module:details), and compares each member with the record that the last run of
    C(site.yml) stored in the account.
  - It needs no variables of the site.
  - Lists changed and missing resources, and resources that carry the project's tag and are in no record. What cannot be
    read is unknown, never missing.
  - Members that change while nobody changes the resource, such as counts of running tasks, are not compared.
  - Values of variables whose names say that they hold a secret are masked.
  - Prints the drift, as it is an action plugin, too. The playbook C(slipway.aws.drift) runs it.
options:
  project:
    description: The name of the project.
    type: str
    required: true
  events:
    description:
      - Whether to read from AWS CloudTrail who changed a resource and when. Where it cannot be read, RV(drift.notes)
        says so.
      - CloudTrail returns an event some minutes after it, and keeps it for 90 days. It answers two requests a second,
        so that only the first 20 resources are looked up.
    type: bool
    default: true
  format:
    description: What is printed. V(none) prints nothing.
    type: str
    choices: [list, json, none]
    default: list
  junit:
    description: File on the machine that runs Ansible for a JUnit report, with a test for each resource.
    type: path
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
"""

EXAMPLES = r"""
- name: Find drift
  slipway.aws.project_drift:
    project: ecs
  register: compared

- name: Fail if anything differs
  ansible.builtin.assert:
    that: compared.drift.result == 'none'
"""

RETURN = r"""
drift:
  description: What differs. With O(format=json), it is printed.
  returned: success
  type: dict
  contains:
    project:
      description: The name of the project.
      type: str
      sample: ecs
    account:
      description: The AWS account.
      type: str
      sample: "123456789012"
    region:
      description: The region.
      type: str
      sample: eu-central-1
    read_at:
      description: When the resources were read.
      type: str
      sample: "2026-01-02T03:04:05Z"
    result:
      description:
        - V(none), V(drift), or V(incomplete) if a part could not be read or has no record. What was found is listed in
          any case.
      type: str
      sample: drift
    resources:
      description: The resources with drift.
      type: list
      elements: dict
      contains:
        kind:
          description: What it is, as in M(slipway.aws.project_info). V(images) are those of a repository.
          type: str
          sample: security group
        id:
          description: The id, or the ARN or name where that is the id.
          type: str
          sample: sg-0123456789abcdef0
        name:
          description: The name.
          type: str
          sample: ecs-tasks
        role:
          description: The role of this collection that converges it.
          type: str
          sample: ecs_network
        tag:
          description: The tag of the playbook C(site.yml) under which this role runs.
          type: str
          sample: network
        drift:
          description: V(changed), V(missing), or V(unrecorded) if it carries the project's tag and is in no record.
          type: str
          sample: changed
        rolled_back_by:
          description:
            - The number of the release that has rolled the service back since it was recorded, as
              M(slipway.aws.project_history) shows it. Null otherwise.
          type: int
          sample: null
        remedy:
          description: What to do.
          type: str
          sample: Rerun site.yml --tags network.
        members:
          description: What differs of a changed resource.
          type: list
          elements: dict
          contains:
            member:
              description: The path of the member. In brackets is what identifies an element of a list.
              type: str
              sample: IpPermissions[tcp/80/80].IpRanges[0.0.0.0/0]
            recorded:
              description: The recorded value, null if it did not exist.
              type: raw
              sample: null
            actual:
              description: The value now, null if it does not exist.
              type: raw
              sample: {CidrIp: 0.0.0.0/0}
            masked:
              description: Whether a secret in the values is hidden.
              type: bool
              sample: false
        recorded_at:
          description: When it was recorded, null for V(unrecorded).
          type: str
          sample: "2026-01-01T03:04:05Z"
        recorded_by:
          description: The ARN of the caller that recorded it, null for V(unrecorded).
          type: str
          sample: arn:aws:iam::123456789012:user/deployer
        events:
          description: The newest calls that changed it since, according to CloudTrail, with C(at), C(by) and C(event).
          type: list
          elements: dict
          sample: [{at: "2026-01-02T02:04:05Z", by: alice, event: AuthorizeSecurityGroupIngress}]
    unchanged:
      description: The resources that are as recorded, by kind and id.
      type: list
      elements: str
      sample: [VPC vpc-0123456789abcdef0]
    unknown:
      description:
        - What could not be read, as in RV(slipway.aws.project_info#module:unknown), and roles without a usable record.
      type: list
      elements: dict
      sample: []
    records:
      description: The records that were compared, by role, with C(at), C(by), C(collection) and C(proven).
      type: dict
      sample: {ecs_network: {at: "2026-01-01T03:04:05Z", by: deployer, collection: 0.2.0, proven: true}}
    notes:
      description: What else to know, such as that CloudTrail could not be read.
      type: list
      elements: str
      sample: []
exit_code:
  description: V(0) without drift, V(2) with drift, V(1) if the result is incomplete. The playbook exits with it.
  returned: success
  type: int
  sample: 2
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(no_record). No run of C(site.yml) has recorded its resources, so there is nothing to compare with.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: no_record
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._project.drift import flow

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
    "events": {"type": "bool", "default": True},
    "format": {"type": "str", "choices": ["list", "json", "none"], "default": "list"},
    "junit": {"type": "path"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
