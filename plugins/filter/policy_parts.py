# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: policy_parts
short_description: Split IAM policy documents that are too long for a managed policy
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes policy documents by name, as P(slipway.aws.policy_documents#filter) writes them. One that is too long becomes
    several, V(all), V(all-2), V(all-3) and so on, which together allow the same.
positional: _input, limit
options:
  _input:
    description: Policy documents by name.
    type: dict
    required: true
  limit:
    description: How many characters a policy may have, white space apart.
    type: int
    default: 6144
"""

EXAMPLES = r"""
- name: Policies for a user who runs the whole site
  ansible.builtin.debug:
    msg: "{{ permissions | slipway.aws.policy_documents(values) | slipway.aws.policy_parts | select('match', '^all') }}"
"""

RETURN = r"""
_value:
  description: Policy documents by name, none longer than the limit.
  type: dict
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
LIMIT = 6144


def _length(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def _parts(document: Json, limit: int) -> list[Json]:
    """Each statement in the first part that has room for it."""
    parts: list[Json] = []
    for statement in document["Statement"]:
        for part in parts:
            extended = {**part, "Statement": [*part["Statement"], statement]}
            if _length(extended) <= limit:
                part.update(extended)
                break
        else:
            parts.append({**document, "Statement": [statement]})
    return parts


def policy_parts(documents: Mapping[str, Json], limit: int = LIMIT) -> dict[str, Json]:
    return {
        name if number == 1 else f"{name}-{number}": part
        for name, document in documents.items()
        for number, part in enumerate(_parts(document, limit), 1)
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Json]]]:
        return {"policy_parts": policy_parts}
