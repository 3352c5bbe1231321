# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_service_info: read services, and optionally judge their latest rollouts."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..._core.error_codes import CAUSES, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.types import Connection, Json, Result
from ..cloud import Cloud
from ..limits import check_cluster
from ..network import diagnose as diagnose_network
from ..network.flow import read_network
from ..network.model import Placement, runs_on_fargate
from ..rollout.deployments import deployment_of, is_stable
from ..rollout.judge import SETTLE_SECONDS, RolloutJudge
from ..rollout.observe import RolloutReader
from ..rollout.snapshot import Snapshot
from ..rollout.verdict import Verdict
from ..task import api as task_api
from . import api
from .members import Options
from .model import exists, to_result


def run(connection: Connection) -> Result:
    """The flow of ecs_service_info."""
    cloud = Cloud(connection.client)
    check_cluster(connection.params["cluster"])
    services = _read(cloud, connection.params["cluster"], connection.params["names"])
    results = [to_result(service) for service in services]
    if connection.params["rollouts"]:
        for service, result in zip(services, results, strict=True):
            result["rollout"] = check(cloud, connection.params["cluster"], service)
    if connection.params["network"]:
        for service, result in zip(services, results, strict=True):
            result["network"] = check_network(cloud, service)
    if connection.params["tasks"]:
        for service, result in zip(services, results, strict=True):
            result["tasks"] = running_tasks(cloud, connection.params["cluster"], service["serviceName"])
    return {"changed": False, "services": results}


def _read(cloud: Cloud, cluster: str, names: t.Sequence[str] | None) -> list[Json]:
    """The named services, or all; none if the cluster does not exist."""
    try:
        names = api.list_services(cloud.ecs, cluster) if names is None else names
        found = api.describe_services(cloud.ecs, cluster, names, include=["TAGS"])
    except SlipwayError as error:
        if error.code != NOT_FOUND:
            raise
        return []
    return sorted((service for service in found if exists(service)), key=lambda service: str(service["serviceName"]))


def running_tasks(cloud: Cloud, cluster: str, name: str) -> list[Options]:
    """The tasks that should run, with their revision, images and health."""
    arns = task_api.list_tasks(cloud.ecs, cluster, serviceName=name, desiredStatus="RUNNING")
    return [
        {
            "task_arn": task["taskArn"],
            "task_definition": task["taskDefinitionArn"],
            "last_status": task.get("lastStatus", ""),
            "health_status": task.get("healthStatus", ""),
            "containers": [
                {
                    "name": container.get("name", ""),
                    "image": container.get("image", ""),
                    "image_digest": container.get("imageDigest", ""),
                    "last_status": container.get("lastStatus", ""),
                }
                for container in task.get("containers", [])
            ],
        }
        for task in task_api.describe_tasks(cloud.ecs, cluster, arns)
    ]


def check(cloud: Cloud, cluster: str, service: Json) -> Options:
    """The state of the latest rollout of a service, with the reasons if it has failures."""
    judge = RolloutJudge(deployment_of(service, fresh=False))
    reader = RolloutReader(cloud, cluster, service["serviceName"], judge, latest=True)
    snapshot = reader.full_snapshot(service)
    verdict = _judge(judge, snapshot)
    result: Options = {
        "state": verdict.state,
        "code": verdict.code,
        "summary": verdict.summary,
        "progress": verdict.progress,
    }
    if verdict.state != "succeeded" and (verdict.over or judge.failed_tasks):
        result["failure"] = reader.reasons(snapshot)
    return result


def check_network(cloud: Cloud, service: Json) -> Options:
    """What in the network certainly keeps clients from the load balancer, it from the tasks, or tasks from starting."""
    network = read_network(cloud, service)
    placement = Placement.from_api(service, network)
    found = diagnose_network.of_listeners(network)
    if placement:
        found += diagnose_network.of_targets(network, placement, service)
        if runs_on_fargate(service):
            found += diagnose_network.of_start(network, placement, diagnose_network.IMAGE_SERVICES)
    causes = diagnose_network.as_causes(found)
    return {
        "causes": list(causes),
        "advice": [f"{text} {CAUSES[cause].remedy}" for cause, text in causes.items()],
        "unread": list(network.unread),
    }


def _judge(judge: RolloutJudge, snapshot: Snapshot) -> Verdict:
    """The verdict on one snapshot. Running tasks count as stable; a successful rollout may have failed since."""
    if (snapshot.service_deployment or {}).get("status") == "SUCCESSFUL" and not is_stable(snapshot.service):
        snapshot = replace(snapshot, service_deployment=None)
    first = judge.verdict(snapshot, 0)
    return first if first.over else judge.verdict(snapshot, SETTLE_SECONDS)
