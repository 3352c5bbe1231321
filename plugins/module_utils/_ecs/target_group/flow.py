# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read, change and restore the settings of target groups, as a part of a release."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.target_groups import DELAY, HEALTH_OPTIONS, attributes_request, health_request, settings_of
from ..._core.types import Json
from ..cloud import Cloud
from ..service import api as service_api
from . import api as target_group_api
from .model import Settings, TargetGroup, changed, compare_settings

_BATCH = 20


def read_changes(cloud: Cloud, wanted: Settings, pool: Executor | None = None) -> list[TargetGroup]:
    """The target groups, each with what has to change. With `pool`, their attributes are read in parallel."""
    found: list[Json] = []
    for batch in batches(sorted(wanted), _BATCH):
        found += service_api.describe_target_groups(cloud.elbv2, batch) or []
    elbv2 = cloud.elbv2 if found else None

    def settings(group: Json) -> Json:
        return settings_of(group, target_group_api.describe_attributes(elbv2, group["TargetGroupArn"]))

    read = pool.map(settings, found) if pool else map(settings, found)
    return [
        compare_settings(one["TargetGroupName"], one["TargetGroupArn"], current, wanted[one["TargetGroupArn"]])
        for one, current in zip(found, read, strict=True)
    ]


def apply(cloud: Cloud, groups: Iterable[TargetGroup]) -> None:
    """Apply the changes."""
    for group in changed(groups):
        if group.plan.members & HEALTH_OPTIONS:
            target_group_api.modify_target_group(cloud.elbv2, group.arn, health_request(group.plan.after))
        if DELAY in group.plan.members:
            target_group_api.modify_attributes(cloud.elbv2, group.arn, attributes_request(group.plan.after))


def require(wanted: Settings, groups: Iterable[TargetGroup], used: set[str]) -> None:
    """Fail where a target group does not exist, or no service of the release uses it, so no rollout would test it."""
    known = {group.arn for group in groups}
    missing, unused = sorted(wanted.keys() - known), sorted(known - used)
    if missing:
        raise SlipwayError(NOT_FOUND, f"target_groups: expected existing target groups, got {', '.join(missing)}.")
    if unused:
        problem = f"target_groups: expected groups that a service in the release uses, got {', '.join(unused)}."
        raise SlipwayError(INVALID_OPTION, problem, {"problems": [problem]})
