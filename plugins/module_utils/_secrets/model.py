# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What secrets and settings are asked for, what there is, and what differs. A plan tells no value. Pure."""

from __future__ import annotations

import json
import re
import secrets
import string
import typing as t
from dataclasses import dataclass, field

from .._core import names
from .._core.error_codes import CONFLICT, INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.tags import Tags, carries, desired
from .._core.types import Json

SECRETS_MANAGER = "SecretsManager"
ALPHABET = string.ascii_letters + string.digits
NAME = re.compile(r"[A-Za-z0-9_.-]+")
PATH = re.compile(r"/?([A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]+/?")
TYPES = ("SecureString", "String", SECRETS_MANAGER)
KEY_NAME = re.compile(r"arn:[\w-]+:kms:.+|alias/[\w/-]+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST = 4096
# Whoever mixes up two members has put the value into the wrong one.
NOT_SHOWN = "got another value, which is not shown as it may be the secret"
# What a diff says in place of values.
GIVEN, RANDOM, ANOTHER = "as given", "random", "another"


@dataclass(frozen=True)
class Wish:
    """A secret that is asked for. `source` names one that is made elsewhere."""

    name: str
    type: str
    length: int
    source: str
    kms_key_id: str
    value: str | None = field(default=None, repr=False)

    @property
    def in_secrets_manager(self) -> bool:
        return self.type == SECRETS_MANAGER

    def text(self) -> str:
        """The value that a new one gets."""
        if self.value is not None:
            return self.value
        return "".join(secrets.choice(ALPHABET) for place in range(self.length))


@dataclass(frozen=True)
class Found:
    """A secret that there is. `value` is known only where it has to be compared."""

    type: str
    reference: str
    version: str
    kms_key_id: str
    tags: Tags
    deleted: bool = False
    value: str | None = field(default=None, repr=False)

    def carries(self, tags: t.Mapping[str, t.Any]) -> bool:
        return carries(self.tags, tags)


def wishes_of(items: t.Sequence[Json], values: t.Mapping[str, t.Any]) -> list[Wish]:
    """The secrets that are asked for, with the values that are given, checked."""
    names = [str(item["name"]) for item in items]
    problems = [f"{name}: the name is there more than once" for name in sorted(set(names)) if names.count(name) > 1]
    problems += [f"{name}: there is a value, but no secret of that name" for name in values if name not in names]
    problems += [f"{item['name']}: {problem}" for item in items for problem in _problems(item, values)]
    if problems:
        raise SlipwayError(INVALID_OPTION, f"secrets, {'; '.join(problems)}.", {"problems": problems})
    return [
        Wish(
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
        yield "letters, digits and _.- are right in a name"
    if given and item["from"]:
        yield "it is made elsewhere (from), so its value is not given here"
    if given and values[item["name"]] is None:
        yield "its value is null"
    elif given and as_text(values[item["name"]]) == "":
        yield "its value is empty"
    if item["type"] == "String" and not given and not item["from"]:
        yield "a String needs a value, random ones are for secrets"
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
        raise SlipwayError(INVALID_OPTION, f"path: '{given}' is no path, such as /shop/ is right.")
    return f"/{given.strip('/')}/"


def refuse_foreign(wishes: t.Iterable[Wish], found: t.Mapping[str, Found], own: t.Mapping[str, t.Any]) -> None:
    """Fail where something else has the name and would have to be changed."""
    foreign = [
        f"{wish.name} ({there.reference})"
        for wish in wishes
        if (there := found.get(wish.name)) and not there.carries(own) and (wish.value is not None or there.deleted)
    ]
    if foreign:
        tags = ", ".join(f"{key}={value}" for key, value in own.items())
        told = f"{', '.join(foreign)} is there without the tags {tags}, so it is somebody else's: choose another name."
        raise SlipwayError(CONFLICT, f"secrets: {told}")


def current_of(wish: Wish, found: Found | None) -> Json:
    """What a plan compares of what there is."""
    if found is None:
        return {}
    current: Json = {"type": found.type, "value": RANDOM, "tags": found.tags}
    if wish.value is not None:
        current["value"] = GIVEN if found.value is not None and same(found.value, wish.value) else ANOTHER
    if wish.kms_key_id:
        is_same = names.same(names.KEY, found.kms_key_id, wish.kms_key_id, names.home_of(found.reference))
        current["kms_key_id"] = wish.kms_key_id if is_same else found.kms_key_id
    if found.deleted:
        current["deleted"] = True
    return current


def desired_of(wish: Wish, found: Found | None, params: t.Mapping[str, t.Any]) -> Json:
    """What a plan compares it with. What is there and somebody else's stays as it is."""
    if found and not found.carries(params["match_tags"]):
        return current_of(wish, found)
    asked = {**(params["tags"] or {}), **params["match_tags"]}
    tags = desired(found.tags if found else {}, asked, params["purge_tags"])
    key = {"kms_key_id": wish.kms_key_id} if wish.kms_key_id else {}
    return {"type": wish.type, "value": RANDOM if wish.value is None else GIVEN, "tags": tags, **key}
