# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Application Auto Scaling decides: the capacity that a policy requires, its cooldowns, and when a schedule is due.

https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

from __future__ import annotations

import datetime
import math
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

# AWS's default for services of ECS.
COOLDOWN = 300.0
DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
FIELDS: tuple[tuple[int, int, Mapping[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, MONTHS),
    (1, 7, DAYS),
    (1970, 2199, {}),
)
UNITS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass
class Cooldown:
    """When a policy last scaled out, from which capacity, and when it last scaled in."""

    out: float = -math.inf
    base: int = 0
    scaled_in: float = -math.inf


def tracked(capacity: int, value: float, target: float) -> int:
    """The capacity with which the metric would be at its target. It is rounded up, as availability comes first."""
    return math.ceil(capacity * value / target)


def stepped(configuration: Json, capacity: int, breach: float) -> int:
    """The capacity after the step for a metric that is so far beyond the threshold of its alarm."""
    for step in configuration["StepAdjustments"]:
        least, most = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
        if (least is None or breach >= least) and (most is None or breach < most):
            return _adjusted(configuration, capacity, int(step["ScalingAdjustment"]))
    return capacity


def _adjusted(configuration: Json, capacity: int, adjustment: int) -> int:
    kind = configuration.get("AdjustmentType")
    if kind == "ExactCapacity":
        return adjustment
    if kind == "PercentChangeInCapacity":
        change = capacity * adjustment / 100
        # Away from zero below 1, towards zero above.
        rounded = math.copysign(1, change) if 0 < abs(change) < 1 else math.trunc(change)
        least = int(configuration.get("MinAdjustmentMagnitude") or 0)
        return capacity + int(math.copysign(max(abs(rounded), least), adjustment))
    return capacity + adjustment


def base_of(cooldown: Cooldown, capacity: int, now: float, seconds: float) -> int:
    """From what a scale-out starts: what was added by the one before is part of it as long as that cools down."""
    return cooldown.base if now < cooldown.out + seconds else capacity


# Schedules


def is_due(schedule: str, zone: str, created: float, last: float, now: float) -> bool:
    """Whether a schedule has come since `last`."""
    kind, text = schedule.rstrip(")").split("(", 1)
    if kind == "at":
        moment = datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
        return last < moment.timestamp() <= now
    if kind == "rate":
        count, unit = text.split()
        every = int(count) * UNITS[unit.rstrip("s")]
        return (now - created) // every > (last - created) // every
    # Since the last minute that has been checked.
    minutes = range(int(last // 60) + 1, int(now // 60) + 1)
    return any(
        matches(text, datetime.datetime.fromtimestamp(minute * 60, zoneinfo.ZoneInfo(zone))) for minute in minutes
    )


def matches(expression: str, moment: datetime.datetime) -> bool:
    """Whether a cron expression names a minute. Sunday is 1."""
    week = moment.isoweekday() % 7 + 1
    parts = (moment.minute, moment.hour, moment.day, moment.month, week, moment.year)
    return all(_has(field, part, bounds) for field, part, bounds in zip(expression.split(), parts, FIELDS, strict=True))


def _has(field: str, part: int, bounds: tuple[int, int, Mapping[str, int]]) -> bool:
    return any(part in _range(item, bounds) for item in field.split(","))


def _range(item: str, bounds: tuple[int, int, Mapping[str, int]]) -> range:
    least, most, names = bounds
    found = re.fullmatch(r"(\*|\?|(\w+)(?:-(\w+))?)(?:/(\d+))?", item.upper())
    if not found:
        raise ValueError(f"The local cloud does not know {item} in a schedule.")
    first, last, every = found[2], found[3], found[4]
    if first is None:
        return range(least, most + 1, int(every or 1))
    start = names.get(first) or int(first)
    end = (names.get(last) or int(last)) if last else most if every else start
    return range(start, end + 1, int(every or 1))
