# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a schedule of EventBridge Scheduler runs: its expression, read and evaluated. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import dataclasses
import datetime
import re
import typing as t
import zoneinfo

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)\)")
RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((\S+(?: +\S+){5})\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONTHS = {name: number for number, name in enumerate(_MONTHS, 1)}
# AWS counts from Sunday.
WEEKDAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
# Of minutes, hours, days of a month, months, days of a week and years.
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
DAY_OF_MONTH, DAY_OF_WEEK = 2, 4
# How far ahead the next run is searched, in days: 29 February may be 8 years ahead.
HORIZON = 8 * 366
FORMS = (
    "at(2026-12-24T18:00:00), rate(12 hours) or cron(minutes hours day-of-month month day-of-week year) with ? for one"
    " of the two days, such as cron(0 22 * * ? *)"
)
UTC = datetime.UTC


@dataclasses.dataclass(frozen=True)
class Cron:
    """The fields of a cron expression: numbers that match, and for days also a rule that depends on the month."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: t.Callable[[datetime.date], bool]


def problem_of(expression: str, timezone: str) -> str | None:
    """What is wrong with an expression or its time zone, as the end of a sentence."""
    if cron := CRON.fullmatch(expression):
        if _cron(cron[1]) is None:
            return f"schedule: expected {FORMS}, got '{expression}'"
    elif at := AT.fullmatch(expression):
        if _moment(at[1]) is None:
            return f"schedule: expected an existing date, got '{expression}'"
    elif not RATE.fullmatch(expression):
        return f"schedule: expected {FORMS}, got '{expression}'"
    if zone_of(timezone) is None and zone_of("Europe/London") is not None:  # without a database nobody knows
        return f"timezone: expected the name of a time zone such as Asia/Seoul, got '{timezone}'"
    return None


def zone_of(name: str) -> datetime.tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def next_run(
    expression: str, timezone: str, after: datetime.datetime, created: datetime.datetime
) -> datetime.datetime | None:
    """The first run after a moment; None if there is none, or none soon. A rate counts from `created`, its start."""
    zone = zone_of(timezone) or UTC
    if at := AT.fullmatch(expression):
        moment = _moment(at[1])
        once = moment and moment.replace(tzinfo=zone).astimezone(UTC)
        return once if once and once > after else None
    if rate := RATE.fullmatch(expression):
        period = datetime.timedelta(**{f"{rate[2]}s": int(rate[1])})
        passed = max(0, (after - created) // period + 1)
        return (created + passed * period).astimezone(UTC)
    cron = CRON.fullmatch(expression)
    fields = _cron(cron[1]) if cron else None
    return _next_of_cron(fields, zone, after) if fields else None


def _next_of_cron(cron: Cron, zone: datetime.tzinfo, after: datetime.datetime) -> datetime.datetime | None:
    first = after.astimezone(zone).date()
    for day in (first + datetime.timedelta(days=passed) for passed in range(HORIZON)):
        if day.month not in cron.months or day.year not in cron.years or not cron.is_day(day):
            continue
        for hour in sorted(cron.hours):
            for minute in sorted(cron.minutes):
                moment = datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                exact = moment.astimezone(UTC)
                # A time that the clock leaves out in spring is skipped; one that it repeats in autumn runs once.
                is_real = exact.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None)
                if exact > after and is_real:
                    return exact
    return None


def _moment(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None


def _cron(text: str) -> Cron | None:
    fields = text.upper().split()
    if (fields[DAY_OF_MONTH] == "?") == (fields[DAY_OF_WEEK] == "?"):
        return None
    names: list[t.Mapping[str, int]] = [{}, {}, {}, MONTHS, WEEKDAYS, {}]
    is_day = _day_of_month(fields[2]) if fields[DAY_OF_WEEK] == "?" else _day_of_week(fields[4])
    sets = [_numbers(fields[at], *RANGES[at], names[at]) for at in (0, 1, 3, 5)]
    if is_day is None or not all(sets):
        return None
    minutes, hours, months, years = (frozenset(one or ()) for one in sets)
    return Cron(minutes, hours, months, years, is_day)


def _numbers(field: str, least: int, most: int, names: t.Mapping[str, int]) -> set[int] | None:
    """The numbers of a list of values, ranges and increments; None where one is outside."""
    found: set[int] = set()
    for part in field.split(","):
        span, _slash, step = part.partition("/")
        if _slash and not (step.isdigit() and int(step)):
            return None
        first, dash, end = span.partition("-")
        low = least if span == "*" else _number(first, names)
        high = most if span == "*" or (_slash and not dash) else _number(end if dash else first, names)
        if low is None or high is None or not least <= low <= most or not least <= high <= most:
            return None
        # A range of weekdays such as FRI-MON goes over the end.
        span_of = range(low, high + 1) if low <= high else [*range(low, most + 1), *range(least, high + 1)]
        found |= set(list(span_of)[:: int(step or 1)])
    return found


def _number(text: str, names: t.Mapping[str, int]) -> int | None:
    return int(text) if text.isdigit() else names.get(text)


def _day_of_month(field: str) -> t.Callable[[datetime.date], bool] | None:
    """L is the last day, LW the last weekday, 15W the weekday that is nearest to the 15th."""
    if field == "L":
        return lambda day: day.day == _last_day(day)
    if field == "LW":
        return lambda day: day.day == _nearest_weekday(day, _last_day(day))
    if match := re.fullmatch(r"([1-9]|[12]\d|3[01])W", field):
        return lambda day: int(match[1]) <= _last_day(day) and day.day == _nearest_weekday(day, int(match[1]))
    numbers = _numbers(field, *RANGES[DAY_OF_MONTH], {})
    return (lambda day: day.day in numbers) if numbers else None


def _day_of_week(field: str) -> t.Callable[[datetime.date], bool] | None:
    """6L is the last Friday of the month, 6#3 the third one."""
    if field == "L":
        field = "7"
    if match := re.fullmatch(r"(\w+?)(?:L|#([1-5]))", field):
        weekday = _number(match[1], WEEKDAYS)
        if weekday is None or not 1 <= weekday <= 7:
            return None
        nth = int(match[2] or 0)
        return lambda day: (
            _weekday(day) == weekday and ((day.day - 1) // 7 + 1 == nth if nth else day.day + 7 > _last_day(day))
        )
    numbers = _numbers(field, *RANGES[DAY_OF_WEEK], WEEKDAYS)
    return (lambda day: _weekday(day) in numbers) if numbers else None


def _weekday(day: datetime.date) -> int:
    return day.isoweekday() % 7 + 1


def _last_day(day: datetime.date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: datetime.date, number: int) -> int:
    """The weekday nearest to a day of the month, in the same month."""
    weekday = day.replace(day=number).isoweekday()
    if weekday == 6:
        return number - 1 if number > 1 else number + 2
    if weekday == 7:
        return number + 1 if number < _last_day(day) else number - 2
    return number
