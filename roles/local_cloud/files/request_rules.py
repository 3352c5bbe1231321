# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS refuses although its models allow it: one table, of functions that find what breaks a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
DOCS = "https://docs.aws.amazon.com"


# AWS's wording is in several public reports of users, none of which has an address that lasts.
REPORTS = "public reports"


@dataclass(frozen=True)
class State:
    """What an account has, as the emulator keeps it: resources by kind and key."""

    resources: Mapping[str, Any] = field(default_factory=dict)

    def all(self, kind: str) -> list[Json]:
        return list(self.resources[kind].values()) if kind in self.resources else []

    def get(self, kind: str, key: str) -> Json | None:
        return self.resources[kind].get(key) if kind in self.resources else None


# Yields, for each fault that it finds in the parameters of a request, what the message names.
Finder = Callable[[Json, State], Iterator[Json]]


@dataclass(frozen=True)
class Rule:
    """One reason for which AWS refuses a request."""

    name: str
    operations: tuple[str, ...]
    refuses: str
    error: str
    message: str
    source: str
    # Where the public can read AWS's wording; empty where no such record was found: then the wording is ours.
    wording: str
    find: Finder

    def refusals(self, request: Json, state: State) -> Iterator[str]:
        """The messages of all faults."""
        for names in self.find(request, state):
            yield self.message.format(**names)


RULES: list[Rule] = []


def rule(*operations: str, error: str, message: str, source: str, wording: str = "") -> Callable[[Finder], Finder]:
    """Add a function to the table; its docstring says what AWS refuses."""

    def add(find: Finder) -> Finder:
        refuses = " ".join((find.__doc__ or "").split())
        RULES.append(Rule(find.__name__, operations, refuses, error, message, source, wording, find))
        return find

    return add
