# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repository is and what is asked of it.

A repository is a plain dict: options (`image_tag_mutability`) at the top, AWS's spelling below. The defaults are those
of https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html.
"""

from __future__ import annotations

import re
import typing as t

from ..._core import tags as tagging
from ..._core.error_codes import IMMUTABLE, INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.names import KEY, home_of, same
from ..._core.plan import UNKNOWN, Resource, Sets, normalise
from ..._core.shapes import Shape, check_options, to_members, to_options
from ..._core.types import Json
from . import policies

MUTABILITY = "image_tag_mutability"
FILTERS = "image_tag_mutability_exclusion_filters"
SCANNING = "image_scanning_configuration"
ENCRYPTION = "encryption_configuration"

SETS: Sets = {
    FILTERS: ("filterType", "filter"),
    # So that a diff shows the statements and rules that differ, and no others.
    "Statement": ("Sid",),
    "rules": ("rulePriority",),
}

# What a repository has when nothing was said.
DEFAULTS: Resource = {
    MUTABILITY: "MUTABLE",
    FILTERS: [],
    SCANNING: {"scanOnPush": False},
    ENCRYPTION: {"encryptionType": "AES256"},
    "tags": {},
}
# What AWS writes; of a repository that does not exist yet these are unknown.
WRITTEN_BY_AWS = ("repository_arn", "repository_uri", "registry_id", "created_at")

# Options that are documents: how each is read.
POLICIES: t.Mapping[str, t.Callable[[t.Any], Json]] = {
    "lifecycle_policy": policies.lifecycle_policy,
    "policy": policies.repository_policy,
}


def checked(shape: Shape, params: Resource, allow_unknown: bool) -> Json:
    """The options that were given, checked before any call. `shape` is CreateRepository's."""
    named = {**params, "repository_name": params["name"]}
    checked = check_options(shape, named, skip=("tags",), members=DEFAULTS, allow_unknown=allow_unknown)
    options = normalise(checked, SETS)
    options |= {name: read(params[name]) for name, read in POLICIES.items() if params[name] is not None}
    _check_encryption(options.get(ENCRYPTION))
    return options


def check_name(shape: Shape, name: str) -> None:
    pattern = shape.members["repositoryName"].metadata.get("pattern", "")
    if not re.fullmatch(pattern, name):
        raise SlipwayError(
            INVALID_OPTION,
            f"name: expected lowercase letters and digits, separated by single '.', '_', '-' or '/', got {name!r}.",
        )


def from_api(answer: Json) -> Json:
    """A repository from AWS's answers: itself, its `tags`, and the texts of those policies that were read."""
    documents = {name: read(answer[name] or "{}") for name, read in POLICIES.items() if name in answer}
    found = {**normalise(to_options(answer), SETS), "tags": tagging.from_list(answer["tags"])}
    return {**DEFAULTS, **found, **documents}


def desired(current: Json | None, options: Json, tags: tagging.Tags | None, key: str | None = None) -> Json:
    """What is requested; refuses, by name, what AWS cannot change. `key` is an alias's ARN."""
    actual = current or dict(DEFAULTS)
    wanted = {**options, **_mutability(options, actual), "tags": tags}
    if SCANNING in options:
        wanted[SCANNING] = {**actual[SCANNING], **options[SCANNING]}
    if current and ENCRYPTION in options:
        given = {**options[ENCRYPTION], "kmsKey": key} if key else options[ENCRYPTION]
        wanted[ENCRYPTION] = _encryption(given, current)
    return wanted


def create_request(shape: Shape, predicted: Json, members: t.Collection[str]) -> Json:
    """CreateRepository for the planned members; AWS sets the others."""
    request = {name: value for name, value in predicted.items() if name in members and value not in ({}, [])}
    if "tags" in request:
        request["tags"] = tagging.to_capital_list(request["tags"])
    return to_members(shape, request)


def alias_in(options: Json) -> str | None:
    """The key, where it is requested by a name that only AWS KMS can resolve."""
    key = options.get(ENCRYPTION, {}).get("kmsKey", "")
    return key if key.startswith("alias/") or ":alias/" in key else None


def predict(members: Json) -> Json:
    """A new repository as it would be."""
    predicted = {**DEFAULTS, **dict.fromkeys(WRITTEN_BY_AWS, UNKNOWN), **members}
    encryption = predicted[ENCRYPTION]
    if encryption["encryptionType"] != "AES256" and not encryption.get("kmsKey", "").startswith("arn:"):
        predicted[ENCRYPTION] = {**encryption, "kmsKey": UNKNOWN}
    return predicted


def _mutability(options: Json, current: Json) -> Json:
    """Mode and exclusion filters belong together: AWS takes both in one call."""
    if MUTABILITY not in options and FILTERS not in options:
        return {}
    mode: str = options.get(MUTABILITY) or current[MUTABILITY]
    with_exclusion = mode.endswith("_WITH_EXCLUSION")
    filters = options.get(FILTERS, current[FILTERS] if with_exclusion else [])
    if with_exclusion and not filters:
        raise SlipwayError(
            INVALID_OPTION, f"{FILTERS}: expected at least one filter for {MUTABILITY} {mode}, got none."
        )
    if filters and not with_exclusion:
        raise SlipwayError(
            INVALID_OPTION,
            f"{MUTABILITY}: expected MUTABLE_WITH_EXCLUSION or IMMUTABLE_WITH_EXCLUSION for {FILTERS}, got {mode}.",
        )
    return {MUTABILITY: mode, FILTERS: filters}


def _check_encryption(encryption: Json | None) -> None:
    if encryption and encryption.get("kmsKey") and encryption["encryptionType"] == "AES256":
        raise SlipwayError(INVALID_OPTION, f"{ENCRYPTION}: expected no kmsKey for encryptionType AES256, got one.")


def _encryption(wanted: Json, current: Json) -> Json:
    """The current encryption, if it is the desired one."""
    actual: Json = current[ENCRYPTION]
    key, actual_key = wanted.get("kmsKey"), actual.get("kmsKey", "")
    home = home_of(current.get("repository_arn"))
    same_key = key in (None, UNKNOWN) or same(KEY, key, actual_key, home)
    if wanted["encryptionType"] == actual["encryptionType"] and same_key:
        return actual
    raise SlipwayError(
        IMMUTABLE,
        f"AWS cannot change {ENCRYPTION} of the existing repository {current['repository_name']}. Omit the option,"
        " or delete and recreate the repository.",
        {"immutable": [ENCRYPTION], "diff": {"before": {ENCRYPTION: actual}, "after": {ENCRYPTION: wanted}}},
    )
