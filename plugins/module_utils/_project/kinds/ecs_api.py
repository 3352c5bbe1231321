# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ECS: services with their scaling and tasks, task definitions, clusters and capacity providers."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from ..._core import tags
from ..._core.answers import described
from ..._core.error_codes import UNSUPPORTED
from ..._core.errors import SlipwayError, aws_call, translate
from ..._core.names import last
from ..._core.paging import batches, pages
from ..._core.types import Client, Json
from .base_api import DELETED, Account, Found, all_of, each, shared, side_by_side, unless_missing

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import ClientError

SERVICES_BATCH, DEPLOYMENTS_BATCH, BATCH = 10, 20, 100
# ECS would send ten names a page.
LARGE: Json = {"PaginationConfig": {"PageSize": BATCH}}
# An endpoint without this service answers with a bare HTTP status; AWS always names its error.
NO_SUCH_SERVICE = {"400", "404", "501", "UnknownOperationException"}
CLUSTER_DETAILS = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
SCALING = (
    ("describe_scalable_targets", "ScalableTargets"),
    ("describe_scaling_policies", "ScalingPolicies"),
    ("describe_scheduled_actions", "ScheduledActions"),
)
# How the names of the alarms begin that ecs_service_scaling creates for step scaling.
STEP_ALARMS = "StepScaling-"


@shared
def cluster_arns(account: Account) -> list[str]:
    return pages(account.clients["ecs"], "list_clusters", "clusterArns", **LARGE)


@shared
def found_services(account: Account) -> list[Json]:
    """All services that are not deleted, as DescribeServices answers."""
    ecs = account.clients["ecs"]

    def of_cluster(cluster: str) -> list[tuple[str, list[str]]]:
        listed = unless_missing(pages, ecs, "list_services", "serviceArns", cluster=cluster, **LARGE) or []
        return [(cluster, some) for some in batches(listed, SERVICES_BATCH)]

    def describe(request: tuple[str, list[str]]) -> list[Json]:
        cluster, arns = request
        answer = ecs.describe_services(cluster=cluster, services=arns, include=["TAGS"])
        return described("DescribeServices", answer, "services", "serviceArn", arns)

    requests = [one for some in side_by_side(of_cluster, cluster_arns(account)) for one in some]
    return [one for _request, some in each(requests, describe) for one in some if one["status"] not in DELETED]


def services(account: Account) -> t.Iterator[Found]:
    for one in found_services(account):
        arn = one["serviceArn"]
        yield Found(arn, one["serviceName"], tags.from_list(one.get("tags")), arn=arn, details=one)


@shared
def tasks_of_cluster(account: Account, cluster: str) -> dict[str, list[Json]]:
    """Tasks that run or start, by their group, which names their service."""
    ecs = account.clients["ecs"]

    def describe(arns: list[str]) -> list[Json]:
        answer = ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])
        return described("DescribeTasks", answer, "tasks", "taskArn", arns)

    found: dict[str, list[Json]] = {}
    for some in side_by_side(describe, batches(pages(ecs, "list_tasks", "taskArns", cluster=cluster), BATCH)):
        for one in some:
            found.setdefault(one.get("group", ""), []).append(one)
    return found


@aws_call
def recent_tasks(ecs: Client, cluster: str) -> list[Json]:
    """Tasks that run, and those that have stopped within about an hour."""
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in pages(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus=status)
    ]
    found: list[Json] = []
    for some in batches(list(dict.fromkeys(arns)), BATCH):
        # AWS may have forgotten one meanwhile.
        found += described("DescribeTasks", ecs.describe_tasks(cluster=cluster, tasks=some), "tasks", "taskArn", some)
    return found


def tasks(account: Account, service: Found) -> Json:
    groups = tasks_of_cluster(account, service.details["clusterArn"])
    found = groups.get(f"service:{service.name}", [])
    return {"tasks": sorted(found, key=lambda one: str(one["taskArn"]))}


@shared
def service_deployments(account: Account) -> dict[str, Json]:
    """The current deployments of all services by ARN, with their outcome. A deployment may be too old to be kept."""
    ecs = account.clients["ecs"]
    arns = [arn for one in found_services(account) if (arn := one.get("currentServiceDeployment"))]

    def describe(some: list[str]) -> list[Json]:
        answer = ecs.describe_service_deployments(serviceDeploymentArns=some)
        return described("DescribeServiceDeployments", answer, "serviceDeployments", "serviceDeploymentArn", some)

    found = side_by_side(describe, batches(arns, DEPLOYMENTS_BATCH))
    return {one["serviceDeploymentArn"]: one for some in found for one in some}


def service_deployment(account: Account, service: Found) -> Json:
    if arn := service.details.get("currentServiceDeployment"):
        return {"serviceDeployment": service_deployments(account).get(arn)}
    return {}


@shared
def scaling_of_services(account: Account, operation: str, member: str) -> dict[str, list[Json]]:
    """Scaling of all services, by AWS's name for a service, service/<cluster>/<service>."""
    client = account.clients["application-autoscaling"]
    try:
        answers = pages(client, operation, member, ServiceNamespace="ecs")
    except ClientError as error:
        failure = translate(error)
        if failure.details.get("error_code") in NO_SUCH_SERVICE:
            message = f"This endpoint does not support Application Auto Scaling. ({failure.msg})"
            raise SlipwayError(UNSUPPORTED, message, failure.details) from error
        raise
    found: dict[str, list[Json]] = {}
    for one in answers:
        found.setdefault(one["ResourceId"], []).append(one)
    return found


@shared
def step_alarms(account: Account) -> dict[str, list[Json]]:
    """Alarms of step scaling, by AWS's name for a service."""
    cloudwatch, found = account.clients["cloudwatch"], dict[str, list[Json]]()
    for one in pages(cloudwatch, "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{STEP_ALARMS}service/"):
        # After the last hyphen is the name of the policy.
        name = one["AlarmName"].removeprefix(STEP_ALARMS).rpartition("-")[0]
        found.setdefault(name, []).append(one)
    return found


def scaling(account: Account, service: Found) -> Json:
    name = f"service/{last(service.details['clusterArn'])}/{service.name}"
    targets, policies, schedules = (scaling_of_services(account, *call).get(name, []) for call in SCALING)
    steps = any(one["PolicyType"] == "StepScaling" for one in policies)
    return {
        **({"scalingAlarms": step_alarms(account).get(name, [])} if steps else {}),
        "scalableTarget": targets[0] if targets else None,
        "scalingPolicies": sorted(policies, key=lambda one: str(one["PolicyName"])),
        "scheduledActions": sorted(schedules, key=lambda one: str(one["ScheduledActionName"])),
    }


def families(account: Account) -> t.Iterator[Found]:
    """Task definitions. The newest revision says whose the family is."""
    ecs = account.clients["ecs"]
    names = pages(ecs, "list_task_definition_families", "families", status="ACTIVE", **LARGE)
    describe = functools.partial(ecs.describe_task_definition, include=["TAGS"])
    for name, answer in each(names, lambda name: describe(taskDefinition=name)):
        newest = answer["taskDefinition"]
        own = tags.from_list(answer.get("tags"))
        yield Found(name, name, own, arn=newest["taskDefinitionArn"], details=newest)


@shared
def revisions_in_use(account: Account) -> dict[str, set[str]]:
    """By family, the revisions that services and their deployments run."""
    found: dict[str, set[str]] = {}
    for service in found_services(account):
        for one in (service, *service.get("deployments", ()), *service.get("taskSets", ())):
            if arn := one.get("taskDefinition"):
                found.setdefault(last(arn).partition(":")[0], set()).add(arn)
    return found


def revisions(account: Account, family: Found) -> Json:
    """Older revisions that services run."""
    others = sorted(revisions_in_use(account).get(family.name, set()) - {family.arn})
    describe = account.clients["ecs"].describe_task_definition
    answers = each(others, lambda arn: describe(taskDefinition=arn)["taskDefinition"])
    return {"revisions": [answer for _arn, answer in answers]}


def clusters(account: Account) -> t.Iterator[Found]:
    ecs = account.clients["ecs"]
    for arns in batches(cluster_arns(account), BATCH):
        answer = ecs.describe_clusters(clusters=arns, include=CLUSTER_DETAILS)
        for one in described("DescribeClusters", answer, "clusters", "clusterArn", arns):
            if one["status"] not in DELETED:
                arn = one["clusterArn"]
                yield Found(arn, one["clusterName"], tags.from_list(one.get("tags")), arn=arn, details=one)


def capacity_providers(account: Account) -> t.Iterator[Found]:
    found = all_of(account.clients["ecs"], "describe_capacity_providers", "capacityProviders", include=["TAGS"])
    for one in found:
        if one.get("status") not in DELETED:
            arn = one.get("capacityProviderArn", "")
            yield Found(one["name"], one["name"], tags.from_list(one.get("tags")), arn=arn, details=one)
