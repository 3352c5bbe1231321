# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module service_discovery_namespace does: a namespace and the services in it, as one resource."""

from __future__ import annotations

from .._core import resource, tags
from .._core.creating import creating, visible
from .._core.error_codes import AWS_ERROR, NOT_FOUND
from .._core.errors import SlipwayError
from .._core.names import last
from .._core.plan import Plan
from .._core.types import Connection, Json, Result
from .._core.waiting import poll
from . import api, model

# What AWS answers while tasks are still registered in a service, or services in a namespace.
IN_USE = "ResourceInUse"


class Namespace(resource.DeletableResource):
    service = "servicediscovery"
    key = kind = "namespace"
    new = model.NEW

    def validate(self) -> None:
        model.validate(self.params["name"], self.params["services"])

    def find(self) -> Json | None:
        name = self.params["name"]
        found = next((one for one in api.list_private_namespaces(self.aws) if one["Name"] == name), None)
        if found is None:
            return None
        services = api.list_services(self.aws, found["Id"])
        return {**found, "Services": services, "Tags": api.list_tags(self.aws, found["Arn"])}

    def from_api(self, answer: Json) -> Json:
        return model.from_api(answer)

    def desired(self, current: Json | None) -> Json:
        params = self.params
        services = model.desired_services(current, params["services"], params["purge_services"])
        return {"name": params["name"], "services": services, "tags": self.desired_tags(current)}

    def create(self, planned: Plan) -> None:
        name, wanted = self.params["name"], planned.predicted.get("tags") or {}
        self._wait(api.create_private_namespace(self.aws, name, self.params["vpc_id"], wanted), "created")
        answer = visible(self.find)
        if answer is None:
            raise SlipwayError(NOT_FOUND, f"AWS created the namespace {name}, but does not list it. Rerun.")
        self._create_services(self.from_api(answer), planned, begun=True)

    def update(self, current: Json, planned: Plan, answer: Json) -> None:
        services = current["services"]
        if "tags" in planned.members:
            # Others in the namespace are not ours to mark.
            own = [arn for name, arn in services.items() if name in self.params["services"]]
            put, removed = tags.changes(current["tags"], planned.predicted["tags"])
            for arn in (current["arn"], *own):
                api.change_tags(self.aws, arn, put, removed)
        self._create_services(current, planned, begun=False)
        for name in sorted(services.keys() - planned.predicted["services"].keys()):
            self.delete_service(name, services[name])

    def _create_services(self, current: Json, planned: Plan, begun: bool) -> None:
        wanted = planned.predicted.get("tags") or {}
        for name in sorted(planned.predicted["services"].keys() - current["services"].keys()):
            self._create_service(model.service_request(name, current["id"], wanted), planned, begun)
            begun = True

    def _create_service(self, request: Json, planned: Plan, begun: bool) -> None:
        name, owner = request["Name"], request["NamespaceId"]
        creating(
            lambda: api.create_service(self.aws, request),
            lambda: [one for one in api.list_services(self.aws, owner) if one["Name"] == name],
            planned.diff,
            begun,
        )

    def wait_stable(self, created: Json | None) -> Json | None:
        """The answer that shows all services; AWS may need some seconds to list a new one."""
        return visible(self._with_all_services)

    def _with_all_services(self) -> Json | None:
        answer = self.find()
        return answer if answer and self.from_api(answer)["services"].keys() >= set(self.params["services"]) else None

    def delete(self, current: Json) -> bool:
        for name, arn in current["services"].items():
            self.delete_service(name, arn)
        operation = api.delete_namespace(self.aws, current["id"])
        if operation:
            self._wait(operation, "deleted")
        return bool(operation)

    def deleted(self, current: Json) -> Json:
        return current

    def delete_service(self, name: str, arn: str) -> None:
        """ECS takes the tasks of a deleted service out of it a little later than it stops them."""

        def deleted() -> bool:
            try:
                api.delete_service(self.aws, last(arn))
            except SlipwayError as error:
                if error.details.get("error_code") != IN_USE:
                    raise
                return False
            return True

        waiting_for = f"the tasks in service {name} of namespace {self.params['name']} to stop"
        poll(deleted, bool, timeout=self.params["wait_timeout"], waiting_for=waiting_for)

    def _wait(self, operation_id: str, what: str) -> None:
        name = self.params["name"]
        operation = poll(
            lambda: api.get_operation(self.aws, operation_id),
            lambda seen: seen.get("Status") in ("SUCCESS", "FAIL"),
            timeout=self.params["wait_timeout"],
            waiting_for=f"namespace {name} to be {what}",
            describe=lambda seen: {"status": seen.get("Status")},
        )
        if operation["Status"] == "FAIL":
            reason = f"{operation.get('ErrorCode', '')} {operation.get('ErrorMessage', '')}".strip()
            raise SlipwayError(AWS_ERROR, f"The namespace {name} could not be {what}: {reason}")


def run(connection: Connection) -> Result:
    namespace = Namespace(connection)
    if connection.params["state"] == "absent" and connection.params["services"]:
        return _without_services(namespace)
    return resource.run(namespace)


def _without_services(namespace: Namespace) -> Result:
    """The namespace stays, without the services that are named."""
    namespace.validate()
    answer = namespace.find()
    if answer is None:
        return resource.absent(namespace)
    current = namespace.from_api(answer)
    deleted = {name: arn for name, arn in current["services"].items() if name in namespace.params["services"]}
    kept = {name: arn for name, arn in current["services"].items() if name not in deleted}
    for name, arn in () if namespace.check_mode else deleted.items():
        namespace.delete_service(name, arn)
    diff = {"before": {"services": deleted} if deleted else {}, "after": {}}
    return {"changed": bool(deleted), "diff": diff, "namespace": {**current, "services": kept}}
