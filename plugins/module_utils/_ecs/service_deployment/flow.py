# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_service_deployment: find the deployments in progress, stop or continue them, and wait."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import DEPLOYMENT_FAILED, NOT_FOUND, ROLLBACK_FAILED, ROLLED_BACK
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.plan import compare
from ..._core.types import Connection, Json, Result
from ..._core.waiting import poll
from ..cloud import Cloud
from ..limits import check_cluster
from ..service import api as service_api
from ..service.model import exists
from . import api, model

Deployments = dict[str, Json]
FAILURES = {"ROLLBACK_FAILED": ROLLBACK_FAILED, "ROLLBACK_SUCCESSFUL": ROLLED_BACK, "STOPPED": DEPLOYMENT_FAILED}


def run(connection: Connection) -> Result:
    """The flow of ecs_service_deployment."""
    cloud, params = Cloud(connection.client), connection.params
    check_cluster(params["cluster"])
    stops = params["state"] == "stopped"
    rolls_back = stops if params["rollback"] is None else params["rollback"]
    found = _running(cloud, params["cluster"], params["services"])
    planned = model.plan(found, params["state"])
    action = model.ROLL_BACK if rolls_back else model.ABORT if stops else model.CONTINUE
    before = {name: str(found[name].get("status")) for name in planned}
    diff = compare(before, dict.fromkeys(planned, action)).diff
    result: Result = {"changed": bool(planned), "diff": diff, "deployments": _results(found)}
    if connection.check_mode:
        return result
    for name, hooks in planned.items():
        _act(cloud, found[name], hooks, action, stops)
    # Stopping one that is already being stopped waits for the same end.
    awaited = [
        name for name, deployment in found.items() if name in planned or (stops and model.is_running(deployment))
    ]
    if not params["wait"] or not awaited:
        return result
    ended = _wait(cloud, {name: found[name] for name in awaited}, float(params["wait_timeout"]), stops)
    result["deployments"] = _results({**found, **ended})
    _refuse_failed(ended, rolls_back or stops, result)
    return result


def _results(deployments: Deployments) -> list[Json]:
    return [model.to_result(deployments[name]) for name in sorted(deployments)]


def _running(cloud: Cloud, cluster: str, names: t.Sequence[str] | None) -> Deployments:
    """The deployments in progress by service: of the named ones, or of all in the cluster."""
    given = service_api.list_services(cloud.ecs, cluster) if names is None else list(names)
    services = [one for one in service_api.describe_services(cloud.ecs, cluster, given) if exists(one)]
    known = [str(one["serviceName"]) for one in services]
    if missing := [name for name in given if last(name) not in known]:
        listed = ", ".join(known) or "none"
        message = f"services: expected services of cluster {cluster} ({listed}), got {', '.join(missing)}."
        raise SlipwayError(NOT_FOUND, message, {"missing": missing})
    listed_arns = [
        str(item["serviceDeploymentArn"])
        for name in known
        for item in service_api.list_service_deployments(cloud.ecs, cluster, name)
        if model.is_running(item)
    ]
    found = service_api.describe_service_deployments(cloud.ecs, listed_arns)
    return {model.service_of(one): one for one in found if model.is_running(one)}


def _act(cloud: Cloud, deployment: Json, hooks: t.Sequence[str], action: str, stops: bool) -> None:
    arn = str(deployment["serviceDeploymentArn"])
    if stops:
        api.stop_service_deployment(cloud.ecs, arn, action)
    for hook in hooks:
        api.continue_service_deployment(cloud.ecs, arn, hook, action)


def _wait(cloud: Cloud, deployments: Deployments, timeout: float, stops: bool) -> Deployments:
    """Wait until each deployment has ended or, if it continues, is paused again."""
    names = {str(one["serviceDeploymentArn"]): name for name, one in deployments.items()}
    seconds = 0.0 if stops else max(map(model.shifting_seconds, deployments.values()), default=0.0)

    def read() -> Deployments:
        found = service_api.describe_service_deployments(cloud.ecs, list(names))
        return {names[str(one["serviceDeploymentArn"])]: one for one in found}

    def done(found: Deployments) -> bool:
        # One that is missing was deleted with its service.
        return all(
            not model.is_running(one) or model.pauses_again(one, deployments[name]) for name, one in found.items()
        )

    def what(found: Deployments) -> str:
        return ", ".join(f"{name} ({model.stage_line(one) or one.get('status')})" for name, one in found.items())

    return poll(
        read,
        done,
        timeout=timeout + seconds,
        waiting_for=what,
        describe=lambda found: {"deployments": _results(found)},
    )


def _refuse_failed(ended: Deployments, rolls_back: bool, result: Result) -> None:
    """Fail if a deployment has ended otherwise than requested."""
    for name, deployment in sorted(ended.items()):
        status = str(deployment.get("status"))
        code = FAILURES.get(status, "")
        if not code or (rolls_back and code != ROLLBACK_FAILED):
            continue
        reason = str(deployment.get("statusReason") or "AWS gives no reason.")
        raise SlipwayError(code, f"Service {name}: the deployment is {status}. {reason}", result)
