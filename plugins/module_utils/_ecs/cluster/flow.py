# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cluster modules do: read, plan, apply once, wait."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.creating import persist
from ..._core.plan import UNKNOWN, Plan, blank
from ..._core.shapes import check_options, to_members
from ..._core.types import Client, Connection, Json, Result
from ..._core.waiting import poll
from .. import api as ecs_api
from ..limits import name_problems, refuse
from ..service.namespaces import spelled_as
from . import api
from .model import COUNTS, NOTHING, PROVIDERS, UPDATED, from_answer, is_busy, is_gone, is_settled, plan

PARTS = ("ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS")


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The cluster is there and as asked."""
    ecs, params = connection.client("ecs"), connection.params
    refuse(list(name_problems(params["name"], "name")))
    options = check_options(_request(ecs, "CreateCluster"), params, skip=("tags",), allow_unknown=connection.check_mode)
    seen = _living(connection, find(ecs, params["name"]))
    current = from_answer(seen) if seen else None
    tags = tagging.wanted((current or {}).get("tags") or {}, params["tags"], params["purge_tags"])
    planned = plan(current, _known_namespace(connection, current, options), tags)
    result: Result = {"changed": planned.changed or current is None, "diff": planned.diff}
    if current is None:
        result["diff"]["after"]["name"] = params["name"]
    if connection.check_mode:
        return {**result, "cluster": _predict(params["name"], current, planned)}
    if current is None:
        seen = _create(ecs, params["name"], planned)
    elif planned.changed:
        _update(connection, current, planned, is_busy(seen))
    if result["changed"] or is_busy(seen):
        seen = _settled(connection) if params["wait"] else find(ecs, params["name"])
    if current is None and seen and not is_busy(seen):
        return _brought_to(connection, result, seen, options)
    return {**result, "cluster": from_answer(seen or {})}


def _brought_to(connection: Connection, result: Result, seen: Json, options: Json) -> Result:
    """The result for a cluster that was to be created, with whatever is not yet as asked applied to it.

    CreateCluster answers a cluster that a read did not show as if it had created it, and leaves it as it is. One that
    is as asked, and in which nothing runs, cannot be told from a new one: it is reported as created.
    """
    params, found = connection.params, from_answer(seen)
    tags = tagging.wanted(found["tags"], params["tags"], params["purge_tags"])
    planned = plan(found, _known_namespace(connection, found, options), tags)
    if planned.changed:
        _update(connection, found, planned, is_busy(seen))
        seen = (_settled(connection) if params["wait"] else find(connection.client("ecs"), params["name"])) or seen
        result = {**result, "diff": planned.diff}
    elif any(found[count] for count in COUNTS):
        result = {"changed": False, "diff": planned.diff}
    return {**result, "cluster": from_answer(seen)}


def absent(connection: Connection) -> Result:
    """The cluster is not there."""
    ecs, params = connection.client("ecs"), connection.params
    seen = find(ecs, params["name"])
    if seen is None or is_gone(seen):
        return {"changed": False, "diff": {"before": {}, "after": {}}}
    current = from_answer(seen)
    going = current["status"] == "DEPROVISIONING"
    if not connection.check_mode:
        if not going:
            api.delete_cluster(ecs, params["name"])
        if params["wait"]:
            _gone(connection)
    before = {} if going else {name: current[name] for name in ("name", *NOTHING) if current[name]}
    return {
        "changed": not going,
        "diff": {"before": before, "after": {}},
        "cluster": {**current, "status": "INACTIVE"},
    }


def find(ecs: Client, name: str) -> Json | None:
    """The cluster as AWS answers it."""
    found = api.describe_clusters(ecs, [name], PARTS)
    return found[0] if found else None


def _request(ecs: Client, operation: str) -> t.Any:
    return ecs.meta.service_model.operation_model(operation).input_shape


def _living(connection: Connection, seen: Json | None) -> Json | None:
    """The cluster, unless it is gone; one that is about to go is waited for, since its name is free afterwards."""
    if seen and seen.get("status") == "DEPROVISIONING":
        if not connection.check_mode:
            _gone(connection)
        return None
    return None if is_gone(seen) else seen


def _known_namespace(connection: Connection, current: Json | None, options: Json) -> Json:
    asked = (options.get("service_connect_defaults") or {}).get("namespace", "")
    has = ((current or {}).get("service_connect_defaults") or {}).get("namespace", "")
    spelled = spelled_as(lambda: connection.client("servicediscovery"), has, asked)
    return options if spelled == asked else {**options, "service_connect_defaults": {"namespace": spelled}}


def _predict(name: str, current: Json | None, planned: Plan) -> Json:
    # Container Insights of a new cluster follows a setting of the account.
    new = {"name": name, "arn": UNKNOWN, "status": "ACTIVE", **dict.fromkeys(COUNTS, 0), **NOTHING, "settings": UNKNOWN}
    return {**(current or new), **planned.predicted}


def _create(ecs: Client, name: str, planned: Plan) -> Json:
    wanted = {member: value for member, value in planned.predicted.items() if member != "tags" and not blank(value)}
    request = to_members(_request(ecs, "CreateCluster"), {**wanted, "cluster_name": name})
    if planned.predicted.get("tags"):
        request["tags"] = tagging.to_list(planned.predicted["tags"])
    return persist(lambda: api.create_cluster(ecs, request))


def _update(connection: Connection, current: Json, planned: Plan, busy: bool) -> None:
    ecs, wanted = connection.client("ecs"), planned.predicted
    if planned.members & UPDATED:
        changed = {name: wanted[name] for name in planned.members & UPDATED}
        if changed.get("service_connect_defaults") == {}:
            changed["service_connect_defaults"] = {"namespace": ""}
        update = to_members(_request(ecs, "UpdateCluster"), {**changed, "cluster": current["name"]})
        persist(lambda: api.update_cluster(ecs, update), lambda: _waited(connection))
    if planned.members & PROVIDERS:
        if busy:  # AWS refuses the call while it carries out an earlier one
            _waited(connection)
        both = {name: wanted[name] for name in PROVIDERS}
        request = to_members(_request(ecs, "PutClusterCapacityProviders"), {**both, "cluster": current["name"]})
        # Refused, too, while AWS carries out what came before.
        persist(lambda: api.put_cluster_capacity_providers(ecs, request), lambda: _waited(connection))
    if "tags" in planned.members:
        put, gone = tagging.changes(current["tags"], wanted["tags"])
        ecs_api.tag_resource(ecs, current["arn"], tagging.to_list(put))
        ecs_api.untag_resource(ecs, current["arn"], gone)


def _waited(connection: Connection) -> None:
    """The cluster has nothing under way."""
    _poll(connection, lambda seen: not is_busy(seen), "to be done with its capacity providers")


def _settled(connection: Connection) -> Json | None:
    return _poll(connection, is_settled, "to be ready")


def _gone(connection: Connection) -> None:
    _poll(connection, is_gone, "to be gone")


def _poll(connection: Connection, done: t.Callable[[Json | None], bool], what: str) -> Json | None:
    ecs, params = connection.client("ecs"), connection.params
    return poll(
        lambda: find(ecs, params["name"]),
        done,
        timeout=params["wait_timeout"],
        waiting_for=f"cluster {params['name']} {what}",
        describe=lambda last: {"status": (last or {}).get("status")},
    )
