# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create, update, recreate and delete a service."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._core import tags as tagging
from ..._core.creating import Exists, persist, visible
from ..._core.error_codes import CONFLICT
from ..._core.errors import SlipwayError
from ..._core.waiting import Clock, poll
from .. import api as ecs_api
from ..cloud import Cloud
from ..rollout.deployments import deployment_of, starts_deployment
from ..rollout.judge import RolloutJudge
from ..rollout.observe import RolloutReader
from . import api
from .client_token import client_token
from .members import Options
from .model import DesiredService, ServicePlan, exists, to_result
from .read_flow import read_service

# Seconds for which reads may not show what was just created.
_STALE_SECONDS = 10.0


@dataclass(frozen=True)
class Request:
    """What to do with a service: typed options of the module."""

    cluster: str
    name: str
    desired: DesiredService
    client_token: str | None
    wait: bool
    timeout: float
    check_mode: bool
    # Whether this request has created a service that exists although it is to be created.
    ours: t.Callable[[Options], bool]


def follow_change(reader: RolloutReader, before: Options | None, after: Options) -> None:
    """Let `reader` follow the deployment that the change has started; `before` is None for a new service."""
    reader.judge = RolloutJudge(deployment_of(after, fresh=before is None or starts_deployment(before, after)))
    reader.unseen = before is None


def apply(
    cloud: Cloud, request: Request, service: Options | None, planned: ServicePlan, deleted: Options | None
) -> Options:
    """Make the calls of the plan, and return the answer. `deleted` is a deleted service of the same name, if any."""
    if service is None:
        return _create(cloud, request, planned, deleted)
    if planned.action == "recreate":
        return _recreate(cloud, request, planned, service)
    if planned.request:
        call = {**planned.request, "cluster": request.cluster, "service": request.name}
        service = {**persist(lambda: api.update_service(cloud.ecs, call)), "tags": service.get("tags")}
    ecs_api.tag_resource(cloud.ecs, service["serviceArn"], tagging.to_list(planned.put_tags))
    ecs_api.untag_resource(cloud.ecs, service["serviceArn"], planned.remove_tags)
    return service


def _recreate(cloud: Cloud, request: Request, planned: ServicePlan, old: Options) -> Options:
    """Delete the service and create it again. A failure in between contains all settings, to repair it by hand."""
    api.delete_service(cloud.ecs, request.cluster, request.name, force=True)
    try:
        wait_deleted(cloud, request.cluster, request.name, request.timeout)
        return _create(cloud, request, planned, old)
    except SlipwayError as error:
        message = (
            f"{error.msg} The old service {request.name} is deleted; `request` contains the settings of the new one."
        )
        failure = SlipwayError(error.code, message, {**error.details, "request": planned.request})
        if isinstance(error, Exists):
            raise Exists(failure, error.find, error.diff, begun=True) from error
        raise failure from error


def _create(cloud: Cloud, request: Request, planned: ServicePlan, deleted: Options | None) -> Options:
    """Create the service, with a token that makes AWS create it once however often the request is sent."""
    call = {**planned.request, "cluster": request.cluster, "serviceName": request.name}
    call["clientToken"] = request.client_token or client_token(call, deleted)
    created = _created(cloud, request, call, planned)
    if not _is_active(created) and not request.client_token:
        # AWS has returned a deleted service that this token created.
        call["clientToken"] = client_token(call, created)
        created = _created(cloud, request, call, planned)
    if not _is_active(created):
        message = (
            f"CreateService of service {request.name}: expected an active service, got the {created.get('status')} one"
            " that this client_token created earlier. Rerun with another client_token."
        )
        raise SlipwayError(CONFLICT, message, {"service": to_result(created)})
    return created


def _is_active(service: Options) -> bool:
    return bool(service.get("status", "ACTIVE") == "ACTIVE")


def _created(cloud: Cloud, request: Request, call: Options, planned: ServicePlan) -> Options:
    """The created service, or the existing one if an earlier attempt of this request has created it."""
    try:
        return persist(lambda: api.create_service(cloud.ecs, call))
    except SlipwayError as error:
        if error.code != CONFLICT:
            raise
        return _existing(cloud, request, error, planned)


def _existing(cloud: Cloud, request: Request, refusal: SlipwayError, planned: ServicePlan) -> Options:
    """The existing service of this name if this request has created it; fails with `Exists` if not."""
    last: list[Options | None] = [None]

    def existing() -> Options | None:
        last[:] = [read_service(cloud, request.cluster, request.name, request.check_mode)]
        return last[0] if exists(last[0]) else None

    try:
        service = visible(existing, timeout=_STALE_SECONDS)
    except SlipwayError as error:
        raise error from refusal
    if service is None and last[0]:
        # It is deleted, and was created with this token, which AWS remembers.
        return last[0]
    if service is None:
        raise refusal
    if request.ours(service):
        return service
    message = (
        f"CreateService of service {request.name}: expected no service with this name, got one that another client"
        f" created in the meantime. It was not changed. Check who created it; to change it, rerun. ({refusal.msg})"
    )
    failure = SlipwayError(CONFLICT, message, {**refusal.details, "service_arn": service.get("serviceArn")})
    failure.lost = refusal.lost
    raise Exists(failure, lambda: service, planned.plan.diff, begun=False)


def wait_deleted(cloud: Cloud, cluster: str, name: str, timeout: float, clock: Clock | None = None) -> None:
    """Wait until a deleted service has stopped its last task."""

    def read() -> Options:
        found = api.describe_services(cloud.ecs, cluster, [name])
        return found[0] if found else {}

    poll(
        read,
        lambda service: not exists(service),
        timeout=timeout,
        waiting_for=f"the service {name} to drain",
        describe=lambda service: {"service": to_result(service)},
        clock=clock,
    )


def delete(cloud: Cloud, cluster: str, service: Options, force: bool) -> None:
    """Delete it. Unless forced, scale it to zero first, so that ECS drains the connections of its tasks."""
    name = service["serviceName"]
    replica = service.get("schedulingStrategy", "REPLICA") == "REPLICA"
    if not force and replica and service.get("desiredCount"):
        api.update_service(cloud.ecs, {"cluster": cluster, "service": name, "desiredCount": 0})
    api.delete_service(cloud.ecs, cluster, name, force)
