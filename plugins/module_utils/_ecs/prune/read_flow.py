# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads task definitions, what runs them, and the images of a project."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor

from ..._core.errors import bad_answer
from ..._core.names import last
from ..._core.tags import SHARED_TAG, belongs_to, from_list
from ..._core.types import Json
from ..cloud import Cloud
from ..cluster import api as cluster_api
from ..release.checkpoint import from_tags
from ..schedule import api as schedule_api
from ..service import api as service_api
from ..service.model import exists
from ..task import api as task_api
from ..task_definition import api as definition_api
from ..task_definition.model import ACTIVE, INACTIVE
from . import api
from .images import INDEXES, Image, Needs, from_api
from .model import Kept, Revision


class Snapshot(t.NamedTuple):
    """Where to read."""

    cloud: Cloud
    pool: Executor
    project: str


def read_uses(snapshot: Snapshot) -> tuple[dict[str, str], Needs]:
    """What runs each revision, by its name, in all clusters of the region; and the images that tasks run."""
    ecs = snapshot.cloud.ecs
    runs: dict[str, str] = {}
    needs = Needs()
    for cluster in cluster_api.list_clusters(ecs):
        names = service_api.list_services(ecs, cluster)
        for service in service_api.describe_services(ecs, cluster, names, include=["TAGS"]):
            for arn in _revisions_of(service) if exists(service) else ():
                runs.setdefault(last(arn), f"service {service['serviceName']} of cluster {last(cluster)} runs it")
        for task in task_api.describe_tasks(ecs, cluster, task_api.list_tasks(ecs, cluster)):
            text = f"task {last(task['taskArn'])} of cluster {last(cluster)} runs it"
            runs.setdefault(last(task["taskDefinitionArn"]), text)
            for container in task.get("containers") or ():
                needs.add(str(container.get("image") or ""), container.get("imageDigest"), text)
    for name, text in _scheduled(snapshot):
        runs.setdefault(name, text)
    return runs, needs


def _scheduled(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """The revisions that schedules run, of any owner. One without a revision runs the latest."""
    names = schedule_api.list_scheduled(snapshot.cloud.scheduler)
    found = snapshot.pool.map(lambda one: schedule_api.get_schedule(snapshot.cloud.scheduler, *one), names)
    for (group, name), schedule in zip(names, found, strict=True):
        parameters = ((schedule or {}).get("Target") or {}).get("EcsParameters") or {}
        definition = last(parameters.get("TaskDefinitionArn"))
        if definition and ":" not in definition:
            latest = _describe(snapshot, definition)
            definition = last(latest["taskDefinitionArn"]) if latest else ""
        if definition:
            yield definition, f"schedule {name} of group {group} runs it"


def _revisions_of(service: Json) -> Iterator[str]:
    """What a service runs in any of its deployments, and what an unfinished release may roll it back to."""
    if service.get("deployments") is None:
        raise bad_answer("DescribeServices", f"the deployments of {service['serviceName']}", "none")
    for one in (service, *service["deployments"], *(service.get("taskSets") or ())):
        if one.get("taskDefinition"):
            yield str(one["taskDefinition"])
    if checkpoint := from_tags(from_list(service.get("tags"))):
        yield checkpoint.target
        if former := (checkpoint.options or {}).get("task_definition"):
            yield str(former)


def read_revisions(snapshot: Snapshot, runs: Mapping[str, str]) -> tuple[list[Revision], list[Revision]]:
    """All revisions of the project's families; and of other families the newest ones, and those that run.

    The newest revision says whose a family is.
    """
    families = api.list_families(snapshot.cloud.ecs)
    newest = dict(zip(families, snapshot.pool.map(lambda name: _describe(snapshot, name), families), strict=True))
    own = [family for family, found in newest.items() if found and _is_ours(found, snapshot.project)]
    revisions = [one for some in snapshot.pool.map(lambda family: _of_family(snapshot, family), own) for one in some]
    known = {one.name for one in revisions}
    others = [found for family, found in newest.items() if found and family not in own]
    others += filter(None, snapshot.pool.map(lambda name: _describe(snapshot, name), sorted(set(runs) - known)))
    return revisions, [_revision(found, snapshot.project) for found in others]


def _describe(snapshot: Snapshot, name: str) -> Json | None:
    return definition_api.describe_task_definition(snapshot.cloud.ecs, name)


def _of_family(snapshot: Snapshot, family: str) -> list[Revision]:
    # AWS does not describe every inactive revision.
    found = []
    for status in (ACTIVE, INACTIVE):
        for arn in definition_api.list_task_definitions(snapshot.cloud.ecs, family, status):
            answer = _describe(snapshot, arn)
            is_active = status == ACTIVE
            found.append(_revision(answer, snapshot.project) if answer else Revision(arn, is_active, not is_active))
    return found


def _revision(found: Json, project: str) -> Revision:
    return Revision(
        found["taskDefinitionArn"],
        found["status"] == ACTIVE,
        _is_ours(found, project),
        tuple(str(one["image"]) for one in found["containerDefinitions"]),
        found.get("registeredAt"),
    )


def _is_ours(found: Json, project: str) -> bool:
    return belongs_to(from_list(found["tags"]), project)


def read_images(snapshot: Snapshot) -> tuple[list[list[Image]], list[Kept]]:
    """The images of the project's own repositories, by repository; and the repositories that other projects share."""
    ecr = snapshot.cloud.ecr
    found = api.list_repositories(ecr)
    tags = snapshot.pool.map(lambda one: api.repository_tags(ecr, one["repositoryArn"]), found)
    own = [(one["repositoryName"], of) for one, of in zip(found, tags, strict=True) if belongs_to(of, snapshot.project)]
    shared = [Kept("repository", name, "other projects share it") for name, of in own if SHARED_TAG in of]
    names = [name for name, of in own if SHARED_TAG not in of]
    return list(snapshot.pool.map(lambda name: _images_of(snapshot, name), names)), shared


def _images_of(snapshot: Snapshot, repository: str) -> list[Image]:
    images = [from_api(repository, detail) for detail in api.list_images(snapshot.cloud.ecr, repository)]
    # Of an archived image, there is no manifest to read.
    indexes = [one.digest for one in images if one.is_index and one.status == "ACTIVE"]
    parts = api.manifests_in(snapshot.cloud.ecr, repository, indexes, INDEXES)
    return [one._replace(parts=tuple(parts.get(one.digest, ()))) for one in images]
