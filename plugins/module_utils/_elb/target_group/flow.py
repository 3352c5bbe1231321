# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module elb_target_group does."""

from __future__ import annotations

from ..._core import resource, tags
from ..._core.plan import Plan
from ..._core.shapes import input_shape
from ..._core.target_groups import HEALTH_OPTIONS, health_request
from ..._core.types import Connection, Json, Result
from . import api, model


class TargetGroup(resource.DeletableResource):
    service = "elbv2"
    key = "target_group"
    kind = "target group"
    new = model.NEW

    def validate(self) -> None:
        model.validate(input_shape(self.aws, "CreateTargetGroup"), self.params)

    def find(self) -> Json | None:
        return api.find_target_group(self.aws, self.params["name"])

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        return model.desired(self.params, current, self.desired_tags(current))

    def refuse(self, current: Json | None, planned: Plan) -> None:
        model.refuse(self.params, current, planned)

    def create(self, planned: Plan) -> None:
        arn = api.create_target_group(self.aws, model.create_request(self.params["name"], planned.predicted))
        self._change_attributes(arn, planned)

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        arn = current["target_group_arn"]
        self._change_attributes(arn, planned)
        if planned.members & HEALTH_OPTIONS:
            api.modify_target_group(self.aws, arn, health_request(planned.after))
        if "tags" in planned.members:
            api.change_tags(self.aws, arn, *tags.changes(current["tags"], planned.predicted["tags"]))

    def _change_attributes(self, arn: str, planned: Plan) -> None:
        if changed := model.changed_attributes(planned):
            api.modify_target_group_attributes(self.aws, arn, changed)

    def delete(self, current: Json) -> bool:
        return api.delete_target_group(self.aws, current["target_group_arn"])


def run(connection: Connection) -> Result:
    return resource.run(TargetGroup(connection))
