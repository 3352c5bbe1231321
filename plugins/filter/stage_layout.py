# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stage_layout
short_description: Derive the stages of a project and what it ships
version_added: 0.2.0
author: The Slipway authors (@slipway)
description:
  - Derives what the playbook C(slipway.aws.init) writes from its variables and the Dockerfiles of the application.
positional: _input, dockerfiles
options:
  _input:
    description:
      - The variables of the playbook, C(project), C(application), C(stages), C(regions), C(accounts), C(pipelines),
        C(repository), C(branch) and C(application_port). Lists may be text with commas.
    type: dict
    required: true
  dockerfiles:
    description: The Dockerfiles, as M(slipway.aws.dockerfile_info) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: List the stages
  ansible.builtin.debug:
    msg: "{{ variables | slipway.aws.stage_layout(found.dockerfiles) }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems), one sentence each, and if there are none C(stages), C(services), C(front), the service behind the
      load balancer, C(one_account), C(pipelines), C(folders), C(links) and C(hints) for the user.
    - C(version) of this collection.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import stages
from ansible_collections.slipway.aws.plugins.plugin_utils.collection import COLLECTION, version_of


def stage_layout(variables: dict[str, Any], dockerfiles: list[dict[str, Any]]) -> dict[str, Any]:
    """The stages and services, and the version of this collection."""
    return {**stages.layout(variables, dockerfiles), "version": version_of(COLLECTION)}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"stage_layout": stage_layout}
