# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_schedule_group does: a group and the schedules in it, as one resource."""

from __future__ import annotations

import datetime
import functools

from ..._core import ownership, resource
from ..._core import tags as tagging
from ..._core.creating import creating, persist, visible
from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan
from ..._core.shapes import input_shape, problems_of
from ..._core.types import Connection, Json, Result
from . import api, model
from .targets_flow import revisions, targets

DELETING = "DELETING"


class ScheduleGroup(resource.DeletableResource):
    service = "scheduler"
    key = "group"
    kind = "schedule group"
    sets = model.SETS
    new = model.NEW

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.ecs = connection.client("ecs")
        self.now = datetime.datetime.now(datetime.UTC)
        self.warnings: list[str] = []

    def validate(self) -> None:
        model.validate(self.params)

    def find(self) -> Json | None:
        group = api.get_group(self.aws, self.params["name"])
        if group is None or self.is_deleting(group):
            return group
        name = group["Name"]
        found = [api.get_schedule(self.aws, name, one) for one in api.list_schedules(self.aws, name)]
        return {**group, "Tags": api.list_tags(self.aws, group["Arn"]), "Schedules": [one for one in found if one]}

    def is_deleting(self, answer: Json) -> bool:
        return answer.get("State") == DELETING

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer, self.now)

    def desired(self, current: Json | None) -> Json:
        existing = (current or {}).get("schedules") or {}
        kept = {} if self.params["purge_schedules"] and self.params["schedules"] is not None else existing
        return {
            "name": self.params["name"],
            "tags": self.desired_tags(current),
            "schedules": {**kept, **self._schedules(existing)},
        }

    def _schedules(self, existing: Json) -> Json:
        if self.params["schedules"] is None:
            return model.following(existing, revisions(self.ecs, self.params["cluster"]))
        found = {}
        for one in self.params["schedules"]:
            name = one["name"]
            if not model.is_over(one, self.now):
                found[name] = self._schedule(one, existing.get(name))
            elif name in existing:
                found[name] = existing[name]
        return found

    def _schedule(self, one: Json, current: Json | None) -> Json:
        its_target = self.targets[one["name"]]
        if its_target is None:
            return {"ScheduleExpression": one["schedule"], "Target": UNKNOWN}
        wanted = model.desired_schedule(one, its_target, current, self.now)
        shape = input_shape(self.aws, "CreateSchedule")
        place = f"schedules, {one['name']}"
        problems = problems_of(shape, model.request(self.params["name"], one["name"], wanted), place)
        if problems:
            raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})
        return wanted

    def desired_tags(self, current: Json | None) -> tagging.Tags | None:
        """The tags that identify the owner are added in any case."""
        tags, own, existing = self.params["tags"], self.params["match_tags"], (current or {}).get("tags") or {}
        # Check mode compares a group that is not adopted without its tags.
        if (tags is None and not own) or (self.check_mode and model.unowned(current, own)):
            return None
        return tagging.desired(
            existing, {**(tags or {}), **(own or {})}, tags is not None and self.params["purge_tags"]
        )

    @functools.cached_property
    def targets(self) -> dict[str, Json | None]:
        return targets(self.ecs, self.params, self.check_mode)

    def refuse(self, current: Json | None, planned: Plan) -> None:
        unowned = model.unowned(current, self.params["match_tags"])
        if not unowned:
            model.refuse_foreign(current, self.params["match_tags"])
        elif not self.check_mode:
            ownership.refuse(unowned)
        self.warnings = [ownership.text_of(unowned)] if unowned else []

    def refuse_deletion(self, current: Json) -> None:
        model.refuse_foreign(current, self.params["match_tags"])

    def create(self, planned: Plan) -> None:
        api.create_group(self.aws, self.params["name"], planned.predicted.get("tags") or {})
        self._put_schedules({}, planned, begun=True)

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        if "tags" in planned.members:
            put, removed = tagging.changes(current["tags"], planned.predicted["tags"])
            api.change_tags(self.aws, current["arn"], put, removed)
        self._put_schedules(current["schedules"], planned, begun=False)
        for name in sorted(current["schedules"].keys() - planned.predicted["schedules"].keys()):
            api.delete_schedule(self.aws, current["name"], name)

    def _put_schedules(self, current: Json, planned: Plan, begun: bool) -> None:
        for name, schedule in sorted(planned.predicted["schedules"].items()):
            if current.get(name) == schedule:
                continue
            call = model.request(self.params["name"], name, schedule)
            if name in current:
                persist(functools.partial(api.update_schedule, self.aws, call))
            else:
                self._create_schedule(name, call, planned, begun)
            begun = True

    def _create_schedule(self, name: str, call: Json, planned: Plan, begun: bool) -> None:
        creating(
            lambda: persist(lambda: api.create_schedule(self.aws, call)),
            lambda: api.get_schedule(self.aws, self.params["name"], name),
            planned.diff,
            begun,
        )

    def wait_stable(self, created: Json | None) -> Json | None:
        return visible(self._with_all_schedules)

    def _with_all_schedules(self) -> Json | None:
        answer = self.existing()
        names = {one["name"] for one in self.params["schedules"] or () if not model.is_over(one, self.now)}
        return answer if answer and names <= {one["Name"] for one in answer["Schedules"]} else None

    def delete(self, current: Json) -> bool:
        """With all of its schedules, which takes AWS a moment."""
        deleted = api.delete_group(self.aws, current["name"])
        self.wait_deleted()
        return deleted

    def deleted(self, current: Json) -> Json:
        return current


def run(connection: Connection) -> Result:
    group = ScheduleGroup(connection)
    params = connection.params
    if params["state"] == "present" and params["schedules"] is None:
        return _followed(group)
    if params["state"] == "absent" and params["schedules"]:
        return _without_schedules(group)
    result = resource.run(group)
    if params["state"] == "present":
        over = [one["name"] for one in params["schedules"] if model.is_over(one, group.now)]
        result["warnings"] = group.warnings + [
            f"The schedule {name} will never run again. Remove it from the variables." for name in over
        ]
    return result


def _followed(group: ScheduleGroup) -> Result:
    """A group that exists, whose schedules run what the services run. None is created."""
    group.validate()
    if group.existing() is None:
        return {"changed": False, "diff": {"before": {}, "after": {}}, "group": {}}
    return resource.present(group)


def _without_schedules(group: ScheduleGroup) -> Result:
    """The group is kept, without the schedules that are named."""
    group.validate()
    answer = group.existing()
    if answer is None:
        return {"changed": False, "diff": {"before": {}, "after": {}}, "group": {}}
    current = group.from_api(answer)
    group.refuse_deletion(current)
    names = {one["name"] for one in group.params["schedules"]}
    deleted = {name: one for name, one in current["schedules"].items() if name in names}
    kept = {name: one for name, one in current["schedules"].items() if name not in deleted}
    for name in () if group.check_mode else sorted(deleted):
        api.delete_schedule(group.aws, current["name"], name)
    diff = {"before": {"schedules": deleted} if deleted else {}, "after": {}}
    return {"changed": bool(deleted), "diff": diff, "group": {**current, "schedules": kept}}
