# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A signal that comes while a line is shown."""

from __future__ import annotations

import signal
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.follower import Follower


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_line_that_is_being_shown(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "progress"
    shown: list[str] = []
    begun, signalled = threading.Event(), threading.Event()

    def show(line: str) -> None:
        begun.set()
        signalled.wait(10)
        shown.append(line.strip())

    def stop(_number: int, _frame: t.Any) -> None:
        shown.append("stopped")

    before = signal.signal(number, stop)
    try:
        with Follower(path, show):
            path.write_text("api  1/1 running\n")
            assert begun.wait(10)
            # The line ends only after the signal has come.
            threading.Timer(0.1, signalled.set).start()
            signal.raise_signal(number)
        assert shown == ["api  1/1 running", "stopped"]
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
