# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in variables that are not for secrets: what is wrong, without any value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.secret_forms import (
    AWS_KEY,
    is_aws_secret,
    misplaced,
    problems,
)

# Lists where values with the form of a secret may stand.
PLAIN_VALUES = "slipway_plain_values"
SECRET_KEY = "slipway_secret_key"  # noqa: S105  # the name of a variable
# How AWS is reached: keys are for the local cloud, a proxy may need a password.
_FOR_SECRETS = frozenset((SECRET_KEY, "slipway_access_key", "slipway_aws_config", "slipway_endpoint_url"))


def secret_problems(
    names: Iterable[str], value_of: Callable[[str], Any], literal_of: Callable[[str], Any], for_secrets: Collection[str]
) -> list[str]:
    """Secrets in the variables `names`, one sentence each. `literal_of` is the text "unknown" for a template."""
    given = list(names)
    allowed = value_of(PLAIN_VALUES) if PLAIN_VALUES in given else None
    entries = [str(one) for one in allowed] if isinstance(allowed, list) else []
    found = [
        one
        for name in given
        if name not in _FOR_SECRETS and name not in for_secrets
        for one in misplaced(value_of(name), name)
    ]
    return [*problems(found, entries, PLAIN_VALUES), *_key_problems(given, literal_of, entries)]


def _key_problems(names: Collection[str], literal_of: Callable[[str], Any], allowed: Collection[str]) -> list[str]:
    """Keys of AWS belong into no file. From the environment they come with a template, or without any variable."""
    if SECRET_KEY not in names or SECRET_KEY in allowed or not is_aws_secret(str(literal_of(SECRET_KEY) or "")):
        return []
    return [
        f"{SECRET_KEY}: expected no AWS key in a file, got {AWS_KEY}, which is not shown. Leave it null and set"
        " AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the environment, or encrypt it with Ansible"
        " Vault."
    ]
