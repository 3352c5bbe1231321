# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the rollout of a service: write its checkpoint, then create or update it."""

from __future__ import annotations

import functools
from dataclasses import replace

from ..._core import tags as tagging
from ..._core.error_codes import (
    ACCESS_DENIED,
    CONFLICT,
    INVALID_OPTION,
    LIMIT_EXCEEDED,
    REFUSED,
)
from ..._core.errors import SlipwayError
from ..._core.names import last
from .. import api as ecs_api
from ..rollout.deployments import is_stable
from ..rollout.observe import RolloutReader
from ..service import change_flow as service_changes
from ..target_group import flow as target_groups_flow
from ..target_group.model import changed
from .checkpoint import Before, mark
from .rollback_flow import request_of, restore_target_groups
from .rollouts import Service, ServiceRollout
from .state import Part, Release, identity
from .tag_limit import checkpoint_for, needs_checkpoint


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
