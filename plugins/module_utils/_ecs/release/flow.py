# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_release does: plan all, register all, bring all to their goals, or take all back."""

from __future__ import annotations

import datetime
import getpass
import signal
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ..._core.calls import CONNECTIONS
from ..._core.error_codes import (
    INTERRUPTED,
    INVALID_OPTION,
    NO_CONNECTION,
)
from ..._core.errors import SlipwayError
from ..._core.progress import Progress
from ..._core.types import Connection, Result
from ..._core.waiting import leave_stopping_to_main_thread
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.observe import RolloutReader
from ..service.read_flow import request_shapes
from ..target_group.model import changed
from .checkpoint import Run, at, release_id
from .checkpoint_flow import clear_checkpoints, note_state
from .in_progress import refuse_other_release
from .options_flow import parts_of, target_groups_of
from .order import depth
from .plan_flow import plan_parts, plan_target_groups, read_parts
from .register_flow import _register
from .report import (
    NOTHING_CHANGED,
    _ended,
    summary,
    unfinished,
)
from .result import result_of
from .rollback_flow import roll_back
from .rollouts import NotMonitored, RolloutGroup
from .start_flow import _forward
from .state import Release
from .tag_limit import refuse_too_many_tags
from .unfinished_flow import _roll_back_unfinished


def run(connection: Connection) -> Result:
    """The flow of ecs_release."""
    params = connection.params
    check_cluster(params["cluster"])
    if not 1 <= params["parallel"] <= CONNECTIONS:
        raise SlipwayError(INVALID_OPTION, f"parallel: expected 1 to {CONNECTIONS}, got {params['parallel']}.")
    if not params["services"] and not params["rollback"]:
        raise SlipwayError(INVALID_OPTION, "services: expected one service or more, got none.")
    cloud = Cloud(connection.client)
    shapes = request_shapes(cloud.ecs)
    parts = parts_of(connection, cloud.ecs, shapes)
    progress = Progress(params["progress"])
    pool = ThreadPoolExecutor(params["parallel"], initializer=leave_stopping_to_main_thread)
    timeout = float(params["wait_timeout"])
    rollout_group = RolloutGroup(cloud, params["cluster"], pool, progress, timeout)
    release = Release(cloud, params["cluster"], shapes, pool, progress, rollout_group, timeout, parts)
    # Those who stop a run should be told where they stand, whichever way they stop it.
    stopped = signal.signal(signal.SIGTERM, _stop)
    try:
        return _roll_back_unfinished(release, connection) if params["rollback"] else _release(release, connection)
    except KeyboardInterrupt:
        raise _stopped(release, SlipwayError(INTERRUPTED, "Interrupted.")) from None
    except NotMonitored as error:
        raise _stopped(release, error.cause) from error
    except SlipwayError as error:
        if release.touched or error.code == INVALID_OPTION or NOTHING_CHANGED in error.msg:
            raise
        raise SlipwayError(error.code, f"{error.msg} {NOTHING_CHANGED}", error.details) from error
    finally:
        signal.signal(signal.SIGTERM, stopped)
        pool.shutdown(wait=False, cancel_futures=True)


def _stop(_number: int, _frame: t.Any) -> t.NoReturn:
    raise KeyboardInterrupt(INTERRUPTED)


def _stopped(release: Release, cause: SlipwayError) -> SlipwayError:
    """Where a release stands that goes no further. Its checkpoints say that it is not under way any more."""
    stop = unfinished(cause, release)
    # Without a connection each try would take minutes.
    if release.touched and cause.code != NO_CONNECTION:
        note_state(release, [part for part in release.parts if part.before], "interrupted")
    return stop


def _release(release: Release, connection: Connection) -> Result:
    parts, check_mode = release.parts, connection.check_mode
    params, now = connection.params, datetime.datetime.now(datetime.UTC)
    groups = target_groups_of(connection)
    own = release_id(release.cluster, [params["services"], groups] if groups else params["services"])
    read_parts(release.pool, release.cloud, release.cluster, parts, check_mode)
    plan_parts(release.pool, release.cloud, parts, release.shapes, check_mode)
    plan_target_groups(release.pool, release.cloud, parts, groups)
    if not params["force"]:
        refuse_other_release(parts, own, at(now))
    refuse_too_many_tags(parts, Run(own))
    if check_mode:
        _register(release, check_mode=True)
        return result_of(release, check_mode=True)
    if any(part.changed for part in parts):
        RolloutReader(release.cloud, release.cluster, "").require_tasks_readable()
    release.progress.say(summary(release))
    _register(release, check_mode=False)
    rollback = params["on_failure"] == "rollback"
    release.run = _run(release, own, now, rollback)
    for part in parts:
        part.rollout = _forward(release, part)
    rollouts = [part.rollout for part in parts if part.rollout]
    release.touched = release.touched or bool(rollouts)
    release.rollout_group.run(rollouts, halt=rollback)
    errors = [rollout.error for rollout in rollouts if rollout.error]
    if errors and rollback:
        roll_back(release, [part for part in parts if part.before])
    else:
        clear_checkpoints(release, parts, complete=True)
    return _ended(release, errors)


def _run(release: Release, own: str, now: datetime.datetime, rollback: bool) -> Run:
    """The release as its checkpoints name it. It ends when the last service has had its time, the way back included."""
    levels = depth({part.name: part.after for part in release.parts})
    seconds = release.timeout * levels * (2 if rollback else 1)
    count = sum(part.plan.changed or part.before is not None or bool(changed(part.groups)) for part in release.parts)
    until = at(now + datetime.timedelta(seconds=seconds))
    return Run(own, count, at(now), until, f"{_user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container may have no name
        return "unknown"
