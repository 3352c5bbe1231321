# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module for namespaces does: read, plan, apply once, wait."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._core import tags as tagging
from .._core.creating import converge, creating, visible
from .._core.error_codes import AWS_ERROR, NOT_FOUND
from .._core.errors import SlipwayError
from .._core.plan import compare
from .._core.types import Client, Connection, Json, Result
from .._core.waiting import poll
from . import api
from . import model as namespace

# What AWS answers while tasks are still registered in a service, or services in a namespace.
IN_USE = "ResourceInUse"


@dataclass
class Seen:
    """What is there: the namespace as AWS answers it, its services by name, its tags."""

    answer: Json | None = None
    services: dict[str, Json] = field(default_factory=dict)
    tags: tagging.Tags = field(default_factory=dict)

    @property
    def arns(self) -> dict[str, str]:
        return {name: service["Arn"] for name, service in self.services.items()}


def run(connection: Connection) -> Result:
    """The flow of service_discovery_namespace."""
    params = connection.params
    namespace.check(params["name"], params["services"])

    def plan_and_apply() -> Result:
        seen = _read(connection.client("servicediscovery"), params["name"])
        return _present(connection, seen) if params["state"] == "present" else _absent(connection, seen)

    return converge(plan_and_apply)


def _read(cloud_map: Client, name: str) -> Seen:
    found = [item for item in api.list_private_namespaces(cloud_map) if item["Name"] == name]
    if not found:
        return Seen()
    services = api.list_services(cloud_map, found[0]["Id"])
    tags = tagging.from_list(api.list_tags(cloud_map, found[0]["Arn"]))
    return Seen(found[0], {service["Name"]: service for service in services}, tags)


def _present(connection: Connection, seen: Seen) -> Result:
    params = connection.params
    current = {"services": sorted(seen.services), "tags": seen.tags} if seen.answer else None
    tags = tagging.desired(seen.tags, params["tags"], params["purge_tags"])
    wanted = {*params["services"], *(() if params["purge_services"] else seen.services)}
    planned = compare(current, {"services": sorted(wanted), "tags": tags}, namespace.SETS)
    result: Result = {"changed": planned.changed or current is None, "diff": planned.diff}
    if current is None:
        result["diff"]["after"]["name"] = params["name"]
    if result["changed"] and not connection.check_mode:
        _apply(connection, seen, tags or {}, planned.diff)
    view = namespace.predicted(params["name"], seen.answer, seen.arns, planned)
    return {**result, "namespace": view}


def _apply(connection: Connection, seen: Seen, tags: tagging.Tags, diff: Json) -> None:
    """Make it so, and note in `seen` what is there now."""
    cloud_map, params = connection.client("servicediscovery"), connection.params
    begun = seen.answer is None
    if seen.answer is None:
        made = creating(
            lambda: api.create_private_namespace(cloud_map, params["name"], params["vpc_id"], _tag_list(tags)),
            lambda: _read(cloud_map, params["name"]).answer,
            diff,
        )
        _done(connection, made, "made")
        seen.answer = visible(lambda: _read(cloud_map, params["name"]).answer)
        if seen.answer is None:
            raise SlipwayError(NOT_FOUND, f"AWS has made the namespace {params['name']} and does not list it.")
    elif params["tags"] is not None:
        put, gone = tagging.changes(seen.tags, tags)
        # Others in the namespace are not ours to mark.
        own = [arn for name, arn in seen.arns.items() if name in params["services"]]
        for arn in (seen.answer["Arn"], *own):
            api.tag(cloud_map, arn, _tag_list(put))
            api.untag(cloud_map, arn, gone)
    for name in sorted(set(params["services"]) - set(seen.services)):
        request = {**namespace.service_request(name, seen.answer["Id"]), "Tags": _tag_list(tags)}
        seen.services[name] = _create_service(cloud_map, request, diff, begun)
        begun = True
    for name in sorted(set(seen.services) - set(params["services"])) if params["purge_services"] else ():
        _delete_service(connection, seen.services.pop(name))


def _create_service(cloud_map: Client, request: Json, diff: Json, begun: bool) -> Json:
    owner = request["NamespaceId"]
    return creating(
        lambda: api.create_service(cloud_map, request),
        lambda: [one for one in api.list_services(cloud_map, owner) if one["Name"] == request["Name"]],
        diff,
        begun,
    )


def _tag_list(tags: tagging.Tags) -> list[dict[str, str]]:
    return tagging.to_capital_list(tags)


def _absent(connection: Connection, seen: Seen) -> Result:
    name = connection.params["name"]
    if seen.answer is None:
        return {"changed": False, "diff": {"before": {}, "after": {}}}
    if connection.params["services"]:
        return _without_services(connection, seen, seen.answer)
    view = namespace.shown(name, seen.answer, seen.arns, seen.tags)
    if not connection.check_mode:
        for service in seen.services.values():
            _delete_service(connection, service)
        deletion = api.delete_namespace(connection.client("servicediscovery"), seen.answer["Id"])
        if deletion:
            _done(connection, deletion, "gone")
    before = {"name": name, "services": sorted(seen.services), "tags": seen.tags}
    return {"changed": True, "diff": {"before": before, "after": {}}, "namespace": view}


def _without_services(connection: Connection, seen: Seen, answer: Json) -> Result:
    """The namespace stays, without the services that are named."""
    gone = sorted(set(seen.services) & set(connection.params["services"]))
    planned = compare({"services": sorted(seen.services)}, {"services": sorted(set(seen.services) - set(gone))})
    services = {name: seen.services.pop(name) for name in gone}
    if not connection.check_mode:
        for service in services.values():
            _delete_service(connection, service)
    view = namespace.shown(connection.params["name"], answer, seen.arns, seen.tags)
    return {"changed": planned.changed, "diff": planned.diff, "namespace": view}


def _delete_service(connection: Connection, service: Json) -> None:
    """ECS takes the tasks of a deleted service out of it a little later than it stops them."""
    cloud_map, params = connection.client("servicediscovery"), connection.params

    def deleted() -> bool:
        try:
            api.delete_service(cloud_map, service["Id"])
        except SlipwayError as error:
            if error.details.get("error_code") != IN_USE:
                raise
            return False
        return True

    waiting_for = f"the tasks in service {service['Name']} of namespace {params['name']} to be gone"
    poll(deleted, bool, timeout=params["wait_timeout"], waiting_for=waiting_for)


def _done(connection: Connection, operation_id: str, what: str) -> None:
    cloud_map, params = connection.client("servicediscovery"), connection.params
    operation = poll(
        lambda: api.get_operation(cloud_map, operation_id),
        lambda seen: seen.get("Status") in ("SUCCESS", "FAIL"),
        timeout=params["wait_timeout"],
        waiting_for=f"namespace {params['name']} to be {what}",
        describe=lambda last: {"status": last.get("Status")},
    )
    if operation["Status"] == "FAIL":
        reason = f"{operation.get('ErrorCode', '')} {operation.get('ErrorMessage', '')}".strip()
        raise SlipwayError(AWS_ERROR, f"The namespace {params['name']} could not be {what}: {reason}")
