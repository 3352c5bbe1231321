#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dockerfile_info
version_added: 0.2.0
short_description: Finds the Dockerfiles of an application
author:
  - The Slipway authors (@slipway)
description:
  - Finds the Dockerfiles below a directory, and what each says of its containers, such as the port and the path of the
    health check.
  - It reads the last stage of each file, with the stages that it is built from. It builds nothing.
  - The playbook C(slipway.aws.init) runs it.
options:
  path:
    description:
      - The directory of the application.
    type: path
    required: true
  depth:
    description:
      - How many levels of folders to search. Folders of dependencies and builds, such as C(node_modules), and those
        whose names begin with a dot, are left out.
    type: int
    default: 3
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
"""

EXAMPLES = r"""
- name: Find the Dockerfiles
  slipway.aws.dockerfile_info:
    path: .
  register: application
"""

RETURN = r"""
dockerfiles:
  description: The Dockerfiles, those of the fewest folders first.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The folder of the file, relative to O(path). Empty for O(path) itself.
      type: str
      sample: web
    dockerfile:
      description: The name of the file.
      type: str
      sample: Dockerfile
    name:
      description: A name for the image, from the folder and the name of the file.
      type: str
      sample: web
    base:
      description: The image, or the stage, that the last stage is built from.
      type: str
      sample: "python:3.13-slim"
    ports:
      description:
        - The TCP ports of C(EXPOSE). Without any, the variable C(PORT), or the port of the health check.
      type: list
      elements: int
      sample: [8000]
    health_path:
      description: The path that C(HEALTHCHECK) requests. Empty if there is none.
      type: str
      sample: /healthz
    user:
      description: The user of C(USER). Empty if there is none.
      type: str
      sample: app
    arguments:
      description: The names of C(ARG).
      type: list
      elements: str
      sample: [BASE_IMAGE]
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(context_missing). The build context does not exist.
    - V(unreadable). A file in the build context cannot be read.
  returned: failure
  type: str
  sample: context_missing
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.local_module import run
from ansible_collections.slipway.aws.plugins.module_utils._docker.dockerfile import info

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "depth": {"type": "int", "default": 3},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()
