# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_release: plan everything, register task definitions, roll out, and roll back if that fails."""

from __future__ import annotations

import datetime
import threading
import typing as t
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..._core.calls import CONNECTIONS
from ..._core.error_codes import INTERRUPTED, INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.progress import Progress
from ..._core.types import Connection, Result
from ..._core.waiting import interruptible, work_until
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.observe import RolloutReader
from ..rollout.verdict import sentence
from ..service.members import Options
from ..service.read_flow import request_shapes
from .checkpoint import Run, release_id, timestamp
from .checkpoint_flow import clear_checkpoints
from .in_progress import refuse_other_release
from .options_flow import services_of, target_groups_of
from .order import depth
from .plan_flow import plan_services, plan_target_groups, read_services
from .record import Intent
from .record_flow import check_options, recorded, user_and_host
from .register_flow import register
from .report import NOTHING_CHANGED, ended, stopped, summary
from .result import result_of
from .rollback_flow import roll_back
from .rollouts import NotMonitored, RolloutGroup, RunningRelease
from .start_flow import new_rollout
from .state import ServiceRelease
from .tag_limit import refuse_too_many_tags
from .target_flow import roll_back_to
from .tasks_flow import run_post_deploy, run_pre_deploy
from .tasks_options_flow import tasks_of
from .unfinished_flow import roll_back_unfinished
from .verify_flow import checks_of, run_verification


def run(connection: Connection) -> Result:
    """The flow of ecs_release. An interrupted run reports the state of its services, whichever signal stops it."""
    _check(connection.params)
    release = _prepared(connection)
    with interruptible():
        try:
            return _act(release, connection)
        except KeyboardInterrupt:
            raise stopped(SlipwayError(INTERRUPTED, "Interrupted."), release) from None
        except NotMonitored as error:
            raise stopped(error.cause, release) from error
        except SlipwayError as error:
            if release.touched or error.code == INVALID_OPTION or NOTHING_CHANGED in error.msg:
                raise
            raise SlipwayError(error.code, f"{sentence(error.msg)} {NOTHING_CHANGED}", error.details) from error
        finally:
            release.group.end()


def _act(release: RunningRelease, connection: Connection) -> Result:
    params = connection.params
    if params["rollback_to"]:
        return roll_back_to(release, connection, _release)
    return roll_back_unfinished(release, connection) if params["rollback"] else _release(release, connection)


def _check(params: t.Mapping[str, t.Any]) -> None:
    check_cluster(params["cluster"])
    if not 1 <= params["parallel"] <= CONNECTIONS:
        raise SlipwayError(INVALID_OPTION, f"parallel: expected 1 to {CONNECTIONS}, got {params['parallel']}.")
    if not params["services"] and not params["rollback"] and not params["rollback_to"]:
        raise SlipwayError(INVALID_OPTION, "services: expected at least one service, got none.")
    check_options(params)


def _prepared(connection: Connection) -> RunningRelease:
    params = connection.params
    cloud = Cloud(connection.client)
    shapes = request_shapes(cloud.ecs)
    services = services_of(connection, cloud.ecs, shapes)
    progress = Progress(params["progress"])
    over = threading.Event()
    pool = ThreadPoolExecutor(params["parallel"], initializer=work_until, initargs=(over,))
    group = RolloutGroup(cloud, params["cluster"], pool, progress, float(params["wait_timeout"]), over=over)
    return RunningRelease(
        cluster=params["cluster"],
        services=services,
        progress=progress,
        group=group,
        shapes=shapes,
        began=group.clock.now(),
        tasks=tasks_of(connection, cloud.ecs, services),
        checks=checks_of(connection),
        checks_timeout=params["verify_timeout"],
    )


def _release(
    release: RunningRelease,
    connection: Connection,
    intent: Intent | None = None,
    renewed: Callable[[], list[ServiceRelease]] | None = None,
) -> Result:
    """Release the services. `renewed` gives them again, where another release may have come between."""
    params, groups = connection.params, target_groups_of(connection)
    desired = [params["services"], groups] if groups else params["services"]
    intent = intent or Intent(id=release_id(release.cluster, desired))
    _plan(release, groups, connection.check_mode)
    if connection.check_mode:
        _refuse(release, connection, intent)
        register(release, check_mode=True)
        return result_of(release, check_mode=True)

    def replan() -> None:
        again = renewed() if renewed else services_of(connection, release.ecs, release.shapes)
        release.services[:] = again
        _plan(release, groups, connection.check_mode)

    with recorded(release, connection, intent, replan):
        _refuse(release, connection, intent)
        errors = _carry_out(release, connection, intent)
    return ended(release, errors)


def _plan(release: RunningRelease, groups: dict[str, Options], check_mode: bool) -> None:
    read_services(release, release.services, check_mode)
    plan_services(release, check_mode)
    plan_target_groups(release, groups)


def _refuse(release: RunningRelease, connection: Connection, intent: Intent) -> None:
    now = timestamp(datetime.datetime.now(datetime.UTC))
    if not connection.params["force"]:
        refuse_other_release(release.services, intent.id, now, release.ended_runs)
    refuse_too_many_tags(release.services, Run(intent.id))


def _carry_out(release: RunningRelease, connection: Connection, intent: Intent) -> list[SlipwayError]:
    """Change the services, and roll them back if one fails. Returns why services failed."""
    services = release.services
    if any(service.changed for service in services):
        RolloutReader(release.cloud, release.cluster, "").require_tasks_readable()
    release.progress.say(summary(release))
    register(release, check_mode=False)
    rollback = connection.params["on_failure"] == "rollback"
    release.run = _run(release, intent.id, datetime.datetime.now(datetime.UTC), rollback)
    run_pre_deploy(release)
    rollouts = [rollout for service in services if (rollout := new_rollout(release, service))]
    release.touched = release.touched or bool(rollouts)
    release.group.run(rollouts, halt=rollback)
    errors = (
        [rollout.error for rollout in rollouts if rollout.error]
        or run_post_deploy(release)
        or run_verification(release)
    )
    release.errors = errors
    if errors and rollback:
        roll_back(release, [service for service in services if service.checkpoint])
    else:
        release.conclude()
        clear_checkpoints(release, services, complete=True)
    return errors


def _run(release: RunningRelease, own: str, now: datetime.datetime, rollback: bool) -> Run:
    """The release as its checkpoints name it. It times out with its last service, including the rollback."""
    levels = depth({service.name: service.after for service in release.services})
    seconds = release.timeout * levels * (2 if rollback else 1)
    count = sum(service.needs_checkpoint for service in release.services)
    until = timestamp(now + datetime.timedelta(seconds=seconds))
    return Run(own, count, timestamp(now), until, user_and_host())
