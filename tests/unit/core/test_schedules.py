# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a schedule runs: by the examples of AWS's guide, in time zones, and over the change of clocks."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.schedules import next_run, problem_of

UTC = datetime.UTC
# A Thursday.
NOW = datetime.datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def runs(expression: str, timezone: str = "UTC", after: datetime.datetime = NOW, number: int = 1) -> list[str]:
    found = []
    for _run in range(number):
        moment = next_run(expression, timezone, after, NOW)
        if moment is None:
            break
        found.append(f"{moment:%Y-%m-%d %H:%M}")
        after = moment
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 22 * * ? *)", ["2026-01-01 22:00", "2026-01-02 22:00"]),
        ("cron(0/30 20-22,1 * * ? *)", ["2026-01-01 20:00", "2026-01-01 20:30"]),
        ("cron(15 12 * * ? *)", ["2026-01-01 12:15", "2026-01-02 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 0 ? * fri-mon *)", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00", "2026-01-05 00:00"]),
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        # The 1st of August 2026 is a Saturday, and no weekday before it is in August.
        ("cron(0 0 1W 8 ? *)", ["2026-08-03 00:00"]),
        ("cron(0 0 ? * 6L 2026)", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("cron(0 0 ? * TUE#1 *)", ["2026-01-06 00:00", "2026-02-03 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00"]),
        ("cron(0 10 1/10 FEB ? 2027-2028)", ["2027-02-01 10:00", "2027-02-11 10:00"]),
        ("rate(1 hour)", ["2026-01-01 13:00", "2026-01-01 14:00"]),
        ("rate(5 days)", ["2026-01-06 12:00", "2026-01-11 12:00"]),
        ("at(2026-12-24T18:00:00)", ["2026-12-24 18:00"]),
        ("at(2025-12-24T18:00:00)", []),
        ("cron(0 0 ? * * 2020)", []),
    ],
)
def test_the_next_runs(expression: str, expected: list[str]) -> None:
    assert problem_of(expression, "UTC") is None
    assert runs(expression, number=max(1, len(expected))) == expected


def test_a_time_is_that_of_its_zone() -> None:
    assert runs("cron(0 22 * * ? *)", "Asia/Seoul") == ["2026-01-01 13:00"]
    assert runs("at(2026-07-01T09:00:00)", "Europe/Berlin") == ["2026-07-01 07:00"]


def test_a_time_that_the_clock_leaves_out_is_skipped_and_one_that_it_repeats_runs_once() -> None:
    spring = datetime.datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert runs("cron(30 2 * * ? *)", "Europe/Berlin", spring) == ["2026-03-30 00:30"]
    autumn = datetime.datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert runs("cron(30 2 * * ? *)", "Europe/Berlin", autumn, 2) == ["2026-10-25 00:30", "2026-10-26 01:30"]


# The first ones real AWS refuses with "Invalid Schedule Expression", as LocalStack's recorded answers show.
@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 1 * * * *)",
        "cron(7 20 * * NOT *)",
        "cron(INVALID)",
        "cron(0 dummy ? * MON-FRI *)",
        "cron(71 8 1 * ? *)",
        "cron()",
        "rate(10 seconds)",
        "rate(10 years)",
        "rate()",
        "rate(10)",
        "rate(10 minutess)",
        "rate(foo minutes)",
        "rate(-10 minutes)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "at(2021-12-31T23:59:59Z)",
        "at(2021-12-31)",
        "at(2021-13-31T10:00:00)",
        "rate(0 minutes)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0/0 0 1 * ? *)",
        "cron(0 0 ? * 8L *)",
        "0 22 * * *",
    ],
)
def test_what_aws_refuses_is_refused(expression: str) -> None:
    problem = problem_of(expression, "UTC")
    assert problem is not None
    assert expression in problem


def test_a_time_zone_has_to_exist() -> None:
    assert problem_of("rate(1 hour)", "Asia/Seoul") is None
    assert "got 'Seoul'" in str(problem_of("rate(1 hour)", "Seoul"))


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"]),
    after=st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2060, 1, 1), timezones=st.just(UTC)),
)
def test_a_daily_run_is_within_two_days_and_at_its_time(
    minute: int, hour: int, zone: str, after: datetime.datetime
) -> None:
    import zoneinfo

    found = next_run(f"cron({minute} {hour} * * ? *)", zone, after, after)
    assert found is not None
    assert after < found <= after + datetime.timedelta(hours=49)
    local = found.astimezone(zoneinfo.ZoneInfo(zone))
    assert (local.hour, local.minute, local.second) == (hour, minute, 0)
