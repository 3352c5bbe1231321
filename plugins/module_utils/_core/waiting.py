# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for a condition: quick at first, then settled, on a clock that tests can replace."""

from __future__ import annotations

import dataclasses
import signal
import time
import typing as t

from .errors import TIMEOUT, SlipwayError

S = t.TypeVar("S")
FIRST_PAUSE = 0.25
# So that, with the calls of a look, what is done is noticed within two seconds.
LONGEST_PAUSE = 1.5


@dataclasses.dataclass(frozen=True)
class Clock:
    now: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep


def leave_stopping_to_main_thread() -> None:
    """To be called first in every other thread.

    The kernel hands a signal to any thread, Python acts on it in the main one, which may wait meanwhile.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


def poll(
    observe: t.Callable[[], S],
    done: t.Callable[[S], bool],
    *,
    timeout: float,
    waiting_for: str,
    describe: t.Callable[[S], t.Mapping[str, t.Any]] | None = None,
    clock: Clock | None = None,
) -> S:
    """Observe until `done`; return the state that was. `done` may raise a SlipwayError to give up.

    A SlipwayError with code `timeout` says what was `waiting_for`, with `describe(last state)` as details.
    """
    clock = clock or Clock()
    end = clock.now() + timeout
    pause = FIRST_PAUSE
    while not done(state := observe()):
        left = end - clock.now()
        if left <= 0:
            details = describe(state) if describe else {}
            raise SlipwayError(TIMEOUT, f"Gave up after {timeout:g} s waiting for {waiting_for}.", details)
        clock.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
    return state
