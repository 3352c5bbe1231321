# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a stage gets from another one, by digest, and what prevents it. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Sequence

from ..._core.types import Json

# A release that has not ended, as the status names it.
OPEN = ("in_progress", "interrupted", "rolling_back", "unfinished")
# States of services whose tasks are what the stage was tested with. A stopped one runs nothing, on purpose.
SETTLED = ("stable", "stopped")
UNKNOWN_IMAGE = "unknown@sha256:" + "0" * 64


class Container(t.NamedTuple):
    """A container that names one of the stage's images."""

    service: str
    name: str
    image: str


def containers(services: Sequence[Json]) -> list[Container]:
    """The containers of services, as ecs_app_services declares them, whose image is one of ecs_app_images."""
    return [
        Container(str(service.get("name")), str(one.get("name")), str(one["image"]))
        for service in services
        for one in (service.get("task_definition") or {}).get("containerDefinitions") or ()
        if one.get("image") and not any(mark in str(one["image"]) for mark in "/:@")
    ]


def label(status: Json) -> str:
    return f"{status['project']} in {status['region']}"


def is_same(source: Json, target: Json) -> bool:
    """Whether both are one stage."""
    return all(source[name] == target[name] for name in ("account", "region", "project"))


def origin(source: Json, services: Sequence[Json]) -> Json:
    """What the history records of where images come from: the stage, and the newest release that began to run them."""
    names = {one.service for one in containers(services)}
    numbers = [one["release"]["number"] for one in source["services"] if one["name"] in names and one.get("release")]
    known = [number for number in numbers if number is not None]
    return {
        **{name: source[name] for name in ("project", "region", "account")},
        "release": max(known) if known else None,
    }


class Found(t.NamedTuple):
    """The images of a stage by their names, each container that uses one, and what prevents it."""

    images: dict[str, str]
    containers: list[Json]
    problems: list[str]


def find(source: Json, target: Json, services: Sequence[Json], *, unstable: bool) -> Found:
    """The images that containers of the same names run in the other stage."""
    running = {one["name"]: one for one in source["services"]}
    before = {one["name"]: one for one in target["services"]}
    images: dict[str, str] = {}
    listed: list[Json] = []
    problems: list[str] = []
    where = label(source)
    for container in containers(services):
        service = running.get(container.service)
        reference, problem = _reference(service, container, where)
        if problem:
            problems.append(problem)
        elif images.setdefault(container.image, reference) != reference:
            problems.append(
                f"{container.service}, container {container.name}: expected one version of the image {container.image}"
                f" in {where}, got {images[container.image]} and {reference}. Release it there with one version."
            )
        listed.append(
            {
                "service": container.service,
                "container": container.name,
                "image": container.image,
                "before": _reference(before.get(container.service), container, "")[0] or None,
                "after": reference or None,
            }
        )
    if not unstable:
        names = dict.fromkeys(one.service for one in containers(services))
        problems += [text for name in names if name in running for text in _unsettled(running[name], where)]
    return Found(images, listed, problems)


def _reference(service: Json | None, container: Container, where: str) -> tuple[str, str]:
    """The image of a container with its digest, or what is wrong with it."""
    place = f"{container.service}, container {container.name}"
    if service is None:
        return "", f"{container.service}: expected a service of this name in {where}, got none. Release it there first."
    images = service["images"]
    if images is None:
        return (
            "",
            f"{place}: expected a readable image in {where}, got none. Allow ecs:DescribeTaskDefinition.",
        )
    found = [one for one in images if one["container"] == container.name]
    digests = {str(one["digest"] or "") for one in found}
    if not found:
        return "", f"{place}: expected a container of this name in {where}, got none. Release it there first."
    if len(digests) > 1:
        return "", (
            f"{place}: expected one version in {where}, got {', '.join(sorted(filter(None, digests)))}. Wait until"
            " the release there has ended."
        )
    (digest,) = digests
    if not digest:
        return "", (
            f"{place}: expected a digest in {where}, got {found[0]['image']}, which no task runs. Start a task"
            " there, or refer to the image by digest."
        )
    return f"{_address(str(found[0]['image']))}@{digest}", ""


def _address(image: str) -> str:
    """Registry and repository of an image, without tag and digest."""
    path = image.partition("@")[0]
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _unsettled(service: Json, where: str) -> Iterator[str]:
    outcome = str((service.get("release") or {}).get("outcome") or "")
    if service["state"] in SETTLED and outcome not in OPEN:
        return
    state = outcome.replace("_", " ") if service["state"] in SETTLED else service["state"]
    reasons = " ".join(service.get("problems") or ())
    yield (
        f"{service['name']}: expected a stable service in {where}, got {state}"
        f"{f': {reasons}' if reasons else '.'} Wait until it is stable, or correct it there, or set promote_unstable."
    )


def predicted(found: Found, services: Sequence[Json]) -> dict[str, str]:
    """The images, with unknown ones where the stage runs none yet."""
    return {one.image: found.images.get(one.image, UNKNOWN_IMAGE) for one in containers(services)}


def missing(found: Found) -> list[str]:
    """One sentence on what a stage does not run yet that gets its images from another one."""
    names = dict.fromkeys(f"{one['service']} ({one['image']})" for one in found.containers if not one["after"])
    if not names:
        return []
    return [
        f"slipway_promoted: expected images that this stage already runs, got none for {', '.join(names)}. Release"
        " them with the playbook slipway.aws.promote.",
        *found.problems,
    ]
