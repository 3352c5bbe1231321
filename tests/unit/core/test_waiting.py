# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import WAITING_FILE, Clock, poll


class FakeTime:
    def __init__(self) -> None:
        self.pauses: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: sum(self.pauses), sleep=self.pauses.append)


def test_what_is_done_is_not_waited_for() -> None:
    time = FakeTime()
    assert poll(lambda: 7, lambda state: state == 7, timeout=10, waiting_for="seven", clock=time.clock) == 7
    assert time.pauses == []


def test_pauses_are_short_at_first_and_then_settle() -> None:
    time, states = FakeTime(), itertools.count()
    assert poll(lambda: next(states), lambda state: state == 6, timeout=60, waiting_for="six", clock=time.clock) == 6
    assert time.pauses == [0.25, 0.5, 1, 1.5, 1.5, 1.5]


def test_a_timeout_says_what_was_waited_for_and_the_last_state() -> None:
    time = FakeTime()
    with pytest.raises(SlipwayError) as raised:
        poll(
            lambda: "PENDING",
            lambda state: False,
            timeout=3,
            waiting_for="the cluster to be ready",
            describe=lambda state: {"status": state},
            clock=time.clock,
        )
    assert raised.value.result() == {
        "code": "timeout",
        "msg": "Timed out after 3 s waiting for the cluster to be ready.",
        "status": "PENDING",
    }
    assert sum(time.pauses) == 3


def test_what_is_waited_for_is_said_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time, path = FakeTime(), tmp_path / "lines"
    monkeypatch.setenv(WAITING_FILE, str(path))
    states = itertools.count()
    poll(lambda: next(states), lambda state: state == 3, timeout=60, waiting_for="three", clock=time.clock)
    assert not path.exists()
    with pytest.raises(SlipwayError):
        poll(
            lambda: "PENDING", lambda _: False, timeout=70, waiting_for=lambda state: f"it ({state})", clock=time.clock
        )
    lines = [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in path.read_text().splitlines()]
    assert lines == [f"Waiting for it (PENDING): {seconds} s of up to 70 s." for seconds in (3, 11, 30, 60)]


def test_a_file_that_cannot_be_written_disturbs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WAITING_FILE, str(tmp_path / "missing" / "lines"))
    states = itertools.count()
    assert poll(lambda: next(states), lambda s: s == 9, timeout=60, waiting_for="nine", clock=FakeTime().clock) == 9
