# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: resolve_names
short_description: Put ARNs in place of names
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes structures in AWS's own spelling and replaces, in one of their members, names by what they stand for.
  - ARNs stay as they are. A name that is not known is an error that says which ones are.
positional: _input, member, names
options:
  _input:
    description: The structures.
    type: list
    elements: dict
    required: true
  member:
    description: The member that holds a name or an ARN. A structure without it stays as it is.
    type: str
    required: true
  names:
    description: ARNs by name.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: A load balancer's target group by its name
  ansible.builtin.debug:
    msg: "{{ balancers | slipway.aws.resolve_names('targetGroupArn', {'web': arn}) }}"
  vars:
    balancers: [{targetGroupArn: web, containerName: web, containerPort: 80}]
    arn: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef
"""

RETURN = r"""
_value:
  description: The structures, with ARNs.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

Json = dict[str, Any]


def resolve_names(structures: Sequence[Json], member: str, names: Mapping[str, str]) -> list[Json]:
    def resolved(structure: Json) -> Json:
        name = structure.get(member)
        if name is None or str(name).startswith("arn:"):
            return structure
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise AnsibleFilterError(f"{member}: there is nothing named {name!r}; the known ones are: {known}")
        return {**structure, member: names[str(name)]}

    return [resolved(structure) for structure in structures]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"resolve_names": resolve_names}
