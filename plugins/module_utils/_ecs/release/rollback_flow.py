# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll services back to what they ran before a release, and delete those that it created."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ..._core.error_codes import CONFLICT, LOCK_LOST, RELEASE_IN_PROGRESS, ROLLBACK_FAILED, SERVICE_DELETED, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.waiting import poll
from ..rollout.deployments import is_stable
from ..rollout.observe import RolloutReader
from ..service import api as service_api
from ..service import change_flow as service_changes
from ..service.members import Options
from ..service.model import DesiredService, exists, from_api, plan_service
from ..target_group import flow as target_groups_flow
from ..target_group.model import changed
from .checkpoint import Checkpoint, desired_before, from_tags
from .checkpoint_flow import clear_checkpoints
from .order import reversed_order
from .plan_flow import find_services
from .rollouts import MonitoredRollout, NotMonitored, RunningRelease
from .state import ServiceRelease, ServiceRollout, identity
from .stop_flow import stop_shifting
from .table import counted

# Seconds for which reads may not show what was just created.
_STALE_SECONDS = 10.0


def request_of(release: RunningRelease, name: str, desired: DesiredService) -> service_changes.Request:
    """The request for a service. An existing service is ours if it has the checkpoint of this release."""

    def ours(answer: Options) -> bool:
        found = _checkpoint(answer)
        return bool(found and found.run and found.run.id == release.run.id)

    return service_changes.Request(release.cluster, name, desired, None, True, release.timeout, False, ours)


def roll_back(release: RunningRelease, services: Sequence[ServiceRelease]) -> None:
    """Roll back all services that this release or an unfinished one has changed.

    Errors are attached to the services or to the release, so that they do not replace the failure of the release.
    """
    if not services:
        return
    names = [service.name for service in services]
    release.touched = True
    release.progress.say(f"Rolling back {counted(len(services), 'service')}: {', '.join(names)}")
    try:
        found = find_services(release, names, False)
    except SlipwayError as error:
        for service in services:
            service.rollback = ServiceRollout(name=service.name)
            _fail(service.rollback, error.code, f"not rolled back, because it could not be read: {error.msg}")
        return
    order = reversed_order({service.name: service.after for service in services})
    # What somebody has deleted depends on nothing any more.
    left = frozenset(one.name for one in services if one.is_new or exists(found.get(one.name)))
    rollbacks = [
        _new_rollback(release, service, found.get(service.name), order[service.name] & left) for service in services
    ]
    try:
        release.group.run(rollbacks, halt=False)
    except NotMonitored as error:
        if error.cause.code == LOCK_LOST:
            raise
        release.other_errors.append(("the rollback is no longer monitored", error.cause))
    for rollback in rollbacks:
        if rollback.state == "waiting":
            others = [one.name for one in rollbacks if one.name in rollback.after and one.state != "stable"]
            reason = f", because services that depend on it were not: {', '.join(others)}" if others else ""
            _fail(rollback, ROLLBACK_FAILED, f"not rolled back{reason}.")
    stable = [service for service in services if service.rollback and service.rollback.state == "stable"]
    release.conclude()
    clear_checkpoints(release, stable, complete=False)


def _new_rollback(
    release: RunningRelease, service: ServiceRelease, found: Options | None, after: frozenset[str]
) -> MonitoredRollout:
    reader = RolloutReader(release.cloud, release.cluster, service.name)
    start = functools.partial(_start, release, service, reader, found)
    service.rollback = rollback = MonitoredRollout(
        name=service.name, reader=reader, start=start, after=after, continues=True
    )
    return rollback


def _fail(rollback: ServiceRollout, code: str, text: str) -> None:
    rollback.state, rollback.error = "failed", SlipwayError(code, f"Service {rollback.name}: {text}")


def _start(
    release: RunningRelease, service: ServiceRelease, reader: RolloutReader, found: Options | None
) -> Options | None:
    """Make the calls of the rollback. Returns the service to monitor, or None if there is nothing to wait for."""
    checkpoint = service.checkpoint
    if checkpoint is None:
        return None
    if checkpoint.options is None:
        _roll_back_creation(release, service, checkpoint)
        return None
    if found is None or not exists(found):
        raise SlipwayError(SERVICE_DELETED, "It was deleted in the meantime, so it cannot be rolled back.")
    _refuse_other_release(release, service, found)
    found = stop_shifting(release, service.name, found)
    desired = desired_before(checkpoint)
    planned = plan_service(from_api(found), desired, release.shapes)
    settling = restore_target_groups(release, service, checkpoint)
    if not planned.changed and is_stable(found) and not settling:
        return None
    if not planned.changed:
        service_changes.follow_change(reader, found, found)
        reader.judge.settling = settling
        return found
    reader.read_known()
    updated = service_changes.apply(release.cloud, request_of(release, service.name, desired), found, planned, None)
    release.group.say(service.name, f"rolling back to {last(updated.get('taskDefinition'))}")
    service_changes.follow_change(reader, found, updated)
    return updated


def _roll_back_creation(release: RunningRelease, service: ServiceRelease, checkpoint: Checkpoint) -> None:
    try:
        _delete(release, service)
    except SlipwayError as error:
        if error.code == CONFLICT:
            restore_target_groups(release, service, checkpoint)
        raise
    restore_target_groups(release, service, checkpoint)


def restore_target_groups(release: RunningRelease, service: ServiceRelease, checkpoint: Checkpoint) -> int:
    """Restore the settings of target groups. Returns for how many seconds the health of targets may not show it."""
    groups = changed(target_groups_flow.read_changes(release.cloud, checkpoint.groups))
    for group in groups:
        target_groups_flow.apply(release.cloud, [group])
        release.group.say(service.name, str(group))
    return max((group.settling for group in groups), default=0)


def _delete(release: RunningRelease, service: ServiceRelease) -> None:
    """Delete the service that the release created, and none that another client has created since."""
    answer = _read_created(release, service)
    if answer is None:
        return
    _refuse_other_release(release, service, answer)
    checkpoint = _checkpoint(answer)
    created = service.created is not None and service.created == identity(answer)
    if not created and (checkpoint is None or checkpoint.options is not None):
        message = "Not changed, because another client created the current service."
        raise SlipwayError(CONFLICT, message, {"service_arn": answer.get("serviceArn")})
    service_api.delete_service(release.ecs, release.cluster, service.name, force=True)
    release.group.say(service.name, "deleted, because the release created it")
    service_changes.wait_deleted(release.cloud, release.cluster, service.name, release.timeout)


def _read_created(release: RunningRelease, service: ServiceRelease) -> Options | None:
    """The current service. Reads may not show yet what was just created."""

    def read() -> Options | None:
        found = service_api.describe_services(release.ecs, release.cluster, [service.name], include=["TAGS"])
        return found[0] if found else None

    if not service.may_exist:
        found = read()
        return found if exists(found) else None
    try:
        found = poll(read, bool, timeout=_STALE_SECONDS, waiting_for=f"the created service {service.name}")
    except SlipwayError as error:
        if error.code != TIMEOUT:
            raise
        return None
    return found if exists(found) else None


def _checkpoint(answer: Options) -> Checkpoint | None:
    return from_tags(from_api(answer).get("tags") or {})


def _refuse_other_release(release: RunningRelease, service: ServiceRelease, answer: Options) -> None:
    """Fail if another release has taken over the service since."""
    checkpoint = _checkpoint(answer)
    run = checkpoint.run if checkpoint else None
    if run and run.id not in {release.run.id, service.run.id if service.run else ""}:
        raise SlipwayError(RELEASE_IN_PROGRESS, f"Not changed, because {run} has changed it since.")
