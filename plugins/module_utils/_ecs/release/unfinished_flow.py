# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll back a release that was killed or interrupted."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.error_codes import ACCESS_DENIED, INTERRUPTED
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.plan import remove
from ..._core.types import Connection, Result
from ..service import api as service_api
from ..service.model import DesiredService, ServicePlan, Shapes, plan_service
from ..target_group import flow as target_groups_flow
from ..target_group.model import changed
from .checkpoint import desired_before
from .checkpoint_flow import clear_checkpoints
from .in_progress import by_run, is_complete, runs_of
from .plan_flow import read_services
from .record import Intent
from .record_flow import recorded
from .report import ended, rollback_summary
from .result import result_of
from .rollback_flow import roll_back
from .rollouts import RunningRelease
from .state import NOTHING, ServiceRelease


def roll_back_unfinished(release: RunningRelease, connection: Connection) -> Result:
    """Roll back the given services, or all of the cluster, that an unfinished release has changed."""
    given = [service.name for service in release.services]
    complete = plan_unfinished(release, connection, given)
    if connection.check_mode:
        return result_of(release, check_mode=True)

    def replan() -> None:
        complete[:] = plan_unfinished(release, connection, given)

    with recorded(release, connection, _intent(release), replan):
        release.progress.say(rollback_summary(release))
        roll_back(release, [service for service in release.services if not service.kept])
        clear_checkpoints(release, complete, complete=True)
    rollbacks = [service.rollback for service in release.services if service.rollback]
    return ended(release, [rollback.error for rollback in rollbacks if rollback.error])


def plan_unfinished(release: RunningRelease, connection: Connection, given: Sequence[str]) -> list[ServiceRelease]:
    """Find and plan what an unfinished release has changed. Returns the services of releases that are complete."""
    release.services[:] = named(given or _names(release))
    read_services(release, release.services, connection.check_mode)
    release.services[:] = [service for service in release.services if service.checkpoint]
    complete = [] if connection.params["force"] else _complete(release.services, _others(release))
    for service in release.services:
        service.plan = NOTHING if service.kept else _plan(service, release.shapes)
        former = service.checkpoint.groups if service.checkpoint and not service.kept else {}
        service.groups = changed(target_groups_flow.read_changes(release.cloud, former))
    return complete


def _intent(release: RunningRelease) -> Intent:
    """The rollback of the release that most services have a checkpoint of."""
    ids = [service.run.id for service in release.services if service.run and not service.kept]
    return Intent(id=max(sorted(set(ids)), key=ids.count, default=""), action="rollback")


def _names(release: RunningRelease) -> list[str]:
    return [last(arn) for arn in service_api.list_services(release.ecs, release.cluster)]


def named(names: Sequence[str]) -> list[ServiceRelease]:
    return [ServiceRelease(name, frozenset(), DesiredService({})) for name in names]


def _others(release: RunningRelease) -> list[ServiceRelease]:
    """Other services with checkpoints, read if only all services of a release show whether it is complete."""
    groups = by_run(release.services)
    if all(len(groups[run.id]) >= run.services for run in runs_of(release.services)):
        return []
    given = {service.name for service in release.services}
    try:
        names = _names(release)
    except SlipwayError as error:
        # Then the given services are rolled back.
        if error.code == ACCESS_DENIED:
            return []
        raise
    others = named([name for name in names if name not in given])
    read_services(release, others, False)
    return [service for service in others if service.checkpoint]


def _complete(services: list[ServiceRelease], others: list[ServiceRelease]) -> list[ServiceRelease]:
    """Services of releases that a checkpoint calls complete, so that only checkpoints have to be removed.

    If only the account shows that a release is complete, its checkpoints are kept, as `force` may still roll it back.
    """
    complete: list[ServiceRelease] = []
    for group in by_run([*services, *others]).values():
        states = {run.state for run in runs_of(group)}
        if "complete" in states:
            # The checkpoint with the state stays as long as others of the release do.
            needed = any(service in others for service in group)
            complete += [one for one in group if one in services and not (needed and _has_state(one))]
        elif INTERRUPTED in states or not is_complete(group):
            continue
        for service in group:
            service.kept = "complete" if "complete" in states else "stable"
    # The one with the state comes first, because clear_checkpoints removes the first one last.
    return sorted(complete, key=lambda service: not _has_state(service))


def _has_state(service: ServiceRelease) -> bool:
    return bool(service.run and service.run.state)


def _plan(service: ServiceRelease, shapes: Shapes) -> ServicePlan:
    """What the rollback of a service would change."""
    if service.checkpoint is None or service.current is None:
        return NOTHING
    if service.checkpoint.options is None:
        deletion = remove({"service_name": service.name, "status": (service.found or {}).get("status")})
        return ServicePlan(deletion, "update", {}, {}, [])
    return plan_service(service.current, desired_before(service.checkpoint), shapes)
