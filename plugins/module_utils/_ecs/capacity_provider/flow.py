# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ecs_capacity_provider does."""

from __future__ import annotations

import functools

from ..._core import resource
from ..._core.creating import persist
from ..._core.plan import Plan
from ..._core.shapes import check_options, input_shape, to_members
from ..._core.tags import changes, to_list
from ..._core.types import Connection, Json, Result
from ..._core.waiting import poll
from .. import api as ecs_api
from ..cluster import api as cluster_api
from ..cluster.model import is_stable as is_cluster_stable
from . import api, model


class Provider(resource.DeletableResource):
    service = "ecs"
    key = "capacity_provider"
    kind = "capacity provider"
    sets = model.SETS

    def validate(self) -> None:
        model.validate(self.params["name"])

    def find(self) -> Json | None:
        return api.describe_capacity_provider(self.aws, self.params["name"], self.params["cluster"])

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        name, given = self.params["name"], model.completed(current, self.params)
        shape = input_shape(self.aws, "CreateCapacityProvider")
        options = check_options(shape, given, members=model.PROVIDERS, allow_unknown=self.check_mode)
        model.refuse_invalid(name, options, is_new=current is None)
        return {"name": name, **model.desired(current, options), "tags": self.desired_tags(current)}

    def refuse(self, current: Json | None, planned: Plan) -> None:
        if current:
            model.refuse_immutable(current["name"], planned, input_shape(self.aws, "UpdateCapacityProvider"))

    def predict(self, predicted: Json) -> Json:
        return {**model.NEW, "cluster": self.params["cluster"] or "", **predicted}

    def create(self, planned: Plan) -> None:
        """With the given options, not with our assumption of the defaults."""
        shape = input_shape(self.aws, "CreateCapacityProvider")
        options = check_options(shape, model.completed(None, self.params), members=model.PROVIDERS)
        request = to_members(shape, {**options, "cluster": self.params["cluster"]})
        if planned.predicted.get("tags"):
            request["tags"] = to_list(planned.predicted["tags"])
        persist(lambda: api.create_capacity_provider(self.aws, {**request, "name": self.params["name"]}))

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        request = model.update_request(planned, input_shape(self.aws, "UpdateCapacityProvider"))
        if request:
            if model.is_busy(answer):  # AWS refuses the call while it carries out an earlier one
                self.wait_until(lambda now: not model.is_busy(now), "to finish an earlier change")
            within = {"cluster": self.params["cluster"]} if self.params["cluster"] else {}
            persist(lambda: api.update_capacity_provider(self.aws, {**request, **within, "name": current["name"]}))
        if "tags" in planned.members:
            ecs_api.change_tags(self.aws, current["arn"], *changes(current["tags"], planned.predicted["tags"]))

    def delete(self, current: Json) -> bool:
        for cluster in self.clusters:
            self._drain(cluster["clusterName"])
        return api.delete_capacity_provider(self.aws, current["name"], self.params["cluster"])

    def is_deleting(self, answer: Json) -> bool:
        return model.is_deleting(answer)

    def is_deleted(self, answer: Json | None) -> bool:
        return model.is_deleted(answer)

    def is_busy(self, answer: Json | None) -> bool:
        return model.is_busy(answer)

    def wait_stable(self, created: Json | None) -> Json | None:
        return self.wait_until(model.is_stable, "to be stable") if self.params["wait"] else self.find()

    def progress(self, answer: Json | None) -> Json:
        return {"status": (answer or {}).get("status"), "update_status": (answer or {}).get("updateStatus")}

    @functools.cached_property
    def clusters(self) -> list[Json]:
        """The clusters that the provider has to be taken from."""
        names = self.params["detach_from"]
        return cluster_api.describe_clusters(self.aws, names, ()) if names else []

    def detach(self, request: Json) -> None:
        """First: AWS refuses it while a service uses the provider, and then nothing has changed."""
        ecs, timeout = self.aws, self.params["wait_timeout"]
        persist(lambda: cluster_api.put_cluster_capacity_providers(ecs, request))
        poll(
            lambda: next(iter(cluster_api.describe_clusters(ecs, [request["cluster"]], ("ATTACHMENTS",))), None),
            is_cluster_stable,
            timeout=timeout,
            waiting_for=f"cluster {request['cluster']} to remove {self.params['name']}",
        )

    def _drain(self, cluster: str) -> None:
        """Its container instances get no new tasks, and services replace those that they have."""
        ecs, name = self.aws, self.params["name"]

        def hosts() -> list[Json]:
            return model.belonging(api.list_container_instances(ecs, cluster), name)

        working = [str(host["containerInstanceArn"]) for host in hosts() if host.get("status") == "ACTIVE"]
        api.drain_container_instances(ecs, cluster, working)
        poll(
            hosts,
            model.is_drained,
            timeout=self.params["wait_timeout"],
            waiting_for=f"the tasks on the hosts of {name} in cluster {cluster} to stop",
            describe=lambda last: {"hosts": [model.host(one) for one in last]},
        )


def run(connection: Connection) -> Result:
    provider = Provider(connection)
    provider.validate()
    return resource.present(provider) if connection.params["state"] == "present" else _absent(provider)


def _absent(provider: Provider) -> Result:
    """The capacity provider does not exist, nor in the clusters that are named."""
    name = provider.params["name"]
    requests = [request for cluster in provider.clusters if (request := model.without(cluster, name))]
    for request in () if provider.check_mode else requests:
        provider.detach(request)
    result = resource.absent(provider)
    if requests:
        result["changed"] = True
        result["diff"]["before"]["clusters"] = [request["cluster"] for request in requests]
    return result
