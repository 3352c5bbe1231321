# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which versions services run, as the history records them: revision, and digest of each container's image."""

from __future__ import annotations

import typing as t

from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.types import Json
from ..task import api as task_api
from ..task_definition import api as definition_api
from .rollouts import RunningRelease

_DIGEST = "@"


def versions(release: RunningRelease, runs: t.Mapping[str, str]) -> dict[str, Json]:
    """The version of each service by its name, from the ARN of the task definition that it runs; {} where it has none.

    What cannot be read does not fail the release. Then the images are None.
    """
    arns = sorted({arn for arn in runs.values() if arn})
    found = dict(zip(arns, release.pool.map(lambda arn: _containers(release, arn), arns), strict=True))
    read = release.pool.map(lambda name: _version(release, name, runs[name], found.get(runs[name])), runs)
    return dict(zip(runs, read, strict=True))


def _containers(release: RunningRelease, arn: str) -> list[Json] | None:
    for service in release.services:
        if service.definition and service.definition.result and service.definition.arn == arn:
            return list(service.definition.result["container_definitions"])
    try:
        answer = definition_api.describe_task_definition(release.ecs, arn)
    except SlipwayError:
        return None
    return list(answer["containerDefinitions"]) if answer else None


def _version(release: RunningRelease, name: str, arn: str, containers: list[Json] | None) -> Json:
    if not arn:
        return {}
    version: Json = {"task_definition": last(arn)}
    if containers is None:
        return {**version, "images": None}
    images = {str(one["name"]): str(one.get("image") or "") for one in containers}
    has_tags = any(_DIGEST not in image for image in images.values())
    digests = _running_digests(release, name, arn) if has_tags else {}
    return {
        **version,
        "images": [[name, image, image.partition(_DIGEST)[2] or digests.get(name)] for name, image in images.items()],
    }


def _running_digests(release: RunningRelease, service: str, arn: str) -> dict[str, str]:
    """The digests that tasks of a revision run, by container, for images that are named by a tag."""
    try:
        tasks = task_api.list_tasks(release.ecs, release.cluster, serviceName=service)
        found = task_api.describe_tasks(release.ecs, release.cluster, tasks)
    except SlipwayError:
        return {}
    own = [task for task in found if task.get("taskDefinitionArn") == arn]
    containers = [container for task in own for container in task.get("containers") or ()]
    return {str(one.get("name")): str(one["imageDigest"]) for one in containers if one.get("imageDigest")}
