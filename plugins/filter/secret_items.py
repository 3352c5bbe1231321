# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_items
short_description: Put the secrets and settings of a site into the form that ecs_secrets takes
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes secrets as the role P(slipway.aws.ecs_app#role) has them and gives them the form that
    O(slipway.aws.ecs_secrets#module:secrets) has, with the settings after them.
positional: _input
options:
  _input:
    description: The secrets by name.
    type: dict
    required: true
  settings:
    description: The names of the settings.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: What the module is told
  ansible.builtin.debug:
    msg: "{{ {'key': {'length': 64}} | slipway.aws.secret_items(settings=['log-level']) }}"
"""

RETURN = r"""
_value:
  description: The secrets and settings, for the module.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]


def secret_items(secrets: Mapping[str, Json | None], settings: Iterable[str] = ()) -> list[Json]:
    found = [{"name": name, **(secret or {}), "type": kept_in(secret or {})} for name, secret in secrets.items()]
    return found + [{"name": name, "type": "String"} for name in settings]


def kept_in(secret: Json) -> str:
    """The type of a secret; an ARN says it itself."""
    if ":secretsmanager:" in str(secret.get("from") or ""):
        return "SecretsManager"
    return str(secret.get("type") or "SecureString")


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"secret_items": secret_items}
