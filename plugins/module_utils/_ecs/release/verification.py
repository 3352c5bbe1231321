# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of pages and ports, of releases and of the role ecs_verify: which are valid, what is wrong with an answer.

No calls.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..._core.types import Json, Result

# What each type requires and may have, apart from a name.
MEMBERS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "http": (frozenset({"url"}), frozenset({"status", "content", "headers"})),
    "tcp": (frozenset({"host", "port"}), frozenset()),
}


@dataclass
class Check:
    """A check that the released services have to pass."""

    name: str
    type: t.Literal["http", "tcp"]
    options: Json
    state: t.Literal["not_needed", "not_started", "failed", "succeeded"] = "not_started"
    # What is wrong with the last answer.
    problem: str = ""

    def to_result(self) -> Result:
        return {"name": self.name, "state": self.state, "msg": self.problem}


def check_problems(given: Json) -> Iterator[str]:
    """What is wrong with a check of a release, one sentence each. None means that an option is omitted."""
    kind = given["type"]
    members = {name: value for name, value in given.items() if value is not None and name not in ("name", "type")}
    required, allowed = MEMBERS[kind]
    for name in sorted(required - members.keys()):
        yield f"{name}: expected a value, as type {kind} requires it, got none."
    for name in sorted(members.keys() - required - allowed):
        yield f"{name}: expected none, as type {kind} has no {name}, got {members[name]!r}. Remove it."
    url = urlsplit(str(members.get("url", "http://any")))
    if url.scheme not in ("http", "https") or not url.netloc:
        yield f"url: expected an address that begins with http:// or https://, got {members['url']!r}."
    yield from value_problems(members)


def value_problems(check: Mapping[str, t.Any]) -> Iterator[str]:
    """What is wrong with given values, one sentence each."""
    if "status" in check and not 100 <= _number(check["status"]) <= 599:
        yield f"status: expected a number from 100 to 599, got {check['status']}."
    if "port" in check and not 1 <= _number(check["port"]) <= 65535:
        yield f"port: expected a number from 1 to 65535, got {check['port']}."
    if check.get("host") == "":
        yield "host: expected a name or an address, got an empty string."
    if not is_pattern(str(check.get("content") or "")):
        yield f"content: expected a regular expression, got {check['content']!r}."


def is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def page_problem(url: str, expected: tuple[int, str], status: int, reason: str) -> str:
    """Why a page is not as expected, by status and content, in one sentence."""
    wanted, content = expected
    if status == wanted:
        return f"{url}: expected content that matches {content!r}, got other content with status {status}."
    return f"{url}: expected status {wanted}, got {reason}"


def port_problem(host: str, port: t.Any, reason: str) -> str:
    return f"{host}: expected connections on port {port}, got none: {reason}"


def _number(value: t.Any) -> int:
    return int(value) if str(value).isdigit() else -1
