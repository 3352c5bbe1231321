#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_discovery_namespace
version_added: 0.1.0
short_description: Manages a private DNS namespace of AWS Cloud Map and the services in it
author:
  - The Slipway authors (@slipway)
description:
  - Creates a private DNS namespace in a VPC with exactly these services. An Amazon ECS service that references one of
    them in its C(service_registries) is resolvable by its name from the whole VPC.
  - Each service answers with the A records of its tasks, with a TTL of 10 seconds, as tasks in C(awsvpc) mode need it.
  - AWS creates the namespace's hosted zone in Route 53, and deletes it with the namespace.
options:
  state:
    description:
      - Whether the namespace exists. V(absent) deletes it with its services, once no task is registered in them.
      - V(absent) with O(services) deletes only these services and keeps the namespace.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - The name of the namespace, the suffix of all names in it, such as V(shop.internal).
    type: str
    required: true
  vpc_id:
    description:
      - The VPC in which the names resolve. Used at creation only, as AWS does not return it later.
    type: str
  services:
    description:
      - The names of all services, such as V(database) for C(database.shop.internal).
    type: list
    elements: str
    default: []
  purge_services:
    description: Whether to delete services of the namespace that are not in O(services).
    type: bool
    default: true
  tags:
    description: Tags of the namespace and its services. If omitted, tags are kept.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are not in O(tags).
    type: bool
    default: true
  wait_timeout:
    description:
      - Time-out for each wait, in seconds - for the namespace, and for tasks to leave a service that is deleted.
    type: int
    default: 300
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.ecs_service
"""

EXAMPLES = r"""
- name: Create the name database.shop.internal
  slipway.aws.service_discovery_namespace:
    name: shop.internal
    vpc_id: vpc-0123456789abcdef0
    services: [database]
    tags:
      project: shop
  register: found

- name: Show what a service references in service_registries
  ansible.builtin.debug:
    msg: "{{ [{'registryArn': found.namespace.services.database}] }}"

- name: Delete the namespace
  slipway.aws.service_discovery_namespace:
    name: shop.internal
    state: absent
"""

RETURN = r"""
namespace:
  description:
    - The namespace; in check mode the predicted one. With O(state=absent) the deleted one, empty if none existed.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop.internal
    id:
      description: Its id. In check mode V(unknown) for one that does not exist yet.
      type: str
      sample: ns-abcd1234abcd1234
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:servicediscovery:ap-northeast-2:123456789012:namespace/ns-abcd1234abcd1234
    services:
      description: The ARN of each service by its name.
      type: dict
      sample: {"database": "arn:aws:servicediscovery:ap-northeast-2:123456789012:service/srv-abcd1234abcd1234"}
    tags:
      description: The tags of the namespace.
      type: dict
      sample: {"project": "shop"}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: invalid_option
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._discovery import flow

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "required": True},
    "vpc_id": {"type": "str"},
    "services": {"type": "list", "elements": "str", "default": []},
    "purge_services": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, required_if=[("state", "present", ["vpc_id"])])


if __name__ == "__main__":
    main()
