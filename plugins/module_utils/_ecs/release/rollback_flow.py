# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll services back to what they ran before a release, and delete those that it created."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ..._core.error_codes import CONFLICT, RELEASE_IN_PROGRESS, ROLLBACK_FAILED, SERVICE_DELETED, TIMEOUT
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
from .checkpoint import Before, unmark, way_back
from .checkpoint_flow import clear_checkpoints
from .order import reversed_order
from .plan_flow import read_services
from .rollouts import NotMonitored, Service, ServiceRollout
from .state import Part, Release, identity
from .table import counted

# For so long a read may not show what was created just now.
_STALE_SECONDS = 10.0


def request_of(release: Release, name: str, desired: DesiredService) -> service_changes.Request:
    """The request for a service. An existing service is ours if it has the checkpoint of this release."""

    def ours(service: Options) -> bool:
        found = _checkpoint(service)
        return bool(found and found.run and found.run.id == release.run.id)

    return service_changes.Request(release.cluster, name, desired, None, True, release.timeout, False, ours)


def roll_back(release: Release, parts: Sequence[Part]) -> None:
    """Bring back what was there before, of each part that this release or an unfinished one has changed.

    What goes wrong is noted at the parts or as the release's trouble, so that it takes the place of no other failure.
    """
    if not parts:
        return
    release.touched = True
    release.progress.say(f"Rolling back {counted(len(parts), 'service')}: {', '.join(part.name for part in parts)}")
    try:
        found = read_services(release.pool, release.cloud, release.cluster, [part.name for part in parts], False)
    except SlipwayError as error:
        for part in parts:
            part.back = ServiceRollout(
                part.name, RolloutReader(release.cloud, release.cluster, part.name), lambda: None
            )
            _leave(part.back, error.code, f"not rolled back, for it could not be read: {error.msg}")
        return
    order = reversed_order({part.name: part.after for part in parts})
    for part in parts:
        reader = RolloutReader(release.cloud, release.cluster, part.name)
        start = functools.partial(_start, release, part, reader, found.get(part.name))
        part.back = ServiceRollout(part.name, reader, start, order[part.name])
    backs = [part.back for part in parts if part.back]
    try:
        release.rollout_group.run(backs, halt=False)
    except NotMonitored as error:
        release.trouble.append(("the way back is no longer monitored", error.cause))
    for back in backs:
        if back.state == "waiting":
            others = ", ".join(other.name for other in backs if other.name in back.after and other.state != "arrived")
            after = f", for what comes after it was not brought back: {others}" if others else ""
            _leave(back, ROLLBACK_FAILED, f"left as it is{after}.")
    clear_checkpoints(release, [part for part in parts if part.back and part.back.state == "arrived"], complete=False)


def _leave(back: ServiceRollout, code: str, told: str) -> None:
    back.state, back.error = "failed", SlipwayError(code, f"Service {back.name}: {told}")


def _start(release: Release, part: Part, reader: RolloutReader, service: Service | None) -> Service | None:
    """Make the calls that lead back; the service to watch, None where nothing is left to wait for."""
    before = part.before
    if before is None:
        return None
    if before.options is None:
        try:
            _delete(release, part)
        except SlipwayError as error:
            if error.code == CONFLICT:
                restore_target_groups(release, part, before)
            raise
        restore_target_groups(release, part, before)
        return None
    if service is None or not exists(service):
        raise SlipwayError(SERVICE_DELETED, "It was deleted meanwhile, so it cannot be brought back.")
    _refuse_anothers(release, part, service)
    desired = way_back(before)
    planned = plan_service(from_api(service), desired, release.shapes)
    settling = restore_target_groups(release, part, before)
    if not planned.changed and is_stable(service) and not settling:
        return None
    if not planned.changed:
        service_changes.follow_change(reader, service, service)
        reader.judge.settling = settling
        return service
    reader.read_known()
    answer = service_changes.apply(release.cloud, request_of(release, part.name, desired), service, planned, None)
    release.say(part, f"back to {last(answer.get('taskDefinition'))}")
    service_changes.follow_change(reader, service, answer)
    return answer


def restore_target_groups(release: Release, part: Part, before: Before) -> int:
    """Give target groups the settings of the checkpoint; for how many seconds targets may not show it yet."""
    groups = changed(target_groups_flow.plan(release.cloud, before.groups))
    for group in groups:
        target_groups_flow.apply(release.cloud, [group])
        release.say(part, str(group))
    return max((group.settling for group in groups), default=0)


def _delete(release: Release, part: Part) -> None:
    """Delete a service that was not there before: this one, and none that another client has created since."""
    service = _read_created(release, part)
    if service is None:
        return
    _refuse_anothers(release, part, service)
    checkpoint = _checkpoint(service)
    created = part.made is not None and part.made == identity(service)
    if not created and (checkpoint is None or checkpoint.options is not None):
        told = "Left as it is: the service that is there now was created by another client."
        raise SlipwayError(CONFLICT, told, {"service_arn": service.get("serviceArn")})
    service_api.delete_service(release.ecs, release.cluster, part.name, force=True)
    release.say(part, "deleted, there was none before")
    service_changes.wait_deleted(release.cloud, release.cluster, part.name, release.timeout)


def _read_created(release: Release, part: Part) -> Service | None:
    """The service as it is right now. A read may not show yet what was created a moment ago."""

    def read() -> Service | None:
        found = service_api.describe_services(release.ecs, release.cluster, [part.name], include=["TAGS"])
        return found[0] if found else None

    if not part.asked_to_create:
        found = read()
        return found if exists(found) else None
    try:
        found = poll(read, bool, timeout=_STALE_SECONDS, waiting_for=f"the service {part.name} to be shown")
    except SlipwayError as error:
        if error.code != TIMEOUT:
            raise
        return None
    return found if exists(found) else None


def _checkpoint(service: Options) -> Before | None:
    return unmark(from_api(service).get("tags") or {})


def _refuse_anothers(release: Release, part: Part, service: Service) -> None:
    """Fail where another release has taken the service over since."""
    found = _checkpoint(service)
    run = found.run if found else None
    own = {release.run.id, part.before.run.id if part.before and part.before.run else ""}
    if run and run.id not in own:
        raise SlipwayError(RELEASE_IN_PROGRESS, f"Left as it is: {run.told} has changed it since.")
