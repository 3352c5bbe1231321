# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module auto_scaling_group does."""

from __future__ import annotations

from .._core import resource
from .._core.creating import persist
from .._core.plan import Plan
from .._core.shapes import check_values, input_shape
from .._core.tags import changes
from .._core.types import Connection, Json, Result
from . import api, model


class Group(resource.DeletableResource):
    service = "autoscaling"
    key = "auto_scaling_group"
    kind = "Auto Scaling group"
    sets = model.SETS
    new = model.NEW

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.shape = input_shape(self.aws, "UpdateAutoScalingGroup")
        self.settings: Json = {}

    def validate(self) -> None:
        check_values(self.shape, {"name": "AutoScalingGroupName"}, self.params)
        self.settings = model.checked(self.shape, self.params["settings"] or {}, self.check_mode)

    def find(self) -> Json | None:
        return api.describe_group(self.aws, self.params["name"])

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer, self.shape.members)

    def desired(self, current: Json | None) -> Json:
        return model.desired(self.params["name"], current, self.settings, self.desired_tags(current))

    def create(self, planned: Plan) -> None:
        name = self.params["name"]
        tags = model.tag_list(name, planned.predicted.get("tags") or {})
        request = {**self.settings, **({"Tags": tags} if tags else {})}
        # The launch template's instance profile may have been created just before.
        persist(lambda: api.create_group(self.aws, name, request))

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        name = current["name"]
        if "settings" in planned.members:
            api.update_group(self.aws, name, self.settings)
        if "tags" in planned.members:
            put, removed = changes(current["tags"], planned.predicted["tags"])
            api.change_tags(self.aws, model.tag_list(name, put), model.keys_of(name, removed))

    def delete(self, current: Json) -> bool:
        return api.delete_group(self.aws, current["name"], self.params["force"])

    def is_deleting(self, answer: Json) -> bool:
        return bool(answer.get("Status"))

    def progress(self, answer: Json | None) -> Json:
        return {"status": (answer or {}).get("Status"), "instances": (answer or {}).get("Instances") or []}


def run(connection: Connection) -> Result:
    return resource.run(Group(connection))
