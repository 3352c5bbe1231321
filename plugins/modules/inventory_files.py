#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_files
version_added: 0.2.0
short_description: Writes the inventory of a project
author:
  - The Slipway authors (@slipway)
description:
  - Writes variables and services into the files of an inventory, one file for each service. The playbooks
    C(slipway.aws.import) and C(slipway.aws.convert) use it.
  - A task definition of more than 60 lines is a JSON file in C(group_vars/task_definitions), in AWS's own spelling. The
    service's file reads it.
  - No file that exists with other content is overwritten, unless O(force) is set. Then nothing is written at all.
options:
  directory:
    description:
      - The directory of the inventory. It is created.
    type: path
    required: true
  site:
    description:
      - What to write.
    type: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the project.
        type: str
        required: true
      variables:
        description:
          - Variables, by the name of their file in C(group_vars/all), without C(.yml).
          - Text with braces as in a template is written so that Ansible does not template it. A dictionary whose only
            key is C(__template__) is a template.
        type: dict
        default: {}
      comments:
        description:
          - The comment at the top of a file, by its name.
        type: dict
        default: {}
      services:
        description:
          - The services, as C(ecs_app_services) of the role P(slipway.aws.ecs_app#role) takes them.
        type: list
        elements: dict
        default: []
      notes:
        description:
          - What the inventory does not have, each with C(place), C(reason) and C(advice). C(NOTES.md) lists it.
        type: list
        elements: dict
        default: []
  force:
    description:
      - Whether to overwrite files that have other content.
    type: bool
    default: false
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - Requires PyYAML where the module runs, which Ansible has.
"""

EXAMPLES = r"""
- name: Write an inventory with one service
  slipway.aws.inventory_files:
    directory: inventory/shop
    site:
      name: shop
      variables:
        project:
          slipway_project: shop
      services:
        - name: web
          desired_count: 2
          task_definition:
            family: web
            containerDefinitions:
              - {name: web, image: "nginx:1.29", memory: 64}
"""

RETURN = r"""
directory:
  description: The directory of the inventory.
  returned: success
  type: str
  sample: inventory/shop
files:
  description: The files, relative to it.
  returned: success
  type: list
  elements: str
  sample: [group_vars/all/project.yml, group_vars/all/service_web.yml, group_vars/all/services.yml, hosts.yml]
left:
  description: Files of services that O(site) does not have, relative to the directory. They are kept.
  returned: success
  type: list
  elements: str
  sample: [group_vars/all/service_old.yml]
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(file_exists). A file to write already exists with other content, or cannot be read.
    - V(file_not_written). A file cannot be written.
  returned: failure
  type: str
  sample: file_exists
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.local_module import run
from ansible_collections.slipway.aws.plugins.module_utils._inventory import flow

SITE = {
    "name": {"type": "str", "required": True},
    "variables": {"type": "dict", "default": {}},
    "comments": {"type": "dict", "default": {}},
    "services": {"type": "list", "elements": "dict", "default": []},
    "notes": {"type": "list", "elements": "dict", "default": []},
}
ARGUMENT_SPEC = {
    "directory": {"type": "path", "required": True},
    "site": {"type": "dict", "options": SITE, "required": True},
    "force": {"type": "bool", "default": False},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
