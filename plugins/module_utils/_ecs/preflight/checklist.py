# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preflight knows and finds: the desired services, what was read of the account, and the results. No calls.

Checks ask the account for what they need. What was not read yet is noted as wanted; the flow reads it and checks again,
until nothing is wanted any more.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.names import Home
from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json

State = t.Literal["OK", "WARN", "FAIL", "UNKNOWN"]
OK: t.Final = "OK"
WARN: t.Final = "WARN"
FAIL: t.Final = "FAIL"
UNKNOWN: t.Final = "UNKNOWN"
# The worst first.
STATES: tuple[State, ...] = (FAIL, UNKNOWN, WARN, OK)


class Result(t.NamedTuple):
    """The result of one check at one place."""

    check: str
    place: str
    state: State
    text: str
    # The IAM action that is missing, of an unknown one.
    permission: str = ""


class Key(t.NamedTuple):
    """Something to read: its kind, its name or ARN, and what else the call takes."""

    kind: str
    name: str = ""
    more: tuple[str, ...] = ()


class Unread(t.NamedTuple):
    """What could not be read, and the IAM action that it takes."""

    action: str
    message: str


LONGEST = 300
PENDING = Unread("", "not read yet")


@dataclass
class Account:
    """What was read. None is what does not exist."""

    home: Home
    now: datetime.datetime
    answers: dict[Key, t.Any] = field(default_factory=dict)
    wanted: set[Key] = field(default_factory=set)

    def read(self, kind: str, name: str = "", *more: str) -> t.Any:
        """The answer, None, or Unread."""
        key = Key(kind, name, more)
        if key in self.answers:
            return self.answers[key]
        self.wanted.add(key)
        return PENDING

    def known(self, kind: str, name: str = "", *more: str) -> t.Any:
        """The answer; None also for what could not be read."""
        answer = self.read(kind, name, *more)
        return None if isinstance(answer, Unread) else answer


@dataclass(frozen=True)
class Service:
    """A desired service with its task definition: option names at the top, AWS's spelling below."""

    place: str
    name: str
    options: Json
    definition: Json

    def at(self, member: str) -> str:
        return f"{self.place}, {member}"

    @property
    def containers(self) -> list[tuple[str, Json]]:
        """Containers, each with its place."""
        items = self.definition.get("container_definitions") or []
        return [(self.at(f"container {one.get('name')}"), one) for one in items if isinstance(one, dict)]

    @property
    def tasks(self) -> int:
        count = self.options.get("desired_count")
        return count if isinstance(count, int) else 1


@dataclass(frozen=True)
class Desired:
    """What the run is about to release, and by kind the names of what it creates or manages itself."""

    cluster: str
    services: Sequence[Service]
    creates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # The load balancer, the network and the rest of a site, as the option `site` has them.
    site: Json = field(default_factory=dict)
    # What is wrong without any read.
    problems: Sequence[Result] = ()

    def manages(self, kind: str, name: str) -> bool:
        return name in self.creates.get(kind, ())


class Reference(t.NamedTuple):
    """A member that names something: where it stands, the kind, the name, and what to do if it does not exist."""

    check: str
    place: str
    kind: str
    name: str
    remedy: str


@dataclass
class Checklist:
    """Collects results."""

    desired: Desired
    account: Account
    results: list[Result] = field(default_factory=list)

    def add(self, check: str, place: str, state: State, text: str, permission: str = "") -> None:
        result = Result(check, place, state, text, permission)
        known = {(one.check, one.state, one.text) for one in self.results}
        if (check, state, text) not in known:
            self.results.append(result)

    def ok(self, check: str, place: str, text: str) -> None:
        self.add(check, place, OK, text)

    def fail(self, check: str, place: str, text: str) -> None:
        self.add(check, place, FAIL, f"{place}: {text}")

    def warn(self, check: str, place: str, text: str) -> None:
        self.add(check, place, WARN, f"{place}: {text}")

    def unread(self, check: str, place: str, what: str, unread: Unread) -> None:
        required = f" Requires {unread.action}." if unread.action else ""
        # An answer that is not one of AWS may be a whole page.
        reason = " ".join(unread.message.split())[:LONGEST].rstrip(".")
        text = f"{place}: {what} is unknown: {reason}.{required}"
        self.add(check, place, UNKNOWN, text, unread.action)

    def find(self, wanted: Reference) -> t.Any:
        """What is named, if it was read; otherwise the result says why not. None also for what this run manages."""
        if wanted.name in ("", NOT_KNOWN):
            return None
        if self.desired.manages(wanted.kind, wanted.name):
            self.ok(wanted.check, wanted.place, f"{wanted.kind} {wanted.name}: this run creates or updates it")
            return None
        answer = self.account.read(wanted.kind, wanted.name)
        if isinstance(answer, Unread):
            self.unread(wanted.check, wanted.place, f"whether {wanted.kind} {wanted.name} exists", answer)
            return None
        if answer is None:
            self.fail(
                wanted.check,
                wanted.place,
                f"expected an existing {wanted.kind}, got {wanted.name}. {wanted.remedy}",
            )
        return answer


def article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" or noun.startswith(("EFS", "S3")) else "a"


def listed(names: t.Iterable[t.Any]) -> str:
    return ", ".join(str(name) for name in names) or "none"
