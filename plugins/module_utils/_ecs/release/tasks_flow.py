# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the tasks of a release: before it changes any service, and once all services are stable."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import replace

from ..._core import tags as tagging
from ..._core.error_codes import LOCK_LOST, NO_CONNECTION, NO_CREDENTIALS, NOT_FOUND, TASK_FAILED, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.progress import SILENCE
from ..._core.types import Json
from .. import api as ecs_api
from ..limits import refuse
from ..rollout.tasks import task_id
from ..task.model import chosen_container, merged_overrides, override_problems, request
from ..task.outcome import explained, failure_of, headline, is_over, succeeded, to_result
from ..task.run_flow import StartedTasks, find, start
from ..task_definition import api as definition_api
from .checkpoint import later, to_tags
from .checkpoint_flow import clear_checkpoints
from .deploy_tasks import DeployTask, Identity, When, identity_of, seconds_of, settings_of
from .register_flow import deregister
from .result import result_of, short_result
from .rollouts import NotMonitored, RunningRelease
from .state import ServiceRelease

_BEFORE_SERVICES = "pre"
# Then nothing can be cleaned up either, or it belongs to another run.
_STOPPING = (LOCK_LOST, NO_CONNECTION, NO_CREDENTIALS)


def run_pre_deploy(release: RunningRelease) -> None:
    """Run the pre-deploy tasks. If one fails, no service is changed, and revisions of this run are deregistered.

    Call it after the revisions are registered and before the first service is changed.
    """
    if not release.tasks and not release.checks:
        return
    _resume(release)
    tasks = list(_of(release, "pre_deploy"))
    if not release.changes or _services_begun(release):
        for task in tasks:
            task.state = "not_needed"
        return
    if not tasks:
        return
    for service in release.services:
        service.held = True
    written: list[ServiceRelease] = []
    try:
        _write_checkpoints(release, written)
        _run_all(release, tasks)
    except SlipwayError as error:
        clear_checkpoints(release, written, complete=False)
        raise _nothing_changed(release, error) from error
    for service in release.services:
        service.held = False
    release.run = replace(release.run, step="")


def run_post_deploy(release: RunningRelease) -> list[SlipwayError]:
    """Run the post-deploy tasks once all services are stable. Returns why one failed."""
    tasks = list(_of(release, "post_deploy"))
    if not release.changes:
        for task in tasks:
            task.state = "not_needed"
        return []
    try:
        _run_all(release, tasks)
    except SlipwayError as error:
        return [error]
    return []


def _of(release: RunningRelease, when: When) -> Iterable[DeployTask]:
    return (task for task in release.tasks if task.when == when)


def _services_begun(release: RunningRelease) -> bool:
    """Whether a killed run of this release has run its pre-deploy tasks."""
    return any(service.run and not service.run.step for service in release.own)


def _resume(release: RunningRelease) -> None:
    """Keep when the release began, as its tasks are named after that, and give it the time of its tasks and checks."""
    begun = min((service.run.started for service in release.own if service.run), default=release.run.started)
    until = later(release.run.until, seconds_of(release.tasks) + release.checks_timeout)
    release.run = replace(release.run, started=begun, until=until)


def _write_checkpoints(release: RunningRelease, written: list[ServiceRelease]) -> None:
    """Write checkpoints on services that the release is going to change. They name the release to a rerun.

    A service that another release left unfinished keeps its checkpoint, as that is needed to roll it back.
    """
    release.run = replace(release.run, step=_BEFORE_SERVICES)
    own = [service.name for service in release.own]
    release.touched = True
    for service in release.services:
        if service.current is None or not service.found or not service.needs_checkpoint:
            continue
        if service.checkpoint is None or service.name in own:
            service.checkpoint = service.new_checkpoint(release.run)
            written.append(service)
            tags = tagging.to_list(to_tags(service.checkpoint))
            ecs_api.tag_resource(release.ecs, service.found["serviceArn"], tags)


def _nothing_changed(release: RunningRelease, error: SlipwayError) -> SlipwayError:
    """The failure of a pre-deploy task, with what stands where."""
    failure = deregister(release, release.registered, error)
    lines = [failure.msg, *(f"Also failed: {what}: {other.msg}" for what, other in release.other_errors)]
    release.progress.say("No service was changed.")
    return SlipwayError(failure.code, "\n".join(lines), {**short_result(result_of(release)), **failure.details})


def _run_all(release: RunningRelease, tasks: Iterable[DeployTask]) -> None:
    """Run tasks one after the other, until one fails."""
    for task in tasks:
        service = next(one for one in release.services if one.name == task.service)
        began = release.group.clock.now()
        try:
            _run(release, task, service)
        except SlipwayError as error:
            task.state = "failed"
            release.failed_steps.append(str(task))
            release.progress.say(f"{task.name}  failed. {error.msg}")
            raise SlipwayError(error.code, f"{task} of service {task.service}: {error.msg}", error.details) from error
        finally:
            task.seconds = release.group.clock.now() - began
        release.progress.say(f"{task.name}  done in {task.seconds:.0f} s")


def _run(release: RunningRelease, task: DeployTask, service: ServiceRelease) -> None:
    """Run a task, or wait for the one that a killed run of this release has started."""
    definition = definition_api.describe_task_definition(release.ecs, service.target)
    if definition is None:
        raise SlipwayError(NOT_FOUND, f"expected task definition {service.target}, got none.")
    container = chosen_container(definition, task.container)
    overrides = merged_overrides(task.overrides, container, task.command, task.environment)
    refuse(override_problems(overrides, definition))
    settings = settings_of(
        service.found if service.current else None, service.desired.options, service.target, release.shapes
    )
    identity = _identity(release, task)
    call = request(release.cluster, settings, {"startedBy": identity.started_by}, overrides)

    def say(line: str) -> None:
        release.progress.say(f"{task.name}  | {line}")

    started = StartedTasks(release.cloud, release.cluster, definition, container, say)
    release.touched = True
    try:
        release.group.guard()
        _start(release, task, started, call, identity)
        _follow(release, task, started)
    except SlipwayError as error:
        if error.code in _STOPPING:
            raise NotMonitored(error) from error
        raise
    if started.failed:
        raise _failure(task, started)
    task.state = "succeeded"


def _identity(release: RunningRelease, task: DeployTask) -> Identity:
    begun = [service.run.started for service in release.own if service.run]
    targets = [service.target for service in release.services if service.changed]
    return identity_of(task, release.run.id, min(begun, default=""), targets)


def _start(release: RunningRelease, task: DeployTask, started: StartedTasks, call: Json, identity: Identity) -> None:
    """Find the task of a killed run, or start one. One that failed before this run is started again."""
    earlier = find(release.cloud, release.cluster, identity.started_by)
    usable = [one for one in earlier if not is_over(one) or succeeded(one, started.container)]
    if usable:
        started.tasks = usable[:1]
        what = "finds the task of an earlier run"
    else:
        start(started, call, identity.token(len(earlier)))
        what = "started"
    task.state = "in_progress"
    release.progress.say(f"{task.name}  {what}: task {task_id(started.tasks[0])}, {started.revision}")


def _follow(release: RunningRelease, task: DeployTask, started: StartedTasks) -> None:
    def heartbeat() -> None:
        task.result = to_result(started.tasks[0], started.container, started.logs)
        if release.progress.silent_for >= SILENCE:
            release.progress.say(f"In progress: 0 of 1 tasks done. {task.name} {task.result['status']}")

    try:
        started.wait(task.timeout, heartbeat)
    except SlipwayError as error:
        # The task continues. A rerun waits for it.
        raise NotMonitored(error) from error
    finally:
        task.result = to_result(started.tasks[0], started.container, started.logs)


def _failure(task: DeployTask, started: StartedTasks) -> SlipwayError:
    failure = failure_of(started.failed, started.definition, started.logs, started.unread)
    code = t.cast("int | None", task.result["exit_code"])
    text = explained(headline(f"of {started.revision}", code, started.ended), failure)
    return SlipwayError(TASK_FAILED if started.ended else TIMEOUT, text, {"failure": failure})
