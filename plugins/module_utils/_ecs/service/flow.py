# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_service does: read, plan, apply once, watch."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ..._core import tags as tagging
from ..._core.creating import Exists, persist, visible
from ..._core.error_codes import CONFLICT, INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan, remove
from ..._core.shapes import check_options
from ..._core.types import Connection, Result
from ..._core.waiting import Clock, poll
from .. import api as ecs_api
from ..arguments import SERVICE_MEMBERS
from ..limits import check_cluster, problems_of, refuse
from ..release.checkpoint import client_token
from ..rollout.judge import RolloutJudge, deployment_of, is_steady, primary, starts_deployment
from ..rollout.observe import Cloud, RolloutReader, explain, wait_stable
from ..task_definition import api as definition_api
from . import api
from . import api as service_api
from .limits import service_problems
from .members import Options
from .model import DesiredService, ServicePlan, Shapes, exists, from_api, plan_service, refuse_blocked, to_result
from .namespaces import spelled_as

# Members of the request that are no options of the same meaning.
_NOT_OPTIONS = ("cluster", "service_name", "client_token", "task_definition", "tags")
# For so long a read may not show what was created just now.
_STALE_SECONDS = 10.0


@dataclass(frozen=True)
class Request:
    """The module's options, in their types."""

    cluster: str
    name: str
    desired: DesiredService
    client_token: str | None
    wait: bool
    timeout: float
    check_mode: bool
    # Whether a service that is there when it is to be created is what this request was to create.
    ours: t.Callable[[Options], bool]


def run(connection: Connection) -> Result:
    """The flow of ecs_service."""
    cloud = Cloud(connection.client)
    check_cluster(connection.params["cluster"])
    if connection.params["state"] == "absent":
        return _absent(cloud, connection)
    shapes = request_shapes(cloud.ecs)
    request = _request(connection, shapes)
    try:
        return _present(cloud, request, shapes)
    except Exists as found:
        return _present_again(cloud, request, shapes, found)


def _present(cloud: Cloud, request: Request, shapes: Shapes) -> Result:
    found = read_service(cloud, request)
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
    """Plan what a create found as an update. It is not of this run, so it is not deleted for what cannot be changed."""
    try:
        result = _present(cloud, replace(request, desired=replace(request.desired, recreate=False)), shapes)
    except SlipwayError as error:
        raise SlipwayError(error.code, f"{error.msg} ({found.msg})", {**found.details, **error.details}) from found
    if found.changed and not result["changed"]:
        return {**result, "changed": True, "diff": found.diff}
    return result


def request_shapes(ecs: t.Any) -> Shapes:
    model = ecs.meta.service_model
    return Shapes(
        model.operation_model("CreateService").input_shape,
        model.operation_model("UpdateService").input_shape,
    )


def desired_of(params: t.Mapping[str, t.Any], shapes: Shapes, check_mode: bool) -> DesiredService:
    """What the options of a service ask for, each checked."""
    checked, wrong = problems_of(
        lambda: check_options(
            shapes.create, params, skip=_NOT_OPTIONS, members=SERVICE_MEMBERS, allow_unknown=check_mode
        )
    )
    given = {name: params.get(name) for name in SERVICE_MEMBERS}
    refuse(wrong + service_problems(params["name"], given if checked is None else checked))
    options = {**(checked or {}), "task_definition": params["task_definition"], "tags": params["tags"]}
    return DesiredService(
        {name: value for name, value in options.items() if value is not None},
        purge_tags=params["purge_tags"],
        force_new_deployment=params["force_new_deployment"],
        recreate=params.get("recreate", False),
    )


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
        # Planned again instead: who made it, and whether it is as asked, follows from its settings.
        ours=lambda _service: False,
    )


def read_service(cloud: Cloud, request: Request) -> Options | None:
    """The service, also one that is deleted, or None; in check mode also when its cluster is yet to be made."""
    try:
        found = api.describe_services(cloud.ecs, request.cluster, [request.name], include=["TAGS"])
    except SlipwayError as error:
        if error.code == NOT_FOUND and request.check_mode:
            return None
        raise
    return found[0] if found else None


def options_of(cloud: Cloud, service: Options | None, desired: DesiredService) -> Options | None:
    """The options that a service, as AWS answers it, stands for, as far as `desired` has to be compared with them."""
    if service is None:
        return None
    monitoring = None
    revisions = service.get("currentServiceRevisions")
    if desired.options.get("monitoring") is not None and revisions:
        # Only the service's revision shows it.
        revision = service_api.describe_service_revision(cloud.ecs, revisions[0]["arn"])
        monitoring = (revision or {}).get("monitoring")
    current = from_api(service, monitoring)
    asked = desired.options.get("service_connect_configuration") or {}
    connect = current["service_connect_configuration"]
    spelled = spelled_as(lambda: cloud.discovery, asked.get("namespace", ""), connect.get("namespace", ""))
    return {**current, "service_connect_configuration": {**connect, **({"namespace": spelled} if spelled else {})}}


def _resolved(cloud: Cloud, request: Request, current: Options | None) -> DesiredService:
    """The wish with the ARN of the task definition instead of whatever names it."""
    options = dict(request.desired.options)
    if options.get("task_definition"):
        running = str((current or {}).get("task_definition", ""))
        options["task_definition"] = resolve_task_definition(
            cloud, options["task_definition"], running, request.check_mode
        )
    desired = DesiredService(
        options, request.desired.purge_tags, request.desired.force_new_deployment, request.desired.recreate
    )
    require_task_definition(desired, current, request.name)
    return desired


def require_task_definition(desired: DesiredService, current: Options | None, name: str) -> None:
    """Fail where a new service is to be made of nothing."""
    made_by_others = desired.options.get("deployment_controller", {}).get("type") == "EXTERNAL"
    if current is None and not desired.options.get("task_definition") and not made_by_others:
        raise SlipwayError(INVALID_OPTION, f"task_definition is required to create the service {name}.")


def resolve_task_definition(cloud: Cloud, name: str, running: str, check_mode: bool) -> str:
    """The ARN that an ARN, a family:revision or a family (its latest active revision) stands for.

    Nothing is read where the service's own ARN answers the question. In check mode a task definition may be one that
    would be registered just before.
    """
    if name.startswith("arn:") or (check_mode and name == UNKNOWN):
        return name
    if ":" in name and running.endswith(f"/{name}"):
        return running
    found = definition_api.describe_task_definition(cloud.ecs, name)
    if found:
        return str(found["taskDefinitionArn"])
    if check_mode:
        return UNKNOWN
    raise SlipwayError(NOT_FOUND, f"There is no active task definition '{name}'.", {"task_definition": name})


def carry_out(
    cloud: Cloud, request: Request, service: Options | None, planned: ServicePlan, deleted: Options | None
) -> Result:
    """Do what was planned, then watch the deployment that this started."""
    reader = RolloutReader(cloud, request.cluster, request.name)
    if request.wait and planned.changed:
        reader.require_tasks_readable()
        reader.read_known()
    after = apply(cloud, request, service, planned, deleted)
    result = _result(planned, with_tags(after, service, planned))
    if not request.wait or (not planned.changed and is_steady(after)):
        return result
    follow_change(reader, service if planned.action != "recreate" else None, after)
    try:
        outcome = wait_stable(reader, after, request.timeout)
    except SlipwayError as error:
        told = f"{error.msg} The deployment of service {request.name} was started; ECS continues it, not monitored."
        raise SlipwayError(error.code, told, {**result, **error.details}) from error
    result["service"] = to_result(with_tags(outcome.snapshot.service, service, planned))
    if outcome.verdict.state == "failed":
        failure = explain(reader, outcome)
        raise SlipwayError(failure.code, failure.msg, {**result, **failure.details})
    return result


def follow_change(reader: RolloutReader, before: Options | None, after: Options) -> None:
    """Let `observer` follow what led from one answer to the other; `before` is None for a new service."""
    reader.judge = RolloutJudge(deployment_of(after, fresh=before is None or starts_deployment(before, after)))


def apply(
    cloud: Cloud, request: Request, service: Options | None, planned: ServicePlan, deleted: Options | None
) -> Options:
    """Make the calls of the plan; the service as AWS answers it. `deleted` is what AWS remembers of one of its name."""
    if service is None:
        return _create(cloud, request, planned, deleted)
    if planned.action == "recreate":
        return _recreate(cloud, request, planned, service)
    if planned.request:
        call = {**planned.request, "cluster": request.cluster, "service": request.name}
        service = {**persist(lambda: service_api.update_service(cloud.ecs, call)), "tags": service.get("tags")}
    ecs_api.tag_resource(cloud.ecs, service["serviceArn"], tagging.to_list(planned.put_tags))
    ecs_api.untag_resource(cloud.ecs, service["serviceArn"], planned.remove_tags)
    return service


def _recreate(cloud: Cloud, request: Request, planned: ServicePlan, old: Options) -> Options:
    """Delete the service and make it anew; whoever has to repair what goes wrong between gets all its settings."""
    service_api.delete_service(cloud.ecs, request.cluster, request.name, force=True)
    try:
        wait_deleted(cloud, request.cluster, request.name, request.timeout)
        return _create(cloud, request, planned, old)
    except SlipwayError as error:
        told = f"{error.msg} The old service {request.name} is deleted; `request` has what the new one was to be."
        failure = SlipwayError(error.code, told, {**error.details, "request": planned.request})
        if isinstance(error, Exists):
            raise Exists(failure, error.find, error.diff, begun=True) from error
        raise failure from error


def _create(cloud: Cloud, request: Request, planned: ServicePlan, deleted: Options | None) -> Options:
    """Create the service, as one request however often it is sent."""
    call = {**planned.request, "cluster": request.cluster, "serviceName": request.name}
    call["clientToken"] = request.client_token or client_token(call, _generation(deleted))
    made = _created(cloud, request, call, planned)
    if not _lives(made) and not request.client_token:
        # AWS has answered with a deleted service, which this token created.
        call["clientToken"] = client_token(call, _generation(made))
        made = _created(cloud, request, call, planned)
    if not _lives(made):
        told = (
            f"CreateService of service {request.name}: expected an active service, got one that is"
            f" {made.get('status')}: this request created it earlier. Rerun with another client_token."
        )
        raise SlipwayError(CONFLICT, told, {"service": to_result(made)})
    return made


def _lives(service: Options) -> bool:
    return bool(service.get("status", "ACTIVE") == "ACTIVE")


def _generation(deleted: Options | None) -> str:
    """What tells a deleted service from others of its name."""
    return str((deleted or {}).get("createdAt") or (primary(deleted or {}) or {}).get("id", ""))


def _created(cloud: Cloud, request: Request, call: Options, planned: ServicePlan) -> Options:
    """The service that AWS answers; that which is there where an earlier attempt of this request has created it."""
    try:
        return persist(lambda: service_api.create_service(cloud.ecs, call))
    except SlipwayError as error:
        if error.code != CONFLICT:
            raise
        return _existing(cloud, request, error, planned)


def _existing(cloud: Cloud, request: Request, refusal: SlipwayError, planned: ServicePlan) -> Options:
    """The service that stands in the way of a new one, if it is what this request was to create; else `Exists`."""
    last: list[Options | None] = [None]

    def living() -> Options | None:
        last[:] = [read_service(cloud, request)]
        return last[0] if exists(last[0]) else None

    try:
        service = visible(living, timeout=_STALE_SECONDS)
    except SlipwayError as error:
        raise error from refusal
    if service is None and last[0]:
        # It is deleted, and the token created it: AWS remembers both.
        return last[0]
    if service is None:
        raise refusal
    if request.ours(service):
        return service
    told = (
        f"CreateService of service {request.name}: expected no service of this name, got one that another client"
        f" created meanwhile. It is left alone. See whose it is; to change it, rerun. ({refusal.msg})"
    )
    failure = SlipwayError(CONFLICT, told, {**refusal.details, "service_arn": service.get("serviceArn")})
    failure.lost = refusal.lost
    raise Exists(failure, lambda: service, planned.plan.diff, begun=False)


def wait_deleted(cloud: Cloud, cluster: str, name: str, timeout: float, clock: Clock | None = None) -> None:
    """Wait until a service that is being deleted has stopped its last task."""

    def observe() -> Options:
        found = api.describe_services(cloud.ecs, cluster, [name])
        return found[0] if found else {}

    poll(
        observe,
        lambda service: not exists(service),
        timeout=timeout,
        waiting_for=f"the service {name} to drain",
        describe=lambda service: {"service": to_result(service)},
        clock=clock,
    )


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
    going = service.get("status") == "DRAINING"
    plan = Plan({}, {}, {}) if going else remove({"service_name": name, "status": service.get("status")})
    result: Result = {"changed": plan.changed, "diff": plan.diff, "service": to_result(service)}
    if connection.check_mode:
        return result
    if not going:
        _delete(cloud, cluster, service, force=params["force"])
    if params["wait"]:
        wait_deleted(cloud, cluster, name, float(params["wait_timeout"]))
    return result


def _delete(cloud: Cloud, cluster: str, service: Options, force: bool) -> None:
    """Scale to nothing first, unless forced: so ECS drains the connections of the tasks."""
    name = service["serviceName"]
    replica = service.get("schedulingStrategy", "REPLICA") == "REPLICA"
    if not force and replica and service.get("desiredCount"):
        service_api.update_service(cloud.ecs, {"cluster": cluster, "service": name, "desiredCount": 0})
    service_api.delete_service(cloud.ecs, cluster, name, force)


def with_tags(service: t.Mapping[str, t.Any], before: Options | None, planned: ServicePlan) -> Options:
    """AWS answers a change without tags."""
    tags = planned.plan.predicted.get("tags")
    if tags is None:
        tags = tagging.from_list((before or {}).get("tags"))
    return {**service, "tags": tagging.to_list(tags)}


def predicted(service: Options | None, planned: ServicePlan, name: str) -> Options:
    """The service as a real run would leave it, under the keys that AWS uses."""
    after = {**(to_result(service) if service else {}), **planned.plan.predicted}
    after.pop("role", None)
    return {**after, "service_name": name, "status": "ACTIVE"}


def _result(planned: ServicePlan, service: Options) -> Result:
    view = service if "service_name" in service else to_result(service)
    return {"changed": planned.changed, "diff": planned.plan.diff, "service": view}
