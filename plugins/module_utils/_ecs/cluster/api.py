# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters: one typed function for each call."""

from __future__ import annotations

from ..._core.answers import described
from ..._core.errors import aws_call, aws_delete
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

CLUSTERS_BATCH = 100


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
