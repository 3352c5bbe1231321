# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: teardown
short_description: List what a teardown deletes and what it keeps
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Lists those of the resources that M(slipway.aws.project_info) found which a run of the playbook C(destroy) deletes,
    with the tags that it was started with, and those that it keeps because they hold data.
positional: _input, run_tags, skip_tags, retention
options:
  _input:
    description: Resources as M(slipway.aws.project_info) returns them.
    type: list
    elements: dict
    required: true
  run_tags:
    description: The tags of the run, C(ansible_run_tags).
    type: list
    elements: str
    required: true
  skip_tags:
    description: The tags that the run skips, C(ansible_skip_tags).
    type: list
    elements: str
    required: true
  retention:
    description:
      - By kind, the C(variable) that lets resources be deleted with the data in them, and its C(value).
      - Resources of other kinds are deleted with what they hold.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: List the resources to delete
  ansible.builtin.debug:
    msg: "{{ (owned.resources | slipway.aws.teardown(['all'], [], retention)).deleted }}"
  vars:
    retention:
      repository:
        variable: ecr_registry_absent_with_images
        value: "{{ ecr_registry_absent_with_images }}"
"""

RETURN = r"""
_value:
  description: >-
    A line for each resource, in C(deleted) or in C(kept), the latter with the variable that lets it be deleted.
  type: dict
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.plugin_utils.teardown import teardown


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, list[str]]]]:
        return {"teardown": teardown}
