# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_service: read, plan, apply once, and wait until the service is stable."""

from __future__ import annotations

from dataclasses import replace

from ..._core.creating import Exists
from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.plan import Plan, remove
from ..._core.types import Connection, Result
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.deployments import is_stable
from ..rollout.observe import RolloutReader, explain, wait_stable
from . import api
from .change_flow import Request, apply, delete, follow_change, wait_deleted
from .definition_flow import with_definition
from .members import Options
from .model import (
    DesiredService,
    ServicePlan,
    Shapes,
    exists,
    plan_service,
    predicted,
    refuse_blocked,
    to_result,
    with_tags,
)
from .options import desired_of, require_task_definition
from .read_flow import options_of, read_service, request_shapes, resolve_task_definition


def run(connection: Connection) -> Result:
    """The flow of ecs_service."""
    cloud = Cloud(connection.client)
    shapes = request_shapes(cloud.ecs)
    params = with_definition(cloud.ecs, connection.params, shapes)
    if not params["name"]:
        raise SlipwayError(INVALID_OPTION, "name: expected a name, here or as serviceName in the definition, got none.")
    connection = connection._replace(
        params={**params, "cluster": "default" if params["cluster"] is None else params["cluster"]}
    )
    check_cluster(connection.params["cluster"])
    if connection.params["state"] == "absent":
        return _absent(cloud, connection)
    request = _request(connection, shapes)
    try:
        return _present(cloud, request, shapes)
    except Exists as found:
        return _present_again(cloud, request, shapes, found)


def _present(cloud: Cloud, request: Request, shapes: Shapes) -> Result:
    found = read_service(cloud, request.cluster, request.name, request.check_mode)
    service = found if exists(found) else None
    if service and service.get("status") == "DRAINING":
        if not request.check_mode:
            wait_deleted(cloud, request.cluster, request.name, request.timeout)
        service = None
    current = options_of(cloud, service, request.desired)
    desired = _resolved(cloud, request, current)
    planned = plan_service(current, desired, shapes)
    refuse_blocked(planned, request.name)
    if request.check_mode:
        return _result(planned, predicted(service, planned, request.name))
    return carry_out(cloud, request, service, planned, found)


def _present_again(cloud: Cloud, request: Request, shapes: Shapes, found: Exists) -> Result:
    """Plan again with the service that a create has found. Another run created it, so it is never recreated."""
    try:
        result = _present(cloud, replace(request, desired=replace(request.desired, recreate=False)), shapes)
    except SlipwayError as error:
        raise SlipwayError(error.code, f"{error.msg} ({found.msg})", {**found.details, **error.details}) from found
    if found.changed and not result["changed"]:
        return {**result, "changed": True, "diff": found.diff}
    return result


def _request(connection: Connection, shapes: Shapes) -> Request:
    params = connection.params
    return Request(
        cluster=params["cluster"],
        name=params["name"],
        desired=desired_of(params, shapes, connection.check_mode),
        client_token=params["client_token"],
        wait=params["wait"],
        timeout=float(params["wait_timeout"]),
        check_mode=connection.check_mode,
        # An existing service is planned again instead: its settings show who created it, and what differs.
        ours=lambda _service: False,
    )


def _resolved(cloud: Cloud, request: Request, current: Options | None) -> DesiredService:
    """The desired service with the ARN of its task definition."""
    options = dict(request.desired.options)
    if options.get("task_definition"):
        running = str((current or {}).get("task_definition", ""))
        options["task_definition"] = resolve_task_definition(
            cloud, options["task_definition"], running, request.check_mode
        )
    desired = replace(request.desired, options=options)
    require_task_definition(desired, current, request.name)
    return desired


def carry_out(
    cloud: Cloud, request: Request, service: Options | None, planned: ServicePlan, deleted: Options | None
) -> Result:
    """Make the planned calls, then wait until the service is stable."""
    reader = RolloutReader(cloud, request.cluster, request.name)
    if request.wait and planned.changed:
        reader.require_tasks_readable()
        reader.read_known()
    after = apply(cloud, request, service, planned, deleted)
    result = _result(planned, with_tags(after, service, planned))
    if not request.wait or (not planned.changed and is_stable(after)):
        return result
    follow_change(reader, service if planned.action != "recreate" else None, after)
    try:
        outcome = wait_stable(reader, after, request.timeout)
    except SlipwayError as error:
        message = f"{error.msg} ECS continues the deployment of {request.name}; this run no longer monitors it."
        raise SlipwayError(error.code, message, {**result, **error.details}) from error
    result["service"] = to_result(with_tags(outcome.snapshot.service, service, planned))
    if outcome.verdict.state == "failed":
        failure = explain(reader, outcome)
        raise SlipwayError(failure.code, failure.msg, {**result, **failure.details})
    return result


def _absent(cloud: Cloud, connection: Connection) -> Result:
    params = connection.params
    cluster, name = params["cluster"], params["name"]
    try:
        found = api.describe_services(cloud.ecs, cluster, [name], include=["TAGS"])
    except SlipwayError as error:
        if error.code != NOT_FOUND:
            raise
        found = []
    if not found or not exists(found[0]):
        return {"changed": False, "diff": {"before": {}, "after": {}}}
    service = found[0]
    deleting = service.get("status") == "DRAINING"
    plan = Plan({}, {}, {}) if deleting else remove({"service_name": name, "status": service.get("status")})
    result: Result = {"changed": plan.changed, "diff": plan.diff, "service": to_result(service)}
    if connection.check_mode:
        return result
    if not deleting:
        delete(cloud, cluster, service, force=params["force"])
    if params["wait"]:
        wait_deleted(cloud, cluster, name, float(params["wait_timeout"]))
    return result


def _result(planned: ServicePlan, service: Options) -> Result:
    result = service if "service_name" in service else to_result(service)
    return {"changed": planned.changed, "diff": planned.plan.diff, "service": result}
