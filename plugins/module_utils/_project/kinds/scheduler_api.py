# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EventBridge Scheduler: groups of schedules. A schedule itself has no tags."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ..._core import tags
from ..._core.paging import pages
from ..._core.types import Json
from .base_api import Account, Found, each

# In every account, and nobody's.
DEFAULT = "default"
DELETING = "DELETING"


def schedule_groups(account: Account) -> t.Iterator[Found]:
    scheduler = account.clients["scheduler"]

    def tags_of(item: Json) -> tags.Tags:
        return tags.from_list(scheduler.list_tags_for_resource(ResourceArn=item["Arn"])["Tags"])

    found = pages(scheduler, "list_schedule_groups", "ScheduleGroups")
    others = [one for one in found if one["Name"] != DEFAULT and one.get("State") != DELETING]
    for item, own in each(others, tags_of):
        yield Found(item["Name"], item["Name"], own, arn=item["Arn"], details=item)


def schedules(account: Account, group: Found) -> Json:
    scheduler = account.clients["scheduler"]
    listed = pages(scheduler, "list_schedules", "Schedules", GroupName=group.id)
    names = sorted(str(one["Name"]) for one in listed)
    answers = each(names, lambda name: scheduler.get_schedule(GroupName=group.id, Name=name))
    return {"schedules": [_readable(answer) for _name, answer in answers]}


def _readable(answer: Json) -> Json:
    """With the overrides of its task as data, in which values that look like secrets are found and masked."""
    target = dict(answer.get("Target") or {})
    with contextlib.suppress(KeyError, TypeError, ValueError):
        target["Input"] = json.loads(target["Input"])
    return {name: value for name, value in {**answer, "Target": target}.items() if name != "ResponseMetadata"}
