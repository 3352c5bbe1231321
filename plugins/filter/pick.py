# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: pick
short_description: Select members of a dictionary under new names
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Returns a dictionary of the selected members. Each keyword is a new name, its value the current one.
  - A missing member is null.
  - Meant for C(map), to publish a few members of what a module returned.
options:
  _input:
    description: The dictionary.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: ARN and port of each target group
  ansible.builtin.debug:
    msg: "{{ result.target_groups | map('slipway.aws.pick', arn='target_group_arn', port='port') }}"
"""

RETURN = r"""
_value:
  description: The members under their new names.
  type: dict
"""

from collections.abc import Callable
from typing import Any


def pick(source: dict[str, Any], **members: str) -> dict[str, Any]:
    return {new: source.get(present) for new, present in members.items()}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"pick": pick}
