#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_site_info
version_added: 0.2.0
short_description: Read what runs in a cluster of Amazon ECS as the variables of an inventory
description:
  - Reads a cluster with its services, the task definitions that they run, their scaling, target groups, listeners and
    rules, and the schedules that run their task definitions.
  - Returns them as variables of the roles of this collection, in the form that M(slipway.aws.inventory_files) writes.
    With them, C(site.yml --check) reports no change.
  - What the variables cannot express is returned as notes, each with the reason and with what happens to it. Nothing
    is left out without a note.
  - A value that looks like a secret, such as that of C(DB_PASSWORD) in C(environment), is not returned. A variable
    stands in its place, and a note names it.
  - The playbook C(slipway.aws.import) uses this module.
author: The Slipway authors (@slipway)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    required: true
  services:
    description: Names of the services. By default, all services of the cluster are read.
    type: list
    elements: str
  project:
    description: The name of the project in the variables. By default, that of the cluster.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
seealso:
  - module: slipway.aws.inventory_files
  - module: slipway.aws.ecs_site_adoption
"""

EXAMPLES = r"""
- name: Read two services of a cluster
  slipway.aws.ecs_site_info:
    cluster: production
    services: [web, api]
    project: shop
  register: imported

- name: Show what cannot be expressed
  ansible.builtin.debug:
    msg: "{{ item.place }}: {{ item.reason }} {{ item.advice }}"
  loop: "{{ imported.site.notes }}"
"""

RETURN = r"""
site:
  description: What runs, as variables.
  returned: success
  type: dict
  contains:
    name:
      description: The name of the project.
      type: str
      sample: shop
    variables:
      description: Variables by the file that they belong into, without C(.yml).
      type: dict
    comments:
      description: The first lines of files, by their names.
      type: dict
    services:
      description: The elements of C(ecs_app_services) of the role P(slipway.aws.ecs_app#role).
      type: list
      elements: dict
    notes:
      description: What the variables cannot express.
      type: list
      elements: dict
      contains:
        place:
          description: What it is about.
          type: str
          sample: services.web.scaling
        reason:
          description: Why it cannot be expressed.
          type: str
        advice:
          description: What happens to it, and what to do.
          type: str
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that calls AWS.
  type: str
  returned: failure
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.site import info

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "required": True},
    "services": {"type": "list", "elements": "str"},
    "project": {"type": "str"},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
