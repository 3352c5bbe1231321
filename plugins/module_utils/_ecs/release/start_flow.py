# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the rollout of a service: write its checkpoint, then create or update it."""

from __future__ import annotations

import functools
from dataclasses import replace

from ..._core import tags as tagging
from ..._core.error_codes import ACCESS_DENIED, CONFLICT, INVALID_OPTION, LIMIT_EXCEEDED, REFUSED
from ..._core.errors import SlipwayError
from ..._core.names import last
from .. import api as ecs_api
from ..rollout.deployments import is_stable
from ..rollout.observe import RolloutReader
from ..service import change_flow as service_changes
from ..service.members import Options
from ..target_group import flow as target_groups_flow
from ..target_group.model import changed
from .checkpoint import Checkpoint, to_tags
from .rollback_flow import request_of, restore_target_groups
from .rollouts import MonitoredRollout, RunningRelease
from .state import ServiceRelease, identity


def new_rollout(release: RunningRelease, service: ServiceRelease) -> MonitoredRollout | None:
    """The rollout of a service; None if it is up to date and stable."""
    # Otherwise the checkpoint of another release would stay.
    takes_over = service.checkpoint is not None and (service.run is None or service.run.id != release.run.id)
    is_changed = service.plan.changed or bool(changed(service.groups))
    if not is_changed and is_stable(service.found or {}) and not takes_over:
        return None
    reader = RolloutReader(release.cloud, release.cluster, service.name)
    if service.definition:
        # Already known, as far as the reader needs it.
        reader.task_definition = {"containerDefinitions": service.definition.result["container_definitions"]}
    start = functools.partial(_start, release, service, reader)
    service.rollout = rollout = MonitoredRollout(name=service.name, reader=reader, start=start, after=service.after)
    return rollout


def _start(release: RunningRelease, service: ServiceRelease, reader: RolloutReader) -> Options:
    """Write the checkpoint, then make the calls of the plan. Returns the service to monitor."""
    found = service.found if service.current is not None else None
    if found is None:
        return _create(release, service, reader)
    if service.plan.changed:
        reader.read_known()
    if service.needs_checkpoint:
        service.checkpoint = service.new_checkpoint(release.run)
        ecs_api.tag_resource(release.ecs, found["serviceArn"], tagging.to_list(to_tags(service.checkpoint)))
    _change_target_groups(release, service)
    if service.plan.changed:
        request = request_of(release, service.name, service.desired)
        service.answer = service_changes.apply(release.cloud, request, found, service.plan, None)
        release.group.say(service.name, _started(found, service.answer))
    service_changes.follow_change(reader, found, service.answer or found)
    if not service.plan.changed:
        reader.judge.settling = max((group.settling for group in service.groups), default=0)
    return service.answer or found


def _change_target_groups(release: RunningRelease, service: ServiceRelease) -> None:
    """Change the settings of target groups before the tasks start that are checked with them."""
    for group in changed(service.groups):
        target_groups_flow.apply(release.cloud, [group])
        release.group.say(service.name, str(group))


def _create(release: RunningRelease, service: ServiceRelease, reader: RolloutReader) -> Options:
    """Create a service with its checkpoint. It is rolled back only if this request has created it."""
    if (service.found or {}).get("status") == "DRAINING":
        service_changes.wait_deleted(release.cloud, release.cluster, service.name, release.timeout)
    service.checkpoint = checkpoint = service.new_checkpoint(release.run)
    _change_target_groups(release, service)
    tags = [*service.plan.request.get("tags", ()), *tagging.to_list(to_tags(checkpoint))]
    planned = replace(service.plan, request={**service.plan.request, "tags": tags})
    request = request_of(release, service.name, service.desired)
    service.may_exist = True
    try:
        service.answer = service_changes.apply(release.cloud, request, None, planned, service.found)
    except SlipwayError as error:
        service.may_exist = error.code not in (REFUSED, ACCESS_DENIED, INVALID_OPTION, LIMIT_EXCEEDED)
        if error.code == CONFLICT:
            _leave_to_others(release, service, checkpoint)
        raise
    service.created = identity(service.answer)
    release.group.say(service.name, _started(None, service.answer))
    service_changes.follow_change(reader, None, service.answer)
    return service.answer


def _started(before: Options | None, after: Options) -> str:
    old, new = last((before or {}).get("taskDefinition")), last(after.get("taskDefinition"))
    if before is None:
        return f"created, runs {new}"
    return f"{old} -> {new}, started" if old != new else f"{new}, settings updated"


def _leave_to_others(release: RunningRelease, service: ServiceRelease, checkpoint: Checkpoint) -> None:
    """Another client created the service, so only the settings of its target groups are restored."""
    service.checkpoint = None
    try:
        restore_target_groups(release, service, checkpoint)
    except SlipwayError as error:
        release.other_errors.append((f"the target groups of {service.name} keep their new settings", error))
