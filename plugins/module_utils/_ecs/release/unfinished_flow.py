# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll back what a killed or interrupted release left unfinished."""

from __future__ import annotations

from ..._core.error_codes import (
    ACCESS_DENIED,
    INTERRUPTED,
)
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.plan import remove
from ..._core.types import Connection, Result
from ..service import api as service_api
from ..service.model import DesiredService, ServicePlan, Shapes, plan_service
from ..target_group import flow as target_groups_flow
from ..target_group.model import changed
from .checkpoint import way_back
from .checkpoint_flow import clear_checkpoints
from .in_progress import by_run, has_arrived
from .plan_flow import read_parts
from .report import (
    _ended,
    rollback_summary,
)
from .result import result_of
from .rollback_flow import roll_back
from .state import NOTHING, Part, Release


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
