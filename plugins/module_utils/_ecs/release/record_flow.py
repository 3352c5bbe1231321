# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold the lock of the project during a release, and record the release in the history."""

from __future__ import annotations

import contextlib
import datetime
import functools
import getpass
import socket
import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..._core.error_codes import INVALID_OPTION, MULTIPLE_ERRORS, NO_CONNECTION
from ..._core.errors import SlipwayError
from ..._core.history import EXPIRED, FEWEST_KEPT, Entry, Record
from ..._core.names import last
from ..._core.tags import PROJECT, as_text
from ..._core.types import Connection, Json
from ..history import api as history_api
from ..history.lock_flow import Lock, Request, acquire, let_notice
from ..history.process_flow import this_process
from .checkpoint import timestamp
from .checkpoint_flow import interruption_written
from .in_progress import runs_of
from .record import (
    Intent,
    changing,
    ended_runs,
    outcome_of,
    resumed,
    runs_after,
    runs_before,
    services_after,
    services_before,
)
from .rollouts import NotMonitored, RunningRelease
from .versions_flow import versions


def check_options(params: t.Mapping[str, t.Any]) -> None:
    if params["keep_releases"] < FEWEST_KEPT:
        message = f"keep_releases: expected {FEWEST_KEPT} or more, got {params['keep_releases']}."
        raise SlipwayError(INVALID_OPTION, message)
    if params["lock_timeout"] < 0:
        raise SlipwayError(INVALID_OPTION, f"lock_timeout: expected 0 or more, got {params['lock_timeout']}.")


@contextlib.contextmanager
def recorded(
    release: RunningRelease, connection: Connection, intent: Intent, replan: Callable[[], None]
) -> Iterator[None]:
    """Hold the lock of the project, if one is given, and record what the release does.

    `replan` reads and plans again where another release may have changed the services since. A release that changes
    nothing, then or already before, needs no lock and leaves no record.
    """
    if not connection.params["project"] or not changing(release.services):
        with interruption_written(release):
            yield
        return
    lock, names = _acquire(release, connection, intent)
    release.group.guard = lock.guard
    release.conclude = functools.partial(_conclude, release, lock)
    failure: BaseException | None = None
    try:
        if lock.former:
            let_notice(lock.former, release.progress.say, release.group.clock)
        if lock.stale:
            replan()
        _begin(release, lock)
        with interruption_written(release):
            yield
    except BaseException as error:
        failure = error
        raise
    finally:
        _end(release, connection, lock, names, failure)


def _acquire(
    release: RunningRelease, connection: Connection, intent: Intent
) -> tuple[Lock, t.Mapping[int, t.Sequence[str]]]:
    params, cloud = connection.params, release.cloud
    request = Request(
        project=params["project"],
        tags={**as_text(params["record_tags"] or {}), PROJECT: params["project"]},
        timeout=params["lock_timeout"],
        force=params["force"],
        since=release.began,
        say=release.progress.say,
    )
    record = Record(
        id=intent.id,
        run=f"{timestamp(_now())} {this_process()}",
        action=intent.action,
        to=intent.to,
        cluster=last(release.cluster),
        started=timestamp(_now()),
        by=history_api.caller(cloud.sts),
        host=user_and_host(),
        process=this_process(),
        revision=intent.revision if intent.action == "rollback" else params["revision"] or "",
        promoted_from={} if intent.action == "rollback" else dict(params["promoted_from"] or {}),
    )

    def new(entries: list[Entry]) -> Record:
        runs = [run.id for run in runs_of(release.services)]
        return replace(record, started=timestamp(_now()), resumes=resumed(entries, intent, runs))

    lock, history = acquire(cloud.ssm, request, new, release.group.clock)
    release.ended_runs = frozenset(ended_runs(history.entries))
    return lock, history.names


def _begin(release: RunningRelease, lock: Lock) -> None:
    """Record which services the release is about to change, before the first of them is touched."""
    services = changing(release.services)
    known = versions(release, {service.name: runs_before(service) for service in services})
    lock.write(replace(lock.record, services=services_before(services, known)))
    release.number = lock.number


def _conclude(release: RunningRelease, lock: Lock) -> None:
    """Record how the release ends as long as its checkpoints stand.

    If the run is killed when they are removed, nothing is left that a rerun could record.
    """
    record = _ended(release, lock, None, None)
    release.concluded = record.outcome
    with contextlib.suppress(SlipwayError):  # the end of the release reports it
        lock.write(replace(record, outcome=lock.record.outcome, concluded=record.outcome))


def _end(
    release: RunningRelease,
    connection: Connection,
    lock: Lock,
    names: t.Mapping[int, t.Sequence[str]],
    failure: BaseException | None,
) -> None:
    """Record how the release ended. A failure to do so is a warning, as the release itself has ended."""
    cause = failure.cause if isinstance(failure, NotMonitored) else failure
    killed = failure is not None and not isinstance(failure, (Exception, KeyboardInterrupt))
    if killed or (isinstance(cause, SlipwayError) and cause.code == NO_CONNECTION):
        lock.abandon()
        return
    try:
        if not lock.record.services or (failure and not release.touched):
            lock.withdraw()
            release.number = None
            return
        lock.complete(_ended(release, lock, failure, cause), connection.params["keep_releases"], names)
    except SlipwayError as error:
        shown = release.concluded or "unfinished"
        text = f"The record of release {lock.number} could not be completed, so the history shows it as in progress"
        text += f" for up to {EXPIRED:g} s, then as {shown.replace('_', ' ')}"
        release.warnings.append(f"{text}: {error.msg}")


def _ended(release: RunningRelease, lock: Lock, failure: BaseException | None, cause: BaseException | None) -> Record:
    record, now = lock.record, _now()
    stopped = isinstance(failure, (KeyboardInterrupt, NotMonitored))
    began = datetime.datetime.fromisoformat(record.started)
    return replace(
        record,
        ended=timestamp(now),
        seconds=round((now - began).total_seconds(), 1),
        outcome=release.concluded
        or outcome_of(release.services, stopped=stopped, failed=bool(failure or release.errors)),
        concluded="",
        code=cause.code if isinstance(cause, SlipwayError) else _code_of(release.errors),
        services=record.services if release.concluded else _services(release, record),
    )


def _services(release: RunningRelease, record: Record) -> dict[str, Json]:
    services = [service for service in release.services if service.name in (record.services or {})]
    known = versions(release, {service.name: runs_after(service) for service in services})
    return services_after(record.services or {}, services, known)


def _code_of(errors: Sequence[SlipwayError]) -> str:
    codes = {error.code for error in errors}
    return MULTIPLE_ERRORS if len(codes) > 1 else next(iter(codes), "")


def user_and_host() -> str:
    return f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container may have no name
        return "unknown"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
