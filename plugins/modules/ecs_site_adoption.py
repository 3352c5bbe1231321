#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_site_adoption
version_added: 0.2.0
short_description: Tag existing resources of Amazon ECS as those of a project
description:
  - Sets the tag C(slipway:project) on existing services, the task definitions that they run, target groups, listener
    rules and a group of schedules, so that the project's releases may change them. Other tags are kept.
  - Nothing but the resources that the options name is tagged. Clusters, load balancers and roles are not.
  - A resource that carries the tag of another project is refused before anything is tagged.
  - What does not exist is skipped. It is created with the tag.
  - The playbook C(slipway.aws.adopt) uses this module.
author: The Slipway authors (@slipway)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  project:
    description: The name of the project.
    type: str
    required: true
  group:
    description: >-
      The value of the tag C(slipway:group) on services, task definitions and the group of schedules. If empty, none.
    type: str
    default: ""
  services:
    description: Names of the services. The revisions that they run are tagged, too.
    type: list
    elements: str
    default: []
  scaled_services:
    description: >-
      Names of the services whose scaling M(slipway.aws.ecs_service_scaling) manages. They also get its tag
      C(slipway:scaling), and their scalable targets the tags of the project.
    type: list
    elements: str
    default: []
  target_groups:
    description: Names of the target groups.
    type: list
    elements: str
    default: []
  listener_arns:
    description: Listeners whose rules are tagged.
    type: list
    elements: str
    default: []
  rule_priorities:
    description: >-
      Priorities of the rules that are tagged on each of O(listener_arns). A rule that forwards to none of
      O(target_groups) is refused.
    type: list
    elements: int
    default: []
  schedule_group:
    description: Name of the group of schedules in EventBridge Scheduler. If empty, none.
    type: str
    default: ""
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
seealso:
  - module: slipway.aws.ecs_site_info
"""

EXAMPLES = r"""
- name: Show what would be tagged
  slipway.aws.ecs_site_adoption:
    cluster: production
    project: shop
    services: [web, api]
    target_groups: [shop-web]
  check_mode: true
  register: plan

- name: Tag it
  slipway.aws.ecs_site_adoption:
    cluster: production
    project: shop
    services: [web, api]
    target_groups: [shop-web]
"""

RETURN = r"""
resources:
  description: What the project manages, in the order in which it is tagged.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        V(service), V(task definition), V(scalable target), V(target group), V(listener rule) or V(schedule group).
      type: str
      sample: service
    name:
      description: Its name.
      type: str
      sample: web
    arn:
      description: Its ARN.
      type: str
    before:
      description: Its tags before.
      type: dict
    after:
      description: Its tags afterwards.
      type: dict
      sample: {"slipway:project": shop}
    changed:
      description: Whether they differ.
      type: bool
table:
  description: The same as lines of text.
  returned: success
  type: list
  elements: str
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(misplaced_secret),
      V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that
      calls AWS.
  type: str
  returned: failure
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.adoption import flow

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "required": True},
    "project": {"type": "str", "required": True},
    "group": {"type": "str", "default": ""},
    "services": {"type": "list", "elements": "str", "default": []},
    "scaled_services": {"type": "list", "elements": "str", "default": []},
    "target_groups": {"type": "list", "elements": "str", "default": []},
    "listener_arns": {"type": "list", "elements": "str", "default": []},
    "rule_priorities": {"type": "list", "elements": "int", "default": []},
    "schedule_group": {"type": "str", "default": ""},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
