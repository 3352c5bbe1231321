# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets and settings: desired, existing, and what differs. A comparison never shows a value. Pure."""

from __future__ import annotations

import json
import re
import secrets
import string
import typing as t
from dataclasses import dataclass, field, replace

from .._core import names
from .._core.error_codes import CONFLICT, INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.plan import UNKNOWN, Plan
from .._core.tags import Tags, carries
from .._core.tags import desired as desired_tags
from .._core.types import Json

SECRETS_MANAGER = "SecretsManager"
ALPHABET = string.ascii_letters + string.digits
NAME = re.compile(r"[A-Za-z0-9_.-]+")
PATH = re.compile(r"/?([A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+/?")
TYPES = ("SecureString", "String", SECRETS_MANAGER)
KEY_NAME = re.compile(r"arn:[\w-]+:kms:.+|alias/[\w/-]+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST = 4096
# Bytes of a value. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
LARGEST = {SECRETS_MANAGER: 65536, "SecureString": 4096, "String": 4096}
# Characters of a whole name, with its path. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
LONGEST_NAME = {SECRETS_MANAGER: 512, "SecureString": 1011, "String": 1011}
# Whoever mixes up two members has put the value into the wrong one.
NOT_SHOWN = "got another value, which is not shown because it may be the secret"
# What a diff shows instead of values.
GIVEN, RANDOM, ANOTHER = "as given", "random", "another"


@dataclass(frozen=True)
class DesiredSecret:
    """A secret that is requested. `source` names an external one."""

    name: str
    type: str
    length: int
    source: str
    kms_key_id: str
    value: str | None = field(default=None, repr=False)

    @property
    def in_secrets_manager(self) -> bool:
        return self.type == SECRETS_MANAGER

    @property
    def is_arn(self) -> bool:
        return self.source.startswith("arn:")

    def text(self) -> str:
        """The value that a new one gets."""
        if self.value is not None:
            return self.value
        return "".join(secrets.choice(ALPHABET) for place in range(self.length))


@dataclass(frozen=True)
class Found:
    """An existing secret. `value` is known only where it has to be compared."""

    type: str
    reference: str
    version: str
    kms_key_id: str
    tags: Tags
    deleted: bool = False
    value: str | None = field(default=None, repr=False)

    def carries(self, tags: t.Mapping[str, t.Any]) -> bool:
        return carries(self.tags, tags)


def desired_secrets(items: t.Sequence[Json], values: t.Mapping[str, t.Any]) -> list[DesiredSecret]:
    """The secrets that are requested, with the given values, checked."""
    names = [str(item["name"]) for item in items]
    problems = [
        f"{name}: expected each name once, got it {names.count(name)} times"
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    problems += [
        f"{name}: expected a secret with this name, got only its value" for name in values if name not in names
    ]
    problems += [f"{item['name']}: {problem}" for item in items for problem in _problems(item, values)]
    if problems:
        raise SlipwayError(INVALID_OPTION, f"secrets, {'; '.join(problems)}.", {"problems": problems})
    return [
        DesiredSecret(
            item["name"],
            item["type"],
            length_of(item["length"]) or 0,
            item["from"] or "",
            item["kms_key_id"] or "",
            as_text(values[item["name"]]) if item["name"] in values else None,
        )
        for item in items
    ]


def _problems(item: Json, values: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    given = item["name"] in values
    if item["type"] not in TYPES:
        yield f"type: expected {', '.join(TYPES[:-1])} or {TYPES[-1]}, {NOT_SHOWN}"
    if not NAME.fullmatch(item["name"]):
        yield "name: expected letters, digits and _.- only"
    if given and item["from"]:
        yield "from: expected no value for an external secret, got one"
    if given and values[item["name"]] is None:
        yield "expected a value, got null"
    elif given and as_text(values[item["name"]]) == "":
        yield "expected a value, got an empty one"
    elif given and (size := len(as_text(values[item["name"]]).encode())) > (most := LARGEST.get(item["type"], size)):
        yield f"expected a value of at most {most} bytes for type {item['type']}, got {size}"
    if item["type"] == "String" and not given and not item["from"]:
        yield "expected a value for the type String, got none; random values are for secrets"
    if length_of(item["length"]) is None:
        yield f"length: expected 1 to {LONGEST}, {NOT_SHOWN}"
    if item["kms_key_id"] and not KEY_NAME.fullmatch(item["kms_key_id"]):
        yield f"kms_key_id: expected the ARN, alias or id of a key, {NOT_SHOWN}"


def length_of(given: t.Any) -> int | None:
    """The length that is given, None for none that is possible."""
    text = str(given)
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) and 1 <= int(text) <= LONGEST else None


def as_text(value: t.Any) -> str:
    """The value as its store takes it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def same(one: str, other: str) -> bool:
    """True also for JSON with its members in another order."""
    try:
        return one == other or bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def path_of(given: str) -> str:
    """`/shop/`, however it was given."""
    if not PATH.fullmatch(given):
        raise SlipwayError(INVALID_OPTION, f"path: expected a path such as /shop/, got '{given}'.")
    return f"/{given.strip('/')}/"


def refuse_long_names(full: t.Mapping[str, str], desired: t.Iterable[DesiredSecret]) -> None:
    """Fail with names that are too long with their path; `full` has them by the names of secrets."""
    problems = [
        f"{one.name}: expected a name of at most {LONGEST_NAME[one.type]} characters, got {len(full[one.name])}"
        " with the path"
        for one in desired
        if len(full.get(one.name, "")) > LONGEST_NAME[one.type]
    ]
    if problems:
        raise SlipwayError(INVALID_OPTION, f"secrets, {'; '.join(problems)}.", {"problems": problems})


def check_window(days: int) -> None:
    if days and not 7 <= days <= 30:
        raise SlipwayError(
            INVALID_OPTION, f"recovery_window: expected 7 to 30 days, or 0 to delete at once, got {days}."
        )


def missing_secrets(desired: t.Iterable[DesiredSecret], found: t.Mapping[str, Found]) -> list[str]:
    """The external secrets that do not exist."""
    return [
        f"{one.name} ({one.source if '/' in one.source else 'its `from` is not shown, because it may be the secret'})"
        for one in desired
        if one.source and not one.is_arn and (one.name not in found or found[one.name].deleted)
    ]


def refuse_foreign(
    desired: t.Iterable[DesiredSecret], found: t.Mapping[str, Found], own: t.Mapping[str, t.Any]
) -> None:
    """Fail where something else has the name and would have to be changed."""
    foreign = [
        f"{one.name} ({there.reference})"
        for one in desired
        if (there := found.get(one.name)) and not there.carries(own) and (one.value is not None or there.deleted)
    ]
    if foreign:
        tags = ", ".join(f"{key}={value}" for key, value in own.items())
        message = (
            f"secrets: expected the tags {tags}, got others on {', '.join(foreign)}, which belong to another project."
        )
        raise SlipwayError(CONFLICT, f"{message} Choose another name, or tag it.")


def current_secret(desired: DesiredSecret, found: Found | None) -> Json:
    """What is compared of an existing secret."""
    if found is None:
        return {}
    current: Json = {"type": found.type, "value": RANDOM, "tags": found.tags}
    if desired.value is not None:
        current["value"] = GIVEN if found.value is not None and same(found.value, desired.value) else ANOTHER
    if desired.kms_key_id:
        is_same = names.same(names.KEY, found.kms_key_id, desired.kms_key_id, names.home_of(found.reference))
        current["kms_key_id"] = desired.kms_key_id if is_same else found.kms_key_id
    if found.deleted:
        current["deleted"] = True
    return current


def desired_secret(desired: DesiredSecret, found: Found | None, params: t.Mapping[str, t.Any]) -> Json:
    """What it is compared with. A secret that someone else owns is kept as it is."""
    if found and not found.carries(params["match_tags"]):
        return current_secret(desired, found)
    given = {**(params["tags"] or {}), **params["match_tags"]}
    tags = desired_tags(found.tags if found else {}, given, params["purge_tags"])
    key = {"kms_key_id": desired.kms_key_id} if desired.kms_key_id else {}
    return {"type": desired.type, "value": RANDOM if desired.value is None else GIVEN, "tags": tags, **key}


def differing_members(planned: Plan, desired: DesiredSecret) -> set[str]:
    return {*planned.before.get(desired.name, {}), *planned.after.get(desired.name, {})}


def predict(desired: DesiredSecret, found: Found | None, name: str, members: t.Collection[str]) -> Found:
    """The secret as it would be; `name` is its name in the store."""
    if found is None:
        reference = UNKNOWN if desired.in_secrets_manager else name
        return Found(desired.type, reference, UNKNOWN, desired.kms_key_id, {})
    return found if set(members) <= {"tags", "deleted"} else replace(found, version=UNKNOWN)


def to_result(desired: DesiredSecret, found: Found | None) -> Json:
    return {
        "type": desired.type,
        "value_from": found.reference if found else desired.source,
        "version": found.version if found else "",
    }
