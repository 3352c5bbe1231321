# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_problems
short_description: Say what is wrong with secrets and settings before AWS sees them
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Checks secrets and settings as the role P(slipway.aws.ecs_app#role) takes them. No values are needed.
positional: _input
options:
  _input:
    description: The secrets by name, each with C(type), C(length), C(from) and C(kms_key_id), none of which is needed.
    type: dict
    required: true
  settings:
    description: The names of the settings.
    type: list
    elements: str
    default: []
  values:
    description: The names of secrets for which values are given.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: The secrets can be made
  ansible.builtin.assert:
    that: secrets | slipway.aws.secret_problems(values=['database']) | length == 0
  vars:
    secrets: {session-key: {length: 64}, database: {type: SecretsManager}}
"""

RETURN = r"""
_value:
  description: One sentence for each problem. Empty when all is right.
  type: list
  elements: str
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._secrets.model import LONGEST, NOT_SHOWN, length_of

Json = dict[str, Any]

TYPES = ("SecureString", "SecretsManager")
MEMBERS = ("type", "length", "from", "kms_key_id")
NAME = re.compile(r"[A-Za-z0-9_.-]+")
KEY_ARN = re.compile(r"arn:[^:]+:kms:[^:]+:\d{12}:key/[\w-]+")


def secret_problems(secrets: Mapping[str, Any], settings: Iterable[str] = (), values: Iterable[str] = ()) -> list[str]:
    own, given = list(settings), list(values)
    found = [f"{name}: letters, digits and _.- are right in a name" for name in [*own, *secrets] if not _is_name(name)]
    found += [
        f"{name} is a secret and a setting, containers could not tell them apart" for name in own if name in secrets
    ]
    found += [
        f"{name} has a value, but is none of the secrets: {', '.join(secrets) or 'there are none'}"
        for name in given
        if name not in secrets
    ]
    return found + [
        f"{name}: {problem}" for name, secret in secrets.items() for problem in _of_one(secret or {}, name in given)
    ]


def _is_name(name: str) -> bool:
    return bool(NAME.fullmatch(name))


def _of_one(secret: Any, given: bool) -> Iterator[str]:
    if not isinstance(secret, Mapping):
        yield (
            f"expected a dictionary with any of {', '.join(MEMBERS)}, {NOT_SHOWN}; put values into"
            " ecs_app_secret_values"
        )
        return
    for member in secret:
        if member not in MEMBERS:
            yield f"'{member}' means nothing here, right are {', '.join(MEMBERS)}"
    if secret.get("type", TYPES[0]) not in TYPES:
        yield f"type: expected {' or '.join(TYPES)}, {NOT_SHOWN}; put what is no secret into ecs_app_settings"
    if length_of(secret.get("length", 1)) is None:
        yield f"length: expected 1 to {LONGEST}, {NOT_SHOWN}"
    if secret.get("from") and (given or "length" in secret):
        yield "it is made elsewhere (from), so neither length nor a value is right"
    key = secret.get("kms_key_id")
    if key and not KEY_ARN.fullmatch(str(key)):
        yield (
            "kms_key_id: expected the ARN of a key such as"
            f" arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab, {NOT_SHOWN}"
        )


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"secret_problems": secret_problems}
