# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ec2_flow_log does. A flow log is found by its resource and tags, as it has no name."""

from __future__ import annotations

from ..._core import resource, tags
from ..._core.creating import persist
from ..._core.plan import Plan
from ..._core.types import Connection, Json, Result
from . import api, model


class FlowLog(resource.DeletableResource):
    service = "ec2"
    key = "flow_log"
    kind = "flow log"
    new = model.NEW

    def validate(self) -> None:
        model.validate(self.params)

    def _matching(self) -> list[Json]:
        own = self.params["match_tags"]
        found = api.describe_flow_logs(self.aws, self.params["resource_id"])
        return [one for one in found if tags.carries(tags.from_list(one.get("Tags")), own)]

    def find(self) -> Json | None:
        """Of several, the one that delivers to the log group."""
        group = self.params["log_group_name"]
        return min(self._matching(), key=lambda one: self.from_api(one)["log_group_name"] != group, default=None)

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        return model.desired(self.params, current, self.desired_tags(current))

    def desired_tags(self, current: Json | None) -> tags.Tags | None:
        """Whatever is found has the tags by which it is found."""
        if current and self.params["tags"] is None:
            return None
        wanted = {**(self.params["tags"] or {}), **self.params["match_tags"]}
        return tags.desired((current or {}).get("tags", {}), wanted, self.params["purge_tags"])

    def create(self, planned: Plan) -> None:
        wanted = planned.predicted
        # AWS may not know a new role yet.
        persist(lambda: api.create_flow_log(self.aws, model.request(wanted)))

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        if planned.members & {*model.FIXED}:
            # Beside the current one, AWS refuses another with the same log group.
            api.delete_flow_logs(self.aws, [current["id"]])
            self.create(planned)
        else:
            put, removed = tags.changes(current["tags"], planned.predicted["tags"])
            api.change_tags(self.aws, current["id"], put, removed)

    def delete(self, current: Json) -> bool:
        return api.delete_flow_logs(self.aws, [one["FlowLogId"] for one in self._matching()])


def run(connection: Connection) -> Result:
    return resource.run(FlowLog(connection))
