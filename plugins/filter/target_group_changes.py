# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: target_group_changes
short_description: What would be done with target groups
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Holds target groups, as the role P(slipway.aws.ecs_load_balancer#role) has them, against those that are there. For
    check mode, which C(community.aws.elb_target_group) does not know.
positional: _input, there, prefix, tags
options:
  _input:
    description: The target groups, each with all of its settings.
    type: list
    elements: dict
    required: true
  there:
    description: Those that are there, as C(community.aws.elb_target_group_info) describes them.
    type: list
    elements: dict
    required: true
  prefix:
    description: What stands before a target group's name in AWS.
    type: str
    required: true
  tags:
    description: The tags of each.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: What would be done is told
  ansible.builtin.debug:
    msg: "{{ wanted | slipway.aws.target_group_changes(found.target_groups, 'shop-', {'team': 'web'}) }}"
"""

RETURN = r"""
_value:
  description: Those that would be made or changed, each with its C(name) and C(verb), V(make) or V(change).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

# The settings that AWS can change, and where a description has them.
SETTINGS = {
    "health_check_protocol": "health_check_protocol",
    "health_check_path": "health_check_path",
    "health_check_interval": "health_check_interval_seconds",
    "health_check_timeout": "health_check_timeout_seconds",
    "healthy_threshold": "healthy_threshold_count",
    "unhealthy_threshold": "unhealthy_threshold_count",
    "deregistration_delay": "deregistration_delay_timeout_seconds",
}


def differs(wanted: Json, found: Json, tags: Json) -> bool:
    settings = {option: found.get(name) for option, name in SETTINGS.items()}
    settings["health_check_codes"] = (found.get("matcher") or {}).get("http_code")
    return dict(tags) != (found.get("tags") or {}) or any(
        str(wanted[option]) != str(value) for option, value in settings.items()
    )


def target_group_changes(
    wanted: Sequence[Json], there: Sequence[Json], prefix: str, tags: Json | None = None
) -> list[dict[str, str]]:
    known = {group["target_group_name"]: group for group in there}
    changes = []
    for group in wanted:
        found = known.get(prefix + group["name"])
        if found is None:
            changes.append({"name": str(group["name"]), "verb": "make"})
        elif differs(group, found, tags or {}):
            changes.append({"name": str(group["name"]), "verb": "change"})
    return changes


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[dict[str, str]]]]:
        return {"target_group_changes": target_group_changes}
