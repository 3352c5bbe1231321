# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: teardown
short_description: Tell what a teardown removes and what it leaves
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Of the resources that M(slipway.aws.project_info) found, tells those that a run of the playbook C(destroy) removes,
    with the tags that it was started with, and those that stay as nobody said that they may go.
positional: _input, run_tags, skip_tags, sayings, tags
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
    description: The tags that the run leaves out, C(ansible_skip_tags).
    type: list
    elements: str
    required: true
  sayings:
    description:
      - The variable that says whether resources of a kind go with what they hold, as C(name) and C(value), by the kind.
      - Resources of other kinds go whatever they hold.
    type: dict
    required: true
  tags:
    description: Tags of the playbooks for resources that cannot be told by their kind, by their name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: It is told what would go
  ansible.builtin.debug:
    msg: "{{ (owned.resources | slipway.aws.teardown(['all'], [], sayings)).goes }}"
  vars:
    sayings:
      repository:
        name: ecr_registry_absent_with_images
        value: "{{ ecr_registry_absent_with_images }}"
"""

RETURN = r"""
_value:
  description: A line for each resource, in C(goes) or in C(stays), the latter with the variable that would let it go.
  type: dict
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def _concerns(tag: str, run_tags: list[str], skip_tags: list[str]) -> bool:
    return ("all" in run_tags or tag in run_tags) and tag not in skip_tags


def _line(resource: Json) -> str:
    """Kind, name and id; an ARN and what repeats the name are left out."""
    name, identity = resource["name"], resource["id"]
    shown = name or identity
    more = f"  {identity}" if name and name not in identity and not identity.startswith("arn:") else ""
    return f"{resource['kind']:<19}{shown}{more}"


def teardown(
    resources: list[Json],
    run_tags: list[str],
    skip_tags: list[str],
    sayings: dict[str, Json],
    tags: dict[str, str] | None = None,
) -> dict[str, list[str]]:
    goes, stays = [], []
    for resource in resources:
        tag = (tags or {}).get(resource["name"]) or resource["tag"]
        if not _concerns(tag, run_tags, skip_tags):
            continue
        saying = sayings.get(resource["kind"])
        if resource["holds"] and saying and not saying["value"]:
            stays.append(f"{_line(resource)}  holds {resource['holds']}: goes with -e {saying['name']}=true")
        else:
            goes.append(_line(resource))
    return {"goes": goes, "stays": stays}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, list[str]]]]:
        return {"teardown": teardown}
