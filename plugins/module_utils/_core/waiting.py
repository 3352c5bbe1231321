# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Polls for a condition: often at first, then less often, on a clock that tests can replace."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import datetime
import os
import signal
import threading
import time
import typing as t

from .error_codes import INTERRUPTED, TIMEOUT
from .errors import SlipwayError

S = t.TypeVar("S")
FIRST_PAUSE = 0.25
# With the calls of a read, a change is noticed within two seconds.
LONGEST_PAUSE = 1.5
# The environment variable that names the file for lines about what is waited for, which the module's action shows.
WAITING_FILE = "SLIPWAY_WAITING_FILE"
# Seconds after which a line says that something still takes time; after the last of them one says so each minute.
LINES = (3.0, 10.0, 30.0, 60.0)


@dataclasses.dataclass(frozen=True)
class Clock:
    now: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep


# Of the current thread.
_clock: contextvars.ContextVar[Clock] = contextvars.ContextVar("clock", default=Clock())  # noqa: B039  # it is frozen


def leave_stopping_to_main_thread() -> None:
    """To be called first in every other thread.

    The kernel hands a signal to any thread, Python acts on it in the main one, which may wait meanwhile.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


def work_until(ended: threading.Event) -> None:
    """To be called first in a thread whose polls end with the run: a process waits for all of its threads."""
    leave_stopping_to_main_thread()

    def sleep(seconds: float) -> None:
        if ended.wait(seconds):
            raise SlipwayError(INTERRUPTED, "Interrupted.")

    _clock.set(Clock(sleep=sleep))


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Within it, SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(_number: int, _frame: t.Any) -> t.NoReturn:
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


@contextlib.contextmanager
def postponed(received: list[int]) -> t.Iterator[None]:
    """Within it, signals that stop the run are only added to `received`, so that the answer of a call is not lost."""
    if threading.current_thread() is not threading.main_thread():  # it receives no signals
        yield
        return

    def keep(number: int, _frame: t.Any) -> None:
        received.append(number)

    handlers = {number: signal.signal(number, keep) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def next_line(elapsed: float) -> float:
    """The seconds after which the next line is due."""
    later = (seconds for seconds in LINES if seconds > elapsed)
    return next(later, (elapsed // LINES[-1] + 1) * LINES[-1])


def poll(
    observe: t.Callable[[], S],
    done: t.Callable[[S], bool],
    *,
    timeout: float,
    waiting_for: str | t.Callable[[S], str],
    describe: t.Callable[[S], t.Mapping[str, t.Any]] | None = None,
    clock: Clock | None = None,
) -> S:
    """Observe until `done`; return the state that was. `done` may raise a SlipwayError to fail.

    A SlipwayError with code `timeout` says what was `waiting_for`, which may depend on the state, with
    `describe(last state)` as details. Meanwhile lines say the same.
    """
    clock = clock or _clock.get()
    start = clock.now()
    end, due = start + timeout, start + next_line(0)
    pause = FIRST_PAUSE
    while not done(state := observe()):
        left = end - clock.now()
        what = waiting_for if isinstance(waiting_for, str) else waiting_for(state)
        if left <= 0:
            details = describe(state) if describe else {}
            raise SlipwayError(TIMEOUT, f"Timed out after {timeout:g} s waiting for {what}.", details)
        if (now := clock.now()) >= due:
            due = start + next_line(now - start)
            say(f"Waiting for {what}: {now - start:.0f} s of up to {timeout:g} s.")
        clock.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
    return state


def say_waiting(what: str, start: float, due: float, now: float) -> float:
    """Say what is waited for since `start` if a line is due. Returns when the next one is."""
    if now < due:
        return due
    say(f"Waiting for {what}: {now - start:.0f} s.")
    return start + next_line(now - start)


def say(line: str) -> None:
    """Add lines to the file that the module's action follows, with the time of day."""
    show(f"{datetime.datetime.now():%H:%M:%S}  {one}" for one in line.splitlines())


def show(lines: t.Iterable[str]) -> None:
    """Add lines to the file that the module's action follows. Without it, or without space, the work continues."""
    path = os.environ.get(WAITING_FILE)
    if path:
        with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as file:
            file.write("".join(f"{one}\n" for one in lines))
