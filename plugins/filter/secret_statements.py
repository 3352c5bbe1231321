# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_statements
short_description: What an execution role has to be allowed to hand secrets to containers
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Makes statements of an IAM policy that allow exactly the given secrets and settings to be read.
  - A key is allowed to be used only where a secret names one.
  - IAM is global, and a policy may serve sites of several regions, so a region is only in ARNs that are given.
positional: _input
options:
  _input:
    description: The secrets, as P(slipway.aws.secret_items#filter) gives them.
    type: list
    elements: dict
    required: true
  project:
    description: The name of the site, under which those are kept that are made here.
    type: str
    required: true
  partition:
    description: AWS's partition.
    type: str
    default: aws
  account:
    description: The number of the account.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: What the role gets
  ansible.builtin.debug:
    msg: "{{ secrets | slipway.aws.secret_statements('shop', account='123456789012') }}"
  vars:
    secrets: [{name: key, type: SecureString}]
"""

RETURN = r"""
_value:
  description: The statements. Empty where there is nothing to read.
  type: list
  elements: dict
"""

from collections.abc import Callable, Sequence
from typing import Any

Json = dict[str, Any]


def secret_statements(secrets: Sequence[Json], project: str, *, partition: str = "aws", account: str) -> list[Json]:
    prefix = {
        "ssm": f"arn:{partition}:ssm:*:{account}:parameter/",
        "secretsmanager": f"arn:{partition}:secretsmanager:*:{account}:secret:",
    }
    arns: dict[str, list[str]] = {service: [] for service in prefix}
    for secret in secrets:
        service = "secretsmanager" if secret["type"] == "SecretsManager" else "ssm"
        source = str(secret.get("from") or f"{project}/{secret['name']}")
        # AWS appends a hyphen and six characters to the name of a secret.
        end = "-??????" if service == "secretsmanager" else ""
        own = source if source.startswith("arn:") else f"{prefix[service]}{source.lstrip('/')}{end}"
        arns[service].append(own)
    keys = [str(secret["kms_key_id"]) for secret in secrets if secret.get("kms_key_id")]
    return [
        *_statement("Parameters", "ssm:GetParameters", arns["ssm"]),
        *_statement("Secrets", "secretsmanager:GetSecretValue", arns["secretsmanager"]),
        *_statement("Keys", "kms:Decrypt", keys),
    ]


def _statement(sid: str, action: str, resources: list[str]) -> list[Json]:
    unique = sorted(set(resources))
    return [{"Sid": sid, "Effect": "Allow", "Action": action, "Resource": unique}] if unique else []


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[Json]]]:
        return {"secret_statements": secret_statements}
