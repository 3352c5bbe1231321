# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services and their deployments: one typed function for each call."""

from __future__ import annotations

from ..._core.answers import described, raise_failures
from ..._core.error_codes import CONFLICT
from ..._core.errors import SlipwayError, aws_call, aws_find
from ..._core.paging import batches, pages
from ..._core.target_groups import target_group_pairs
from ..._core.types import Client, Items, Json

DEPLOYMENTS_BATCH = 20
SERVICES_BATCH = 10
REVISIONS_BATCH = 20


def create_service(ecs: Client, request: Json) -> Json:
    """Fails with `conflict` if another request has created a service of this name."""
    try:
        return _create_service(ecs, request)
    except SlipwayError as error:
        if "not idempotent" not in error.msg:
            raise
        conflict = SlipwayError(CONFLICT, error.msg, error.details)
        conflict.lost = error.lost
        raise conflict from error


@aws_call
def _create_service(ecs: Client, request: Json) -> Json:
    return dict(ecs.create_service(**request)["service"])


@aws_call
def update_service(ecs: Client, request: Json) -> Json:
    return dict(ecs.update_service(**request)["service"])


@aws_find
def delete_service(ecs: Client, cluster: str, name: str, force: bool) -> Json:
    return dict(ecs.delete_service(cluster=cluster, service=name, force=force)["service"])


@aws_call
def list_service_deployments(ecs: Client, cluster: str, name: str) -> list[Json]:
    """The latest deployments of a service, in brief; none if the service does not exist."""
    listed = _list_service_deployments(ecs, cluster, name)
    return [dict(item) for item in (listed or {}).get("serviceDeployments") or ()]


@aws_find
def _list_service_deployments(ecs: Client, cluster: str, name: str) -> Json:
    return dict(ecs.list_service_deployments(cluster=cluster, service=name))


@aws_call
def describe_service_deployments(ecs: Client, arns: Items) -> list[Json]:
    found: list[Json] = []
    for batch in batches(arns, DEPLOYMENTS_BATCH):
        answer = ecs.describe_service_deployments(serviceDeploymentArns=batch)
        raise_failures("DescribeServiceDeployments", answer, ignore=("MISSING",))
        found += answer.get("serviceDeployments") or []
    return found


@aws_call
def describe_service_revision(ecs: Client, arn: str) -> Json | None:
    answer = ecs.describe_service_revisions(serviceRevisionArns=[arn])
    return next(iter(answer.get("serviceRevisions") or ()), None)


@aws_call
def describe_service_revisions(ecs: Client, arns: Items) -> list[Json]:
    """Those that AWS still has."""
    found: list[Json] = []
    for some in batches(arns, REVISIONS_BATCH):
        answer = ecs.describe_service_revisions(serviceRevisionArns=some)
        found += described("DescribeServiceRevisions", answer, "serviceRevisions", "serviceRevisionArn", some)
    return found


@aws_call
def list_stopped_tasks(ecs: Client, cluster: str, name: str) -> list[str]:
    """ARNs of the stopped and stopping tasks of a service. AWS forgets them after about an hour."""
    return pages(ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=name, desiredStatus="STOPPED")


# Elastic Load Balancing


@aws_find
def describe_target_health(elbv2: Client, target_group: str) -> list[Json]:
    return list(elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"])


@aws_find
def describe_target_groups(elbv2: Client, target_groups: Items) -> list[Json]:
    return list(elbv2.describe_target_groups(TargetGroupArns=list(target_groups))["TargetGroups"])


# CloudWatch Logs


@aws_find
def last_log_lines(logs: Client, group: str, stream: str, limit: int) -> list[str]:
    """The last lines of a log stream, oldest first. None if the stream does not exist."""
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=limit, startFromHead=False)
    return [str(event["message"]).rstrip("\n") for event in answer.get("events") or ()]


def target_groups(service: Json) -> list[str]:
    """The target groups that the tasks of a service are registered with, or may be."""
    return [arn for pair in target_group_pairs(service) for arn in pair]


@aws_call
def list_services(ecs: Client, cluster: str) -> list[str]:
    return pages(ecs, "list_services", "serviceArns", cluster=cluster)


@aws_call
def describe_services(ecs: Client, cluster: str, names: Items, include: Items = ()) -> list[Json]:
    """The named services that exist, including recently deleted ones (INACTIVE)."""
    found: list[Json] = []
    for batch in batches(names, SERVICES_BATCH):
        answer = ecs.describe_services(cluster=cluster, services=batch, include=list(include))
        found += described("DescribeServices", answer, "services", "serviceArn", batch)
    return found
