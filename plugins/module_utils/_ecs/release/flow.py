# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_release does: plan all, register all, bring all to their goals, or take all back."""

from __future__ import annotations

import datetime
import functools
import getpass
import signal
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..._core import tags as tagging
from ..._core.calls import CONNECTIONS
from ..._core.error_codes import (
    ACCESS_DENIED,
    CONFLICT,
    INTERRUPTED,
    INVALID_OPTION,
    LIMIT_EXCEEDED,
    NO_CONNECTION,
    REFUSED,
)
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.plan import remove
from ..._core.progress import Progress
from ..._core.types import Connection, Result
from ..._core.waiting import leave_stopping_to_main_thread
from .. import api as ecs_api
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.deployments import is_stable
from ..rollout.observe import RolloutReader
from ..service import api as service_api
from ..service import change_flow as service_changes
from ..service.model import DesiredService, ServicePlan, Shapes, plan_service
from ..service.read_flow import request_shapes
from ..target_group import flow as target_groups_flow
from ..target_group.model import changed
from ..task_definition import api as definition_api
from ..task_definition import flow as definitions
from ..task_definition.model import to_result
from .checkpoint import Run, at, release_id
from .checkpoint_plan import checkpoint_for, needs_checkpoint, refuse_too_many_tags
from .checkpoints import clear_checkpoints, note_state
from .model import Before, depth, mark, way_back
from .plan import (
    NOTHING,
    Definition,
    Part,
    Release,
    by_run,
    gather,
    has_arrived,
    identity,
    parts_of,
    plan_part,
    plan_parts,
    plan_target_groups,
    read_parts,
    refuse_other_release,
    target_groups_of,
)
from .report import (
    NOTHING_CHANGED,
    checkpoints_left,
    failed,
    outcome_lines,
    result_of,
    rollback_summary,
    summary,
    unfinished,
)
from .rollback import request_of, restore_target_groups, roll_back
from .rollouts import NotMonitored, RolloutGroup, Service, ServiceRollout


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


def _ended(release: Release, errors: list[SlipwayError]) -> Result:
    """The result of a release or of its rollback, or its failure with all that belongs to it."""
    for line in outcome_lines(release.parts):
        release.progress.say(line)
    result = result_of(release)
    if not errors and any(part.back and part.back.under_way for part in release.parts):
        errors = [error for _what, error in release.trouble]
    if errors:
        raise failed(errors, release, result)
    if release.trouble:
        raise checkpoints_left(release, result)
    return result


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


def _register(release: Release, check_mode: bool) -> None:
    """Register what differs: all revisions, or none when AWS refuses one. Then plan with their ARNs."""
    unique = {id(part.definition): part.definition for part in release.parts if part.definition}
    changed = [definition for definition in unique.values() if definition.draft.plan.changed]
    new = [definition for definition in changed if definition.current is None or definition.draft.is_new]
    # Equal revisions of another run are kept.
    registered: list[str] = []

    def register(definition: Definition) -> None:
        done = definitions.apply(
            release.ecs, definition.desired.name, definition.current, definition.draft, check_mode=check_mode
        )
        definition.view = done["task_definition"]
        if done["changed"] and any(definition is one for one in new):
            registered.append(definition.arn)

    def told(definition: Definition) -> str:
        return f"task_definition {definition.desired.name}"

    release.touched = bool(changed) and not check_mode
    try:
        gather(release.pool, register, new, told)
        gather(release.pool, register, [one for one in changed if one not in new], told)
    except SlipwayError as error:
        raise _deregister(release, registered, error) from error
    for definition in unique.values():
        if not definition.view and definition.current:
            definition.view = to_result(definition.current)
    for part in release.parts:
        plan_part(part, release.shapes)


def _deregister(release: Release, arns: list[str], cause: SlipwayError) -> SlipwayError:
    """Deregister what was registered before `cause`; that failure, with what became of them."""
    told = "No service was changed."
    try:
        gather(release.pool, functools.partial(definition_api.deregister_task_definition, release.ecs), arns, last)
    except SlipwayError as error:
        told += f" Revisions that no service runs are left, for they could not be deregistered: {error.msg}"
    return SlipwayError(cause.code, f"{cause.msg}\n{told}", cause.details)


def _forward(release: Release, part: Part) -> ServiceRollout | None:
    """How a part gets to its goal; None where it is there already."""
    # So that nobody takes its checkpoint for that of a release which has not ended.
    keep_aws_values = part.before is not None and (part.before.run is None or part.before.run.id != release.run.id)
    if not part.plan.changed and not changed(part.groups) and is_stable(part.service or {}) and not keep_aws_values:
        return None
    reader = RolloutReader(release.cloud, release.cluster, part.name)
    if part.definition:
        # Known already, as far as a watch asks for it.
        reader.task_definition = {"containerDefinitions": part.definition.view["container_definitions"]}
    return ServiceRollout(part.name, reader, functools.partial(_start, release, part, reader), part.after)


def _start(release: Release, part: Part, reader: RolloutReader) -> Service | None:
    """Write the checkpoint, then make the calls of the plan; the service to watch."""
    service = part.service if part.current is not None else None
    if service is None:
        return _create(release, part, reader)
    if part.plan.changed:
        reader.read_known()
    if needs_checkpoint(part):
        part.before = checkpoint_for(part, release.run)
        ecs_api.tag_resource(release.ecs, service["serviceArn"], tagging.to_list(mark(part.before)))
    _change_target_groups(release, part)
    if part.plan.changed:
        request = request_of(release, part.name, part.desired)
        part.answer = service_changes.apply(release.cloud, request, service, part.plan, None)
        release.say(part, _way(service, part.answer))
    service_changes.follow_change(reader, service, part.answer or service)
    if not part.plan.changed:
        reader.judge.settling = max((group.settling for group in part.groups), default=0)
    return part.answer or service


def _change_target_groups(release: Release, part: Part) -> None:
    """Give the target groups their settings before the tasks that are checked with them start."""
    for group in changed(part.groups):
        target_groups_flow.apply(release.cloud, [group])
        release.say(part, str(group))


def _create(release: Release, part: Part, reader: RolloutReader) -> Service:
    """Create a service with its checkpoint. It is rolled back only if this request has created it."""
    if (part.service or {}).get("status") == "DRAINING":
        service_changes.wait_deleted(release.cloud, release.cluster, part.name, release.timeout)
    part.before = before = checkpoint_for(part, release.run)
    _change_target_groups(release, part)
    noted = [*part.plan.request.get("tags", ()), *tagging.to_list(mark(before))]
    planned = replace(part.plan, request={**part.plan.request, "tags": noted})
    part.asked_to_create = True
    try:
        part.answer = service_changes.apply(
            release.cloud, request_of(release, part.name, part.desired), None, planned, part.service
        )
    except SlipwayError as error:
        part.asked_to_create = error.code not in (REFUSED, ACCESS_DENIED, INVALID_OPTION, LIMIT_EXCEEDED)
        if error.code == CONFLICT:
            _leave_to_others(release, part, before)
        raise
    part.made = identity(part.answer)
    release.say(part, _way(None, part.answer))
    service_changes.follow_change(reader, None, part.answer)
    return part.answer


def _way(before: Service | None, after: Service) -> str:
    was, now = last((before or {}).get("taskDefinition")), last(after.get("taskDefinition"))
    if before is None:
        return f"created, runs {now}"
    return f"{was} -> {now}, started" if was != now else f"{now}, its settings change"


def _leave_to_others(release: Release, part: Part, before: Before) -> None:
    """Nothing of a service that another client created is rolled back, but the settings made for it beforehand."""
    part.before = None
    try:
        restore_target_groups(release, part, before)
    except SlipwayError as error:
        release.trouble.append((f"the target groups of {part.name} keep their new settings", error))


def _roll_back_unfinished(release: Release, connection: Connection) -> Result:
    """Roll back what a release left unfinished, of the services named or of all in the cluster."""
    if not release.parts:
        arns = service_api.list_services(release.ecs, release.cluster)
        release.parts[:] = [Part(last(arn), frozenset(), DesiredService({})) for arn in arns]
    read_parts(release.pool, release.cloud, release.cluster, release.parts, connection.check_mode)
    release.parts[:] = [part for part in release.parts if part.before]
    complete = [] if connection.params["force"] else _complete(release.parts, _beside(release))
    for part in release.parts:
        part.plan = NOTHING if part.kept else _plan_back(part, release.shapes)
        former = part.before.groups if part.before and not part.kept else {}
        part.groups = changed(target_groups_flow.plan(release.cloud, former))
    if connection.check_mode:
        return result_of(release, check_mode=True)
    release.progress.say(rollback_summary(release))
    roll_back(release, [part for part in release.parts if not part.kept])
    clear_checkpoints(release, complete, complete=True)
    return _ended(release, [part.back.error for part in release.parts if part.back and part.back.error])


def _beside(release: Release) -> list[Part]:
    """Services that were not named, where only all services of a release together tell whether it is complete."""
    runs = [part.before.run for part in release.parts if part.before and part.before.run]
    groups = by_run(release.parts)
    if all(len(groups[run.id]) >= run.services for run in runs):
        return []
    named = {part.name for part in release.parts}
    try:
        names = [last(arn) for arn in service_api.list_services(release.ecs, release.cluster)]
    except SlipwayError as error:
        # Then what is named is rolled back, as asked.
        if error.code == ACCESS_DENIED:
            return []
        raise
    others = [Part(name, frozenset(), DesiredService({})) for name in names if name not in named]
    read_parts(release.pool, release.cloud, release.cluster, others, False)
    return [part for part in others if part.before]


def _complete(parts: list[Part], beside: list[Part]) -> list[Part]:
    """Parts whose release says in a checkpoint that it was complete, so that only checkpoints are left to remove.

    Those whose release reached its goals, though nobody could note it, keep theirs: `force` may still roll it back.
    """
    said: list[Part] = []
    for group in by_run([*parts, *beside]).values():
        states = {part.before.run.state for part in group if part.before and part.before.run}
        if "complete" in states:
            # The one that says so keeps its checkpoint as long as it has to speak for others.
            others = [part for part in group if part in beside]
            said += [part for part in group if part in parts and not (others and _says_how_it_ended(part))]
        elif INTERRUPTED in states or not has_arrived(group):
            continue
        for part in group:
            part.kept = "complete" if "complete" in states else "arrived"
    # First the one that speaks for the others: it has to go last.
    return sorted(said, key=lambda part: not _says_how_it_ended(part))


def _says_how_it_ended(part: Part) -> bool:
    return bool(part.before and part.before.run and part.before.run.state)


def _plan_back(part: Part, shapes: Shapes) -> ServicePlan:
    """What rolling an unfinished release back would change."""
    if part.before is None or part.current is None:
        return NOTHING
    if part.before.options is None:
        gone = remove({"service_name": part.name, "status": (part.service or {}).get("status")})
        return ServicePlan(gone, "update", {}, {}, [])
    return plan_service(part.current, way_back(part.before), shapes)
