# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module for capacity providers does: read, plan, apply once, wait."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.creating import converge, creating, persist
from ..._core.plan import UNKNOWN, Plan
from ..._core.shapes import Shape, check_options, to_members
from ..._core.types import Client, Connection, Json, Result
from ..._core.waiting import poll
from .. import api as ecs_api
from ..cluster import api as cluster_api
from ..cluster.model import is_settled as is_cluster_settled
from . import api
from . import model as provider


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The capacity provider is there and as asked."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    ecs, params = connection.client("ecs"), connection.params
    provider.refuse_name(params["name"])
    seen = _living(connection, _find(connection))
    current = provider.from_answer(seen) if seen else None
    asked = provider.completed(current, params)
    shape = _shape(ecs, "CreateCapacityProvider")
    options = check_options(shape, asked, members=provider.PROVIDERS, allow_unknown=connection.check_mode)
    provider.refuse_wrong(params["name"], options, is_new=current is None)
    tags = tagging.wanted((current or {}).get("tags") or {}, params["tags"], params["purge_tags"])
    planned = provider.plan(current, options, tags)
    result: Result = {"changed": planned.changed or current is None, "diff": planned.diff}
    if current is None:
        result["diff"]["after"]["name"] = params["name"]
    else:
        provider.refuse_immutable(params["name"], planned, _shape(ecs, "UpdateCapacityProvider"))
    if connection.check_mode:
        return {**result, "capacity_provider": _predict(params, current, planned)}
    if current is None:
        _create(connection, options, planned)
    elif planned.changed:
        _update(connection, current, planned, seen)
    if result["changed"] or provider.is_busy(seen):
        seen = _poll(connection, provider.is_settled, "to be ready") if params["wait"] else _find(connection)
    return {**result, "capacity_provider": provider.from_answer(seen or {})}


def absent(connection: Connection) -> Result:
    """The capacity provider is not there, nor in the clusters that are named."""
    ecs, params = connection.client("ecs"), connection.params
    seen = _find(connection)
    there = seen is not None and not provider.is_going(seen)
    clusters = cluster_api.describe_clusters(ecs, params["detach_from"], ()) if params["detach_from"] else []
    held = [request for cluster in clusters if (request := provider.without(cluster, params["name"]))]
    if not connection.check_mode:
        for request in held:
            _detach(connection, request)
        for cluster in clusters if there else ():
            _drain(connection, cluster["clusterName"])
        if there:
            api.delete_capacity_provider(ecs, params["name"], params["cluster"])
        if seen and params["wait"]:
            _poll(connection, provider.is_gone, "to be gone")
    before = _shown(provider.from_answer(seen)) if seen and there else {}
    if held:
        before["clusters"] = [request["cluster"] for request in held]
    return {"changed": bool(before), "diff": {"before": before, "after": {}}}


def _shape(ecs: Client, operation: str) -> Shape:
    return t.cast("Shape", ecs.meta.service_model.operation_model(operation).input_shape)


def _shown(current: Json) -> Json:
    return {name: current[name] for name in ("name", *provider.PROVIDERS, "tags") if current.get(name)}


def _find(connection: Connection) -> Json | None:
    params = connection.params
    return api.describe_capacity_provider(connection.client("ecs"), params["name"], params["cluster"])


def _living(connection: Connection, seen: Json | None) -> Json | None:
    """The capacity provider, unless it is gone; one that is about to go is waited for, as its name is free then."""
    if not provider.is_going(seen):
        return seen
    if not connection.check_mode:
        _poll(connection, provider.is_gone, "to be gone")
    return None


def _predict(params: Json, current: Json | None, planned: Plan) -> Json:
    empty: Json = {name: {} for name in provider.PROVIDERS}
    new = {"name": params["name"], "arn": UNKNOWN, "status": "ACTIVE", "cluster": params["cluster"] or "", "tags": {}}
    return {**(current or {**new, **empty}), **planned.predicted}


def _create(connection: Connection, options: Json, planned: Plan) -> None:
    """With what was asked, not with our idea of the defaults."""
    ecs, params = connection.client("ecs"), connection.params
    request = to_members(_shape(ecs, "CreateCapacityProvider"), {**options, "cluster": params["cluster"]})
    if planned.predicted.get("tags"):
        request["tags"] = tagging.to_list(planned.predicted["tags"])
    creating(
        lambda: persist(lambda: api.create_capacity_provider(ecs, {**request, "name": params["name"]})),
        lambda: not provider.is_going(seen := _find(connection)) and seen,
        planned.diff,
    )


def _update(connection: Connection, current: Json, planned: Plan, seen: Json | None) -> None:
    ecs, params = connection.client("ecs"), connection.params
    request = provider.update_request(planned, _shape(ecs, "UpdateCapacityProvider"))
    if request:
        if provider.is_busy(seen):  # AWS refuses the call while it carries out an earlier one
            _poll(connection, lambda now: not provider.is_busy(now), "to be done with what was asked before")
        within = {"cluster": params["cluster"]} if params["cluster"] else {}
        persist(lambda: api.update_capacity_provider(ecs, {**request, **within, "name": params["name"]}))
    if "tags" in planned.members:
        put, gone = tagging.changes(current["tags"], planned.predicted["tags"])
        ecs_api.tag_resource(ecs, current["arn"], tagging.to_list(put))
        ecs_api.untag_resource(ecs, current["arn"], gone)


def _detach(connection: Connection, request: Json) -> None:
    """First of all: AWS refuses it while a service still uses the provider, and nothing has happened then."""
    ecs, timeout = connection.client("ecs"), connection.params["wait_timeout"]
    persist(lambda: cluster_api.put_cluster_capacity_providers(ecs, request))
    poll(
        lambda: next(iter(cluster_api.describe_clusters(ecs, [request["cluster"]], ("ATTACHMENTS",))), None),
        is_cluster_settled,
        timeout=timeout,
        waiting_for=f"cluster {request['cluster']} to be without {connection.params['name']}",
    )


def _drain(connection: Connection, cluster: str) -> None:
    """Its hosts get no tasks any more, and those that they have go elsewhere."""
    ecs, params = connection.client("ecs"), connection.params

    def hosts() -> list[t.Mapping[str, t.Any]]:
        return provider.belonging(api.list_container_instances(ecs, cluster), params["name"])

    working = [str(host["containerInstanceArn"]) for host in hosts() if host.get("status") == "ACTIVE"]
    api.drain_container_instances(ecs, cluster, working)
    poll(
        hosts,
        provider.is_drained,
        timeout=params["wait_timeout"],
        waiting_for=f"the hosts of {params['name']} in cluster {cluster} to be without tasks",
        describe=lambda last: {"hosts": [_host(host) for host in last]},
    )


def _host(instance: t.Mapping[str, t.Any]) -> Json:
    members = {"instance": "ec2InstanceId", "status": "status", "running": "runningTasksCount"}
    return {name: instance.get(member) for name, member in members.items()}


def _poll(connection: Connection, done: t.Callable[[Json | None], bool], what: str) -> Json | None:
    return poll(
        lambda: _find(connection),
        done,
        timeout=connection.params["wait_timeout"],
        waiting_for=f"capacity provider {connection.params['name']} {what}",
        describe=lambda last: {"status": (last or {}).get("status"), "update_status": (last or {}).get("updateStatus")},
    )
