# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amazon ECS, one typed function a call: paginated, in batches where AWS limits them, errors translated.

`ecs` is a client of `Connection.client("ecs")`, which retries by itself. Answers are handed on as AWS spells them.
"""

from __future__ import annotations

import typing as t

from .._core.answers import check_complete
from .._core.errors import AWS_ERROR, SlipwayError, aws_call, aws_delete, aws_find
from .._core.paging import batches, pages

Client = t.Any
Json = dict[str, t.Any]
Items = t.Sequence[str]

# What AWS takes in one call.
DELETE_BATCH = 10
SERVICES_BATCH = 10
CLUSTERS_BATCH = 100
TASKS_BATCH = 100
INSTANCES_BATCH = 100
DRAIN_BATCH = 10
# The reason of a failure that says that there is none.
MISSING = "MISSING"


def raise_failures(operation: str, answer: Json, ignore: t.Collection[str] = ()) -> None:
    """AWS reports failures of batch calls inside a successful answer."""
    failures = [failure for failure in answer.get("failures") or () if failure.get("reason") not in ignore]
    if failures:
        told = "; ".join(f"{f.get('arn', '')} {f.get('reason', '')} {f.get('detail', '')}".strip() for f in failures)
        raise SlipwayError(AWS_ERROR, f"AWS answered {operation} with failures: {told}", {"failures": failures})


def described(operation: str, answer: Json, member: str, identity: str, asked: Items) -> list[Json]:
    """What exists of the resources asked for; AWS names the others in its failures."""
    raise_failures(operation, answer, ignore=(MISSING,))
    found = list(answer[member])
    missing = [str(failure["arn"]) for failure in answer.get("failures") or ()]
    check_complete(operation, asked, [str(one[identity]) for one in found], missing)
    return found


# Task definitions


@aws_find
def describe_task_definition(ecs: Client, name: str) -> Json:
    """A task definition with its `tags`; of a bare family the latest active revision. None when there is none."""
    answer = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
    return {**answer["taskDefinition"], "tags": answer.get("tags") or []}


@aws_call
def register_task_definition(ecs: Client, request: Json) -> Json:
    answer = ecs.register_task_definition(**request)
    return {**answer["taskDefinition"], "tags": answer.get("tags") or []}


@aws_call
def deregister_task_definition(ecs: Client, name: str) -> Json:
    return dict(ecs.deregister_task_definition(taskDefinition=name)["taskDefinition"])


@aws_call
def delete_task_definitions(ecs: Client, names: Items) -> None:
    """Delete revisions that are already deregistered."""
    for batch in batches(names, DELETE_BATCH):
        raise_failures("DeleteTaskDefinitions", ecs.delete_task_definitions(taskDefinitions=batch))


@aws_call
def list_task_definitions(ecs: Client, family: str, status: str) -> list[str]:
    """ARNs of a family's revisions in one status, newest first."""
    arns = pages(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status=status, sort="DESC")
    return sorted((arn for arn in arns if _family(arn) == family), key=revision_of, reverse=True)


@aws_call
def newest_task_definition(ecs: Client, family: str, status: str) -> str | None:
    """ARN of a family's newest revision in one status, in one call however many there are."""
    answer = ecs.list_task_definitions(familyPrefix=family, status=status, sort="DESC")
    arns = [arn for arn in answer["taskDefinitionArns"] if _family(arn) == family]
    return max(arns, key=revision_of, default=None)


def _family(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[0]


def revision_of(arn: str) -> int:
    return int(arn.rpartition(":")[2])


# Tags


@aws_call
def tag_resource(ecs: Client, arn: str, tags: list[Json]) -> None:
    if tags:
        ecs.tag_resource(resourceArn=arn, tags=tags)


@aws_call
def untag_resource(ecs: Client, arn: str, keys: list[str]) -> None:
    if keys:
        ecs.untag_resource(resourceArn=arn, tagKeys=keys)


# Clusters


@aws_call
def list_clusters(ecs: Client) -> list[str]:
    return pages(ecs, "list_clusters", "clusterArns")


@aws_call
def describe_clusters(ecs: Client, names: Items, include: Items) -> list[Json]:
    """The clusters that exist, of those named."""
    found: list[Json] = []
    for batch in batches(names, CLUSTERS_BATCH):
        answer = ecs.describe_clusters(clusters=batch, include=list(include))
        found += described("DescribeClusters", answer, "clusters", "clusterArn", batch)
    return found


@aws_call
def create_cluster(ecs: Client, request: Json) -> Json:
    return dict(ecs.create_cluster(**request)["cluster"])


@aws_call
def update_cluster(ecs: Client, request: Json) -> Json:
    return dict(ecs.update_cluster(**request)["cluster"])


@aws_call
def put_cluster_capacity_providers(ecs: Client, request: Json) -> Json:
    return dict(ecs.put_cluster_capacity_providers(**request)["cluster"])


@aws_delete
def delete_cluster(ecs: Client, name: str) -> None:
    ecs.delete_cluster(cluster=name)


# What runs


@aws_call
def list_services(ecs: Client, cluster: str) -> list[str]:
    return pages(ecs, "list_services", "serviceArns", cluster=cluster)


@aws_call
def describe_services(ecs: Client, cluster: str, names: Items, include: Items = ()) -> list[Json]:
    """The services that exist, of those named; also those that were deleted a short while ago (INACTIVE)."""
    found: list[Json] = []
    for batch in batches(names, SERVICES_BATCH):
        answer = ecs.describe_services(cluster=cluster, services=batch, include=list(include))
        found += described("DescribeServices", answer, "services", "serviceArn", batch)
    return found


@aws_call
def list_tasks(ecs: Client, cluster: str, **filters: str) -> list[str]:
    """ARNs of tasks; `filters` are those of ListTasks, such as family, serviceName, desiredStatus."""
    return pages(ecs, "list_tasks", "taskArns", cluster=cluster, **filters)


@aws_call
def describe_tasks(ecs: Client, cluster: str, names: Items) -> list[Json]:
    found: list[Json] = []
    for batch in batches(names, TASKS_BATCH):
        answer = ecs.describe_tasks(cluster=cluster, tasks=batch)
        found += described("DescribeTasks", answer, "tasks", "taskArn", batch)
    return found


# Capacity providers and what they bring


@aws_call
def describe_capacity_provider(ecs: Client, name: str, cluster: str | None = None) -> Json | None:
    """A capacity provider with its `tags`; also one that was deleted a short while ago (INACTIVE)."""
    within = {"cluster": cluster} if cluster else {}
    answer = ecs.describe_capacity_providers(capacityProviders=[name], include=["TAGS"], **within)
    found = described("DescribeCapacityProviders", answer, "capacityProviders", "name", [name])
    return dict(found[0]) if found else None


@aws_call
def create_capacity_provider(ecs: Client, request: Json) -> Json:
    return dict(ecs.create_capacity_provider(**request)["capacityProvider"])


@aws_call
def update_capacity_provider(ecs: Client, request: Json) -> Json:
    return dict(ecs.update_capacity_provider(**request)["capacityProvider"])


@aws_delete
def delete_capacity_provider(ecs: Client, name: str, cluster: str | None = None) -> None:
    within = {"cluster": cluster} if cluster else {}
    ecs.delete_capacity_provider(capacityProvider=name, **within)


@aws_call
def list_container_instances(ecs: Client, cluster: str) -> list[Json]:
    """The container instances of a cluster, described."""
    arns = pages(ecs, "list_container_instances", "containerInstanceArns", cluster=cluster)
    found: list[Json] = []
    for batch in batches(arns, INSTANCES_BATCH):
        answer = ecs.describe_container_instances(cluster=cluster, containerInstances=batch)
        found += described("DescribeContainerInstances", answer, "containerInstances", "containerInstanceArn", batch)
    return found


@aws_call
def drain_container_instances(ecs: Client, cluster: str, arns: Items) -> None:
    """Tasks of services are moved elsewhere, and no new ones come."""
    for batch in batches(arns, DRAIN_BATCH):
        answer = ecs.update_container_instances_state(cluster=cluster, containerInstances=batch, status="DRAINING")
        raise_failures("UpdateContainerInstancesState", answer, ignore=(MISSING,))


# AWS Cloud Map


@aws_find
def get_namespace(servicediscovery: Client, namespace_id: str) -> Json:
    return dict(servicediscovery.get_namespace(Id=namespace_id)["Namespace"])
