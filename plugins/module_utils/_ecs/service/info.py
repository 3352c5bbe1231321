# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_service_info does: read services and, if asked, judge what is being rolled out."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..._core.error_codes import NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.types import Connection, Json, Result
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.deployments import deployment_of, is_stable
from ..rollout.diagnose import diagnose
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
    views = [to_result(service) for service in services]
    if connection.params["rollouts"]:
        for service, view in zip(services, views, strict=True):
            view["rollout"] = check(cloud, connection.params["cluster"], service)
    if connection.params["tasks"]:
        for service, view in zip(services, views, strict=True):
            view["tasks"] = running_tasks(cloud, connection.params["cluster"], service["serviceName"])
    return {"changed": False, "services": views}


def _read(cloud: Cloud, cluster: str, names: t.Sequence[str] | None) -> list[Json]:
    """The named services, or all; none in a cluster that is not there."""
    try:
        wanted = api.list_services(cloud.ecs, cluster) if names is None else names
        found = api.describe_services(cloud.ecs, cluster, wanted, include=["TAGS"])
    except SlipwayError as error:
        if error.code != NOT_FOUND:
            raise
        return []
    return sorted((service for service in found if exists(service)), key=lambda service: str(service["serviceName"]))


def running_tasks(cloud: Cloud, cluster: str, name: str) -> list[Options]:
    """The tasks that should run, with what tells whether the right thing does: revision, images and health."""
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
    """The state of a service's latest rollout, seen once, with the reasons where it does not go well."""
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
        result["failure"] = diagnose(reader.evidence(snapshot))
    return result


def _judge(judge: RolloutJudge, snapshot: Snapshot) -> Verdict:
    """The verdict of one look: what runs now is taken to stay, and what once succeeded may fail by now."""
    if (snapshot.service_deployment or {}).get("status") == "SUCCESSFUL" and not is_stable(snapshot.service):
        snapshot = replace(snapshot, service_deployment=None)
    first = judge.verdict(snapshot, 0)
    return first if first.over else judge.verdict(snapshot, SETTLE_SECONDS)
