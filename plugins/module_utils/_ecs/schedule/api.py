# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amazon EventBridge Scheduler, one typed function a call: paginated, errors translated.

`scheduler` is a client of `Connection.client("scheduler")`, which retries by itself.
"""

from __future__ import annotations

from ..._core.errors import aws_call, aws_delete, aws_find
from ..._core.paging import pages
from ..._core.tags import Tags, to_capital_list
from ..._core.types import Client, Json


@aws_find
def get_group(scheduler: Client, name: str) -> Json:
    return dict(scheduler.get_schedule_group(Name=name))


@aws_call
def list_tags(scheduler: Client, arn: str) -> list[Json]:
    return list(scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"])


@aws_call
def list_schedules(scheduler: Client, group: str) -> list[str]:
    """Names. The list has no targets, so each schedule is one more call."""
    found = pages(scheduler, "list_schedules", "Schedules", GroupName=group)
    return [str(one["Name"]) for one in found]


@aws_call
def list_scheduled(scheduler: Client, cluster: str = "") -> list[tuple[str, str]]:
    """Group and name of every schedule in the region that runs tasks of ECS, or those of one cluster, by its ARN."""
    found = pages(scheduler, "list_schedules", "Schedules")
    targets = ((one, str((one.get("Target") or {}).get("Arn") or "")) for one in found)
    return [
        (str(one["GroupName"]), str(one["Name"]))
        for one, arn in targets
        if arn == cluster or (not cluster and ":ecs:" in arn)
    ]


@aws_find
def get_schedule(scheduler: Client, group: str, name: str) -> Json:
    return dict(scheduler.get_schedule(GroupName=group, Name=name))


@aws_call
def create_group(scheduler: Client, name: str, tags: Tags) -> None:
    scheduler.create_schedule_group(Name=name, Tags=to_capital_list(tags))


@aws_delete
def delete_group(scheduler: Client, name: str) -> None:
    scheduler.delete_schedule_group(Name=name)


@aws_call
def change_tags(scheduler: Client, arn: str, put: Tags, removed: list[str]) -> None:
    if put:
        scheduler.tag_resource(ResourceArn=arn, Tags=to_capital_list(put))
    if removed:
        scheduler.untag_resource(ResourceArn=arn, TagKeys=removed)


@aws_call
def create_schedule(scheduler: Client, request: Json) -> None:
    scheduler.create_schedule(**request)


@aws_call
def update_schedule(scheduler: Client, request: Json) -> None:
    scheduler.update_schedule(**request)


@aws_delete
def delete_schedule(scheduler: Client, group: str, name: str) -> None:
    scheduler.delete_schedule(GroupName=group, Name=name)
