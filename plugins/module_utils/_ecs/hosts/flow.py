# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tasks that run, in several regions and clusters at the same time."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ..._core.calls import CONNECTIONS
from ..._core.error_codes import ACCESS_DENIED, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.types import Client, Items, Json
from ..cluster import api as cluster_api
from ..task import api as task_api
from . import api, model

T = t.TypeVar("T")


class Place(t.NamedTuple):
    """A cluster, by its name or ARN, in a region."""

    region: str
    ecs: Client
    cluster: str


class Found(t.NamedTuple):
    """Tasks, each with its region; the tags of their images; and why something may be missing."""

    tasks: list[tuple[str, Json]]
    images: dict[model.Image, list[str]]
    warnings: list[str]


class Clients(t.NamedTuple):
    """Those of a region."""

    ecs: Client
    ecr: Client


class Reader:
    """Reads what the credentials may read; the rest becomes warnings."""

    def __init__(self, clients: t.Mapping[str, Clients], clusters: Items, services: Items) -> None:
        self.clients = clients
        self.clusters = clusters
        self.services = services
        self.denied: dict[str, str] = {}

    def read(self) -> Found:
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            tasks = self._tasks(pool)
            places = model.images_of(tasks).items()
            images = {image: tags for some in pool.map(self._tags, places) for image, tags in some.items()}
        return Found(tasks, images, [self.denied[key] for key in sorted(self.denied)])

    def _tasks(self, pool: concurrent.futures.Executor) -> list[tuple[str, Json]]:
        places = [place for some in pool.map(self._places, self.clients) for place in some]
        listed = list(pool.map(self._arns, places))
        self._require_clusters(places, listed)
        requests = [
            (place, arns)
            for place, some in zip(places, listed, strict=True)
            for arns in batches(some or [], task_api.TASKS_BATCH)
        ]
        described = pool.map(lambda request: self._describe(*request), requests)
        return [(place.region, task) for (place, _arns), some in zip(requests, described, strict=True) for task in some]

    def _tags(self, place: tuple[tuple[str, str], list[str]]) -> dict[model.Image, list[str]]:
        """The tags of a repository's images."""
        (region, repository), digests = place
        nothing: dict[str, list[str]] | None = {}
        found = self._allowed(region, nothing, api.tags_of_images, self.clients[region].ecr, repository, digests)
        return {model.Image(region, repository, digest): tags for digest, tags in (found or {}).items()}

    def _places(self, region: str) -> list[Place]:
        ecs = self.clients[region].ecs
        names = self.clusters or self._allowed(region, [], cluster_api.list_clusters, ecs)
        return [Place(region, ecs, name) for name in names]

    def _arns(self, place: Place) -> list[str] | None:
        """The tasks of a cluster, or of its named services; None if it does not exist."""
        filters = [{"serviceName": name} for name in self.services] or [{}]
        nothing: list[str] | None = []
        some = [self._allowed(place.region, nothing, _list_tasks, place.ecs, place.cluster, **one) for one in filters]
        return None if all(arns is None for arns in some) else [arn for arns in some for arn in arns or ()]

    def _describe(self, place: Place, arns: list[str]) -> list[Json]:
        return self._allowed(place.region, [], task_api.describe_tasks, place.ecs, place.cluster, arns, ["TAGS"])

    def _allowed(self, region: str, otherwise: T, call: t.Callable[..., T], *args: t.Any, **more: t.Any) -> T:
        """What a call returns, or the other value where the credentials do not allow it."""
        try:
            return call(*args, **more)
        except SlipwayError as error:
            if error.code != ACCESS_DENIED:
                raise
            operation = str(error.details.get("operation"))
            what, service = ("Versions", "ecr") if operation == "DescribeImages" else ("Hosts", "ecs")
            action = f"{service}:{operation}"
            self.denied[f"{region} {action}"] = (
                f"{what} in {region} may be missing from the inventory: allow {action}. {error.msg}"
            )
            return otherwise

    def _require_clusters(self, places: list[Place], listed: list[list[str] | None]) -> None:
        """A cluster or service that is named has to exist in one of the regions."""
        existing = {place.cluster for place, arns in zip(places, listed, strict=True) if arns is not None}
        missing = [name for name in self.clusters if name not in existing]
        if missing:
            of_services = f" with one of the services {', '.join(self.services)}" if self.services else ""
            raise SlipwayError(
                NOT_FOUND,
                f"clusters: expected clusters{of_services} in {', '.join(self.clients)}, got {', '.join(missing)}, "
                "which does not exist. Correct the name or the region.",
            )


def _list_tasks(ecs: Client, cluster: str, **filters: str) -> list[str] | None:
    """ARNs of tasks that run or start. None if the cluster or the service does not exist."""
    try:
        return task_api.list_tasks(ecs, cluster, **filters)
    except SlipwayError as error:
        if error.code != NOT_FOUND:
            raise
        return None
