# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the trust policy of a role lets ECS assume it. Pure."""

from __future__ import annotations

import fnmatch
import json
import typing as t
from collections.abc import Iterator, Mapping

from ..._core.names import Home
from ..._core.types import Json

ASSUME = "sts:AssumeRole"


class Verdict(t.NamedTuple):
    """Whether it does; None is unknown. `reason` says why not, or why that is unknown."""

    trusted: bool | None
    reason: str = ""


def judge(document: t.Any, principal: str, home: Home) -> Verdict:
    """Whether `principal`, a service of AWS, may assume a role of this account."""
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return Verdict(None, "a trust policy that cannot be read")
    statements = [one for one in _list((policy or {}).get("Statement")) if _concerns(one, principal)]
    denied, unclear, reasons = False, "", []
    allowed = False
    for one in statements:
        holds, reason = _conditions(one.get("Condition") or {}, home)
        if one.get("Effect") == "Deny":
            denied = denied or holds is True
            unclear = unclear or (reason if holds is None else "")
        elif holds:
            allowed = True
        elif holds is None:
            unclear = unclear or reason
        else:
            reasons.append(reason)
    if denied:
        return Verdict(False, f"a statement that denies it to {principal}")
    if allowed and not unclear:
        return Verdict(True)
    if unclear:
        return Verdict(None, unclear)
    return Verdict(False, reasons[0] if reasons else f"a trust policy for {_principals(policy)}")


def _list(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _concerns(statement: Json, principal: str) -> bool:
    actions = _list(statement.get("Action"))
    if actions and not any(fnmatch.fnmatchcase(ASSUME.lower(), str(one).lower()) for one in actions):
        return False
    named = statement.get("Principal")
    services = _list(named.get("Service")) if isinstance(named, Mapping) else _list(named)
    return principal in services or "*" in services


def _principals(policy: t.Any) -> str:
    found = []
    for one in _list((policy or {}).get("Statement")):
        named = one.get("Principal") if one.get("Effect") == "Allow" else None
        values = named.values() if isinstance(named, Mapping) else _list(named)
        found += [str(name) for value in values for name in _list(value)]
    return ", ".join(found) or "nobody"


def _conditions(conditions: Json, home: Home) -> tuple[bool | None, str]:
    """Whether all conditions hold when ECS assumes the role."""
    results = list(_each(conditions, home))
    failed = next((reason for holds, reason in results if holds is False), "")
    unclear = next((reason for holds, reason in results if holds is None), "")
    if failed:
        return False, failed
    return (None, unclear) if unclear else (True, "")


def _each(conditions: Json, home: Home) -> Iterator[tuple[bool | None, str]]:
    """The two keys that ECS sets: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"""
    for operator, members in conditions.items():
        kind = operator.removesuffix("IfExists")
        for key, value in members.items():
            values, name = [str(one) for one in _list(value)], key.lower()
            text = f"a condition {key} of {', '.join(values)}"
            if name == "aws:sourceaccount" and kind in ("StringEquals", "StringLike"):
                yield any(fnmatch.fnmatchcase(home.account, one) for one in values), text
            elif name == "aws:sourcearn" and kind in ("ArnLike", "ArnEquals", "StringLike", "StringEquals"):
                yield any(_is_here(one, home) for one in values), text
            else:
                yield None, f"a condition {operator} {key}, which preflight does not evaluate"


def _is_here(pattern: str, home: Home) -> bool:
    """Whether an ARN pattern can match a resource of ECS in this account and region."""
    if pattern == "*":
        return True
    parts = pattern.split(":", 5)
    own = ("arn", home.partition, "ecs", home.region, home.account)
    return all(fnmatch.fnmatchcase(name, part) for name, part in zip(own, parts[:5], strict=False))
