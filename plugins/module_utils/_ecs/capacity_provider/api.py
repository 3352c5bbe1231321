# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capacity providers and their container instances: one typed function for each call."""

from __future__ import annotations

from ..._core.answers import MISSING, described, raise_failures
from ..._core.errors import aws_call, aws_delete
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

INSTANCES_BATCH = 100
DRAIN_BATCH = 10


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
