# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a project: acquired by creating the record of the next release, renewed while that runs."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import threading
import typing as t
from collections.abc import Callable

from ..._core.error_codes import CONFLICT, LOCK_LOST, RELEASE_IN_PROGRESS, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.history import EXPIRED, RENEWED, Entry, Record, decoded, encoded, holder, surplus, words
from ..._core.history_api import History, Listing, read_history, read_some
from ..._core.names import release_path
from ..._core.tags import Tags
from ..._core.types import Client
from ..._core.waiting import FIRST_PAUSE, Clock, leave_stopping_to_main_thread, poll, postponed
from . import api
from .process_flow import is_dead

# Seconds for which the last check holds, so that services that start together share one.
_FRESH = 5.0
# Seconds until a run that has lost the lock by force has noticed, and has made the calls that it had begun.
_TAKEOVER = _FRESH + 2
# For so long nobody can have taken over but by force, even if the check itself fails.
_SAFE = EXPIRED - 2 * RENEWED
# A release that was written less than so many seconds before a read may not be in its answers yet.
_SETTLING = 5.0


class Lock:
    """A lock that this run holds until `complete` or `withdraw`, unless another run takes over.

    `stale`: the services may have changed since the caller read them.
    """

    def __init__(self, ssm: Client, project: str, number: int, record: Record, tags: Tags) -> None:
        self.number, self.record, self.stale = number, record, False
        self.earlier: list[Entry] = []
        # The running release from which this one took the lock by force.
        self.former: Entry | None = None
        self._ssm, self._path, self._tags = ssm, release_path(project), tags
        self._name = f"{self._path}{number}"
        self._value, self._parts = encoded(record)
        self._lost = False
        # The release of the run that has taken over.
        self._by = ""
        self._writing = threading.Lock()
        self._checked = datetime.datetime.now(datetime.UTC)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def create(self) -> bool:
        """Create the record. Returns whether this run did; then it holds the lock."""
        try:
            api.create(self._ssm, self._name, self._value, self._tags)
        except SlipwayError as error:
            if error.code != CONFLICT or not self._is_ours():
                if error.code == CONFLICT:
                    return False
                raise
        self._thread.start()
        self._write_parts()
        return True

    def guard(self) -> None:
        """Fail if another run has taken over. Called before each change."""
        age = (datetime.datetime.now(datetime.UTC) - self._checked).total_seconds()
        if not self._lost and not 0 <= age <= _FRESH:
            try:
                self._check()
            except SlipwayError:
                if not 0 <= age <= _SAFE:
                    raise
        if self._lost:
            raise SlipwayError(
                LOCK_LOST,
                f"Another run took over while release {self.number} was in progress: {self._by}. This run makes no"
                " further changes.",
                {"release_number": self.number},
            )

    def write(self, record: Record) -> None:
        """Replace the record. Its value is the last to change, so that it never names missing parts."""
        with self._writing:
            former = self._parts
            self.record = record
            self._value, self._parts = encoded(record)
            self._write_parts()
            api.overwrite(self._ssm, self._name, self._value)
        api.delete(self._ssm, [f"{self._name}/{part}" for part in former if part not in self._parts])

    def complete(self, record: Record, keep: int, names: t.Mapping[int, t.Sequence[str]]) -> None:
        """Write how the release ended, which releases the lock, and delete the oldest records."""
        self._stop()
        if self._lost:
            return
        self.write(record)
        api.delete(self._ssm, surplus({**names, self.number: []}, self.number, keep))

    def withdraw(self) -> None:
        """Release the lock without a record, because nothing was changed."""
        self._stop()
        api.delete(self._ssm, [*(f"{self._name}/{part}" for part in self._parts), self._name])

    def abandon(self) -> None:
        """Stop renewing, and leave the record as it is: AWS cannot be reached."""
        self._ended.set()

    def _stop(self) -> None:
        self._ended.set()
        # A renewal that is written later would undo what is written next.
        if self._thread.is_alive():
            self._thread.join()

    def _is_ours(self) -> bool:
        """Whether an earlier attempt, whose answer was lost, created the parameter."""
        found = read_some(self._ssm, [self._name]).stored.get(self._name)
        return found is not None and found.value == self._value

    def _write_parts(self) -> None:
        for part, value in self._parts.items():
            try:
                api.create(self._ssm, f"{self._name}/{part}", value, self._tags)
            except SlipwayError as error:
                # The name follows from the content.
                if error.code != CONFLICT:
                    raise

    def _check(self) -> None:
        """Whoever takes over creates the record of the next number."""
        found = read_some(self._ssm, [f"{self._path}{self.number + 1}"]).stored
        self._lost = bool(found)
        for entry in decoded(found, self._path)[0]:
            self._by = words(entry.number, entry.record)
        if not self._lost:
            self._checked = datetime.datetime.now(datetime.UTC)

    def _renew(self) -> None:
        leave_stopping_to_main_thread()
        while not self._lost and not self._ended.wait(RENEWED):
            try:
                self._check()
                with self._writing:
                    if not self._lost:
                        api.overwrite(self._ssm, self._name, self._value)
            except SlipwayError:
                # The next change checks again.
                continue


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What a run needs to acquire a lock. `since` is when it began to read services, on the monotonic clock."""

    project: str
    tags: Tags
    timeout: float
    force: bool
    since: float
    say: Callable[[str], None]


def acquire(ssm: Client, request: Request, new: Callable[[list[Entry]], Record], clock: Clock) -> tuple[Lock, History]:
    """Acquire the lock with a `new` record. Waits while another release holds it, at most for `timeout` seconds."""
    end = clock.now() + request.timeout
    waited = False
    while True:
        history = read_history(ssm, request.project)
        current = current_holder(history)
        if current and not request.force:
            if not waited:
                request.say(f"Waiting up to {request.timeout:g} s for {words(current.number, current.record)}")
            waited = True
            _wait(ssm, request, current, max(0.0, end - clock.now()), clock)
            continue
        lock = Lock(ssm, request.project, history.newest + 1, new(history.entries), request.tags)
        if _create(lock):
            lock.former = current
            lock.stale = waited or bool(current) or _is_recent(history, clock.now() - request.since)
            lock.earlier = history.entries
            return lock, history
        waited = True
        clock.sleep(FIRST_PAUSE)


def let_notice(former: Entry, say: Callable[[str], None], clock: Clock) -> None:
    """Wait until the run that had the lock has checked it, so that both never change services at the same time."""
    say(f"Taking over from {words(former.number, former.record)}. Waiting {_TAKEOVER:g} s until that run notices")
    clock.sleep(_TAKEOVER)


def _create(lock: Lock) -> bool:
    """Create the record. A signal that stops the run waits for the answer, so that the lock does not stay."""
    received: list[int] = []
    with postponed(received):
        created = lock.create()
    if received:
        if created:
            with contextlib.suppress(SlipwayError):
                lock.withdraw()
        raise KeyboardInterrupt
    return created


def current_holder(history: History) -> Entry | None:
    """The release that holds the lock; None if it is free, or if its run was killed."""
    return _live(holder(history.entries, history.now))


def _live(entry: Entry | None) -> Entry | None:
    return None if entry is None or is_dead(entry.record.process) else entry


def _is_recent(history: History, elapsed: float) -> bool:
    """Whether the newest release was written since the caller read services, `elapsed` seconds ago, or just before."""
    if not history.entries:
        return False
    return (history.now - history.entries[-1].modified).total_seconds() <= elapsed + _SETTLING


def _wait(ssm: Client, request: Request, current: Entry, timeout: float, clock: Clock) -> None:
    """Wait until a release has ended, is no longer renewed, or was taken over."""
    path = release_path(request.project)
    names = [f"{path}{current.number}", f"{path}{current.number + 1}"]

    def is_free(listing: Listing) -> bool:
        entries = decoded(listing.stored, path)[0]
        now_holding = _live(holder(entries, listing.now))
        return now_holding is None or now_holding.number != current.number

    text = words(current.number, current.record)
    try:
        poll(lambda: read_some(ssm, names), is_free, timeout=timeout, waiting_for=text, clock=clock)
    except SlipwayError as error:
        if error.code != TIMEOUT:
            raise
        details = {"id": current.record.id, "started": current.record.started, "by": current.record.by}
        raise SlipwayError(
            RELEASE_IN_PROGRESS,
            f"Another release of the project {request.project} is in progress: {text}. Timed out after"
            f" {request.timeout:g} s waiting for it. Wait until it ends, then rerun. If its run was killed on another"
            f" machine, its lock expires {EXPIRED:g} s after its last renewal; to take over at once, set force=true"
            " (in the role: ecs_app_force).",
            {"release": {"number": current.number, "host": current.record.host, **details}},
        ) from error
