# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a service runs: digest, tags and git revision. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Sequence

from ..._core.types import Json
from .project import Project

# The standard label of an image, which a container definition can repeat in dockerLabels.
LABEL = "org.opencontainers.image.revision"
# Tags that name a commit: as `docker/metadata-action` writes them (sha-…), git-…, or the commit alone.
COMMIT = re.compile(r"(?:(?:git|sha|commit|rev)-)?([0-9a-f]{7,40})")


class Container(t.NamedTuple):
    """A container of a task, with the digest that it runs, if ECS reports one."""

    name: str
    image: str
    digest: str


def images(project: Project, definition: str, tasks: Sequence[Json] | None) -> list[Json] | None:
    """The images of a task definition's containers, with the digests that its tasks run; None if neither is known."""
    declared = _declared(project, definition)
    running = list(_running([task for task in tasks or () if task.get("taskDefinitionArn") == definition]))
    if declared is None:
        if not running:
            return None
        declared = {one.name: {"image": one.image} for one in sorted(running)}
    found: list[Json] = []
    for name, container in declared.items():
        image = str(container.get("image") or "")
        reported = {(one.image, one.digest) for one in running if one.name == name and one.digest}
        for address, digest in sorted(reported) or [(image, _digest(image))]:
            found.append(_image(project, name, container, address, digest))
    return found


def _declared(project: Project, definition: str) -> dict[str, Json] | None:
    """The containers of a task definition by name, if that revision was read."""
    found = project.revisions.get(definition)
    return {str(one["name"]): one for one in found["containerDefinitions"]} if found else None


def _running(tasks: Sequence[Json]) -> Iterator[Container]:
    """The containers of tasks. A reference with a digest runs as it is, before ECS reports it."""
    for task in tasks:
        for one in task.get("containers") or ():
            image = str(one.get("image") or "")
            yield Container(str(one.get("name")), image, str(one.get("imageDigest") or _digest(image)))


def _image(project: Project, name: str, container: Json, image: str, digest: str) -> Json:
    repository = _repository(image)
    tags = project.tags_of_images.get((repository, digest)) or _own_tag(image)
    return {
        "container": name,
        "image": image,
        "repository": repository,
        "digest": digest or None,
        "tags": tags,
        "revision": (container.get("dockerLabels") or {}).get(LABEL) or _commit(tags),
    }


def _repository(image: str) -> str:
    """The repository's name, whatever the address of its registry."""
    path = image.partition("@")[0]
    host, slash, rest = path.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else path
    return path.partition(":")[0]


def _digest(image: str) -> str:
    return image.rpartition("@")[2] if "@" in image else ""


def _own_tag(image: str) -> list[str]:
    _name, colon, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return [tag] if colon else []


def _commit(tags: Sequence[str]) -> str | None:
    """The commit that a tag names. Digits alone are a date or a number."""
    matches = (COMMIT.fullmatch(tag) for tag in tags)
    return next((match[1] for match in matches if match and not match[1].isdecimal()), None)
