# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide from the health checks of targets whether a rollout can still succeed: no calls, no clock.

DescribeTargetHealth says that a target is unhealthy and why, not how often it was checked. That follows from the target
group: a target is unhealthy after as many failed checks as its threshold, and one more follows in each interval.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ..._core.types import Json

# Targets that pass, or that nothing will ever check.
STATES_SERVING = frozenset({"healthy", "unused", "unavailable"})
# While a program is starting, it refuses connections, is slow or returns 5xx. Then as many times the checks have to
# fail that make a target unhealthy.
PATIENCE = 3
# Answers that waiting does not change. The excluded ones ask to try again later.
_LASTING_CODES = frozenset(range(300, 500)) - {408, 421, 425, 429}
# Failures of the load balancer itself say nothing about the tasks.
_FOREIGN = "Elb."
_CODES = re.compile(r"\b\d{3}\b")


class Target(t.NamedTuple):
    """One target of the deployment: its owner, its health, and since when its failures count."""

    owner: str
    health: Json
    # Seconds since the grace period ended: negative before, infinite without one.
    counted: float


@dataclass
class _Failures:
    """The failed checks of one target with one reason."""

    kind: tuple[str, str]
    since: float
    first: int
    checks: int


class Failing(t.NamedTuple):
    """Health checks of one target group that no task of the deployment passes."""

    group: Json
    reason: str
    description: str
    tasks: int
    checks: int

    @property
    def lasting(self) -> bool:
        return is_lasting(self.reason, self.description)

    def __str__(self) -> str:
        tasks = "1 task" if self.tasks == 1 else f"{self.tasks} tasks"
        return (
            f"Target group {self.group.get('TargetGroupName')}: health check {check_of(self.group)}, got"
            f" {answer_of(self.reason, self.description)} ({self.checks} checks of {tasks}, none healthy)."
        )


@dataclass
class HealthChecks:
    """Counts the failed checks of the targets of a deployment in one target group, from answer to answer."""

    _failures: dict[str, _Failures] = field(default_factory=dict)
    _latest: set[str] = field(default_factory=set)
    # Whether a target of the deployment has ever been healthy.
    served: bool = False

    def observe(self, group: Json, targets: Iterable[Target], at: float) -> None:
        """Count the checks up to now."""
        threshold, interval = threshold_of(group), interval_of(group)
        self._latest = set()
        for owner, health, counted in targets:
            state, kind = health.get("State"), (str(health.get("Reason")), str(health.get("Description", "")))
            self.served = self.served or state in STATES_SERVING
            if state != "unhealthy" or counted < 0 or kind[0].startswith(_FOREIGN):
                continue
            known = self._failures.get(owner)
            if known is None:
                known = _Failures(kind, at, int(min(threshold, counted / interval)), 0)
            elif known.kind != kind:
                known = _Failures(kind, at, 1, 0)
            known.checks = known.first + int((at - known.since) // interval)
            self._failures[owner] = known
            self._latest.add(owner)

    def verdict(self, group: Json, live: int, stopped: Collection[str], more: int = 0) -> Failing | None:
        """Why the deployment cannot succeed, or None. `live` tasks run; ECS has `stopped` others for health checks.

        `more` is how many failed tasks the circuit breaker waits for, which decides first.
        """
        threshold = threshold_of(group)
        for owner in stopped:
            if owner in self._failures:
                self._failures[owner].checks = max(threshold, self._failures[owner].checks)
        # The latest reason counts, if targets fail for another one than before.
        kinds = {self._failures[owner].kind for owner in self._latest or self._failures}
        if self.served or len(kinds) != 1:
            return None
        reason, description = kind = kinds.pop()
        alike = [failures.checks for failures in self._failures.values() if failures.kind == kind]
        unseen = [owner for owner in stopped if owner not in self._failures]
        checks = sum(alike) + len(unseen) * threshold
        patience = 1 if is_lasting(reason, description) else PATIENCE + more
        tasks = len(alike) + len(unseen)
        if tasks < live or checks < patience * threshold * max(1, live):
            return None
        return Failing(group, reason, description, tasks, checks)


def threshold_of(group: Json) -> int:
    return int(group.get("UnhealthyThresholdCount") or 2)


def interval_of(group: Json) -> int:
    return int(group.get("HealthCheckIntervalSeconds") or 30)


def answered_codes(description: str) -> list[int]:
    """The codes of ``Health checks failed with these codes: [404]``."""
    return [int(code) for code in _CODES.findall(description)]


def is_lasting(reason: str, description: str) -> bool:
    """Whether the program runs and returns something that waiting does not change."""
    codes = answered_codes(description) if reason == "Target.ResponseCodeMismatch" else []
    return bool(codes) and _LASTING_CODES.issuperset(codes)


def check_of(group: Json) -> str:
    """The health check of a target group, and the expected answer."""
    port = str(group.get("HealthCheckPort") or "traffic-port")
    where = f"on port {port}" if port.isdigit() else "on the target's port"
    protocol = group.get("HealthCheckProtocol") or "HTTP"
    if protocol not in ("HTTP", "HTTPS"):
        return f"{protocol} {where}: expected a connection"
    matcher = group.get("Matcher") or {}
    expected = matcher.get("HttpCode") or f"gRPC code {matcher.get('GrpcCode')}"
    return f"{protocol} GET {group.get('HealthCheckPath') or '/'} {where}: expected {expected}"


def answer_of(reason: str, description: str) -> str:
    """What targets returned, in a few words."""
    codes = answered_codes(description) if reason == "Target.ResponseCodeMismatch" else []
    if codes:
        return ", ".join(map(str, codes))
    words = {"Target.Timeout": "no answer in time", "Target.FailedHealthChecks": "no connection"}
    return words.get(reason) or description or reason
