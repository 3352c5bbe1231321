# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ecs_cluster does."""

from __future__ import annotations

from ..._core import resource
from ..._core.creating import persist
from ..._core.plan import Plan, blank, compare
from ..._core.shapes import check_options, input_shape, to_members
from ..._core.tags import changes, to_list
from ..._core.types import Connection, Json, Result
from .. import api as ecs_api
from ..limits import name_problems, refuse
from ..service.namespace_flow import spelled_as
from . import api, model

PARTS = ("ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS")


class Cluster(resource.DeletableResource):
    service = "ecs"
    key = kind = "cluster"
    sets = model.SETS
    new = model.NEW

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.options: Json = {}

    def validate(self) -> None:
        refuse(list(name_problems(self.params["name"], "name")))
        shape = input_shape(self.aws, "CreateCluster")
        self.options = check_options(shape, self.params, skip=("tags", "cluster_name"), allow_unknown=self.check_mode)

    def find(self) -> Json | None:
        found = api.describe_clusters(self.aws, [self.params["name"]], PARTS)
        return found[0] if found else None

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        options = {**self.options, **self._namespace(current)}
        return {"name": self.params["name"], **model.desired(current, options), "tags": self.desired_tags(current)}

    def _namespace(self, current: Json | None) -> Json:
        """The default namespace, spelled as it is now where that names the same one."""
        desired = (self.options.get("service_connect_defaults") or {}).get("namespace", "")
        actual = ((current or {}).get("service_connect_defaults") or {}).get("namespace", "")
        spelled = spelled_as(lambda: self.connection.client("servicediscovery"), actual, desired)
        return {} if spelled == desired else {"service_connect_defaults": {"namespace": spelled}}

    def create(self, planned: Plan) -> None:
        name, wanted = self.params["name"], planned.predicted
        members = {member: value for member, value in wanted.items() if member != "tags" and not blank(value)}
        request = to_members(input_shape(self.aws, "CreateCluster"), {**members, "cluster_name": name})
        if wanted.get("tags"):
            request["tags"] = to_list(wanted["tags"])
        persist(lambda: api.create_cluster(self.aws, request))

    def created(self, result: Result, answer: Json) -> Result:
        """The result for a cluster that was to be created, with whatever differs applied to it.

        CreateCluster answers a cluster that a read did not show as if it had created it, and leaves it as it is. One
        without differences in which nothing runs cannot be distinguished from a new one: it is reported as created.
        """
        if model.is_busy(answer):
            return super().created(result, answer)
        found = self.from_api(answer)
        planned = compare(found, self.desired(found), self.sets)
        if planned.changed:
            self.update(found, planned, answer)
            return super().created({**result, "diff": planned.diff}, self.wait_changed(answer) or answer)
        if any(found[count] for count in model.COUNTS):
            result = {"changed": False, "diff": planned.diff}
        return super().created(result, answer)

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        wanted, cluster = planned.predicted, {"cluster": current["name"]}
        if planned.members & model.UPDATED:
            changed = {name: wanted[name] for name in planned.members & model.UPDATED}
            if changed.get("service_connect_defaults") == {}:
                changed["service_connect_defaults"] = {"namespace": ""}
            update = to_members(input_shape(self.aws, "UpdateCluster"), {**changed, **cluster})
            persist(lambda: api.update_cluster(self.aws, update), self._wait_idle)
        if planned.members & model.PROVIDERS:
            if model.is_busy(answer):  # AWS refuses the call while it carries out an earlier one
                self._wait_idle()
            both = {name: wanted[name] for name in model.PROVIDERS}
            request = to_members(input_shape(self.aws, "PutClusterCapacityProviders"), {**both, **cluster})
            # Refused, too, while AWS carries out what came before.
            persist(lambda: api.put_cluster_capacity_providers(self.aws, request), self._wait_idle)
        if "tags" in planned.members:
            ecs_api.change_tags(self.aws, current["arn"], *changes(current["tags"], wanted["tags"]))

    def delete(self, current: Json) -> bool:
        return api.delete_cluster(self.aws, current["name"])

    def deleted(self, current: Json) -> Json:
        return {**current, "status": "INACTIVE"}

    def is_deleting(self, answer: Json) -> bool:
        return answer.get("status") in ("DEPROVISIONING", "INACTIVE")

    def is_deleted(self, answer: Json | None) -> bool:
        return model.is_deleted(answer)

    def is_busy(self, answer: Json | None) -> bool:
        return model.is_busy(answer)

    def wait_stable(self, created: Json | None = None) -> Json | None:
        return self.wait_until(model.is_stable, "to be stable") if self.params["wait"] else self.find()

    def _wait_idle(self) -> None:
        self.wait_until(lambda answer: not model.is_busy(answer), "to finish attaching its capacity providers")

    def progress(self, answer: Json | None) -> Json:
        return {"status": (answer or {}).get("status")}


def run(connection: Connection) -> Result:
    return resource.run(Cluster(connection))
