# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run prints of its tasks and roles, as text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import plan

Json = Mapping[str, Any]
# Characters of a list of names; the rest is counted.
NAMES = 100
TIME_OF_DAY = re.compile(r"\s*\d\d:\d\d:\d\d\s+")
WAITING = re.compile(r"Waiting for (?P<what>.*): \d+ s of up to (?P<limit>[\d.e+]+) s\.")


def duration(seconds: float) -> str:
    """Tenths of seconds below ten, minutes from sixty."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 and seconds != int(seconds) else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def listed(names: Sequence[str], limit: int = NAMES) -> str:
    """The names as far as they fit, at least one, and how many more there are."""
    fitting = next((number for number in range(len(names), 1, -1) if len(", ".join(names[:number])) <= limit), 1)
    rest = len(names) - fitting
    return ", ".join(names[:fitting]) + (f" and {rest} more" if rest > 0 else "")


def things(entries: Iterable[plan.Entry]) -> list[str]:
    """The tasks of entries, each with its items."""
    items: dict[str, list[str]] = {}
    for entry in entries:
        items.setdefault(entry.task, []).extend([entry.item] if entry.item else [])
    return [f"{task} ({listed(found)})" if found else task for task, found in items.items()]


def title(role: str, host: str, task: str) -> str:
    """A task, with its role, and its host where that is not this machine."""
    place = " on ".join(part for part in (role, "" if host == plan.HERE else host) if part)
    return f"{place}: {task}" if place else task


def waited_for(line: str) -> str:
    """What a line of a module says that it waits for, without the time, which is shown anyway."""
    found = WAITING.search(line)
    return f"waiting for {found['what']}, up to {float(found['limit']):g} s" if found else TIME_OF_DAY.sub("", line)


@dataclass
class Role:
    """The results of a role's tasks."""

    changes: list[plan.Entry] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skipped: bool = False
    converged: bool = False

    @property
    def is_listed(self) -> bool:
        return bool(self.converged or self.changes or self.failures)

    def __str__(self) -> str:
        parts = [f"failed: {listed(self.failures)}"] if self.failures else []
        parts += [f"{len(self.changes)} changed: {listed(things(self.changes))}"] if self.changes else []
        return "; ".join(parts) or ("skipped (converged)" if self.skipped else "unchanged")


@dataclass
class Summary:
    """What a run has done so far, and how it is to end."""

    roles: dict[str, Role] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    exit_code: int | None = None

    def role(self, name: str, *, converges: bool = False) -> Role:
        """The results of a role. They are in the order in which roles begin to converge."""
        role = self.roles.setdefault(name, Role())
        if converges and not role.converged:
            role.converged = True
            self.roles[name] = self.roles.pop(name)
        return role

    def read(self, result: Json) -> None:
        """The members of a result that are meant for this. Facts may have them, too."""
        facts = result.get("ansible_facts")
        facts = facts if isinstance(facts, Mapping) else {}
        for place in (result, facts):
            code = place.get("slipway_exit_code")
            if str(code).isdigit():
                self.exit_code = int(str(code))
        for name, fact in facts.items():
            urls = fact.get("urls") if str(name).endswith("_result") and isinstance(fact, Mapping) else None
            if isinstance(urls, Mapping):
                self.urls |= {str(service): str(url) for service, url in urls.items()}

    def lines(self) -> list[str]:
        return aligned({name: str(role) for name, role in self.roles.items() if role.is_listed})


def aligned(rows: Mapping[str, str]) -> list[str]:
    """Two columns."""
    width = max(map(len, rows), default=0)
    return [f"{name:<{width}}  {text}" for name, text in rows.items()]
