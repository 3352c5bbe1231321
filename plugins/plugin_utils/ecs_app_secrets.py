# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets and settings: what is desired, what is wrong with it, and what containers are given of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._secrets.model import (
    LONGEST,
    NAME,
    NOT_SHOWN,
    SECRETS_MANAGER,
    length_of,
)

TYPES = ("SecureString", SECRETS_MANAGER)
MEMBERS = ("type", "length", "from", "kms_key_id")
KEY_ARN = re.compile(r"arn:[^:]+:kms:[^:]+:\d{12}:key/[\w-]+")
# Docker label of a container: the versions of the secrets that it is given. ECS reads a secret when a task starts, so
# only a new task definition brings a new version to the tasks.
VERSIONS = "slipway.secrets"


def desired(secrets: Mapping[str, Any], settings: Collection[str], key: str = "") -> list[Json]:
    """Secrets, and after them settings, as the module ecs_secrets takes them. `key` is for those that name none."""
    found = [
        {
            "name": name,
            **({"kms_key_id": key} if key and "from" not in _members(secret) else {}),
            **_members(secret),
            "type": _type(_members(secret)),
        }
        for name, secret in secrets.items()
    ]
    return found + [{"name": name, "type": "String"} for name in settings]


def _members(secret: Any) -> Mapping[str, Any]:
    return secret if isinstance(secret, Mapping) else {}


def _type(secret: Mapping[str, Any]) -> str:
    """The type of a secret; an ARN says it itself."""
    if ":secretsmanager:" in str(secret.get("from") or ""):
        return SECRETS_MANAGER
    return str(secret.get("type") or TYPES[0])


def stored_names(items: Sequence[Json], project: str) -> dict[str, list[str]]:
    """By kind of resource, what AWS calls those that the project itself creates."""
    names: dict[str, list[str]] = {"parameter": [], "secret": []}
    for item in items:
        if "from" not in item:
            is_secret = item["type"] == SECRETS_MANAGER
            names["secret" if is_secret else "parameter"].append(f"{'' if is_secret else '/'}{project}/{item['name']}")
    return names


def name_of(value_from: Any) -> str | None:
    """The name of a secret of the site; None for a path or an ARN. What follows a colon is a part of the secret."""
    text = str(value_from or "")
    return None if "/" in text or text.startswith("arn:") else text.partition(":")[0]


def given(container: Json, created: Mapping[str, Json], versioned: Collection[str]) -> Json:
    """A container with what ECS calls its secrets, and a label with the versions of those whose value can change."""
    secrets = container.get("secrets") or []
    used = {name for secret in secrets if (name := name_of(secret.get("valueFrom")))}
    label = " ".join(f"{name}={created[name]['version']}" for name in sorted(used & set(versioned) & set(created)))
    labels = {"dockerLabels": {**(container.get("dockerLabels") or {}), VERSIONS: label}} if label else {}
    return {**container, **labels, **({"secrets": [_given(secret, created) for secret in secrets]} if secrets else {})}


def _given(secret: Json, created: Mapping[str, Json]) -> Json:
    name = name_of(secret.get("valueFrom"))
    if name is None or name not in created:
        return secret
    return {**secret, "valueFrom": created[name]["value_from"] + secret["valueFrom"][len(name) :]}


def problems(secrets: Mapping[str, Any], settings: Collection[str], values: Collection[str]) -> list[str]:
    """What is wrong with the variables, one sentence each. No values are needed, and none is shown."""
    known = ", ".join(secrets) or "none"
    return [
        *_name_problems(secrets, "ecs_app_secrets"),
        *_name_problems(settings, "ecs_app_settings"),
        *(
            f"ecs_app_settings: expected names that are not in ecs_app_secrets, got {name!r}. Rename one of them."
            for name in settings
            if name in secrets
        ),
        *(
            f"ecs_app_secret_values: expected names in ecs_app_secrets ({known}), got {name!r}."
            for name in values
            if name not in secrets
        ),
        *(
            f"ecs_app_secrets.{name}{problem}"
            for name, secret in secrets.items()
            for problem in _problems({} if secret is None else secret, name in values)
        ),
    ]


def key_problems(key: str, variable: str) -> list[str]:
    """What is wrong with a variable that names a key."""
    if not key or KEY_ARN.fullmatch(key):
        return []
    example = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    return [f"{variable}: expected the ARN of a key, such as {example}, got {key!r}. Set the ARN of the key."]


def _name_problems(names: Collection[str], variable: str) -> Iterator[str]:
    for name in names:
        if not NAME.fullmatch(name):
            yield f"{variable}: expected names of letters, digits and _.-, got {name!r}."


def _problems(secret: Any, has_value: bool) -> Iterator[str]:
    if not isinstance(secret, Mapping):
        yield (
            f": expected a dictionary with any of {', '.join(MEMBERS)}, {NOT_SHOWN}."
            " Put values into ecs_app_secret_values."
        )
        return
    for member in secret:
        if member not in MEMBERS:
            yield f": expected any of {', '.join(MEMBERS)}, got '{member}'."
    if secret.get("type", TYPES[0]) not in TYPES:
        yield f".type: expected {' or '.join(TYPES)}, {NOT_SHOWN}. Put non-secret values into ecs_app_settings."
    if length_of(secret.get("length", 1)) is None:
        yield f".length: expected 1 to {LONGEST}, {NOT_SHOWN}."
    if secret.get("from") and (has_value or "length" in secret):
        yield ".from: expected neither a length nor a value for an external secret, got one. Remove it."
    key = secret.get("kms_key_id")
    if key and not KEY_ARN.fullmatch(str(key)):
        yield (
            ".kms_key_id: expected the ARN of a key, such as"
            f" arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab, {NOT_SHOWN}."
        )
