# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of an inventory: a container that runs, or a task. With their variables and groups. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from ..._core import tags
from ..._core.names import last
from ..._core.types import Json

RUNNING = "RUNNING"
# As many characters of a task's ID as a name has, unless two hosts share the name.
SHORT = 8
# Says nothing about the version.
LATEST = "latest"
PUBLIC = frozenset({"docker.io", "public.ecr.aws", "ghcr.io", "quay.io", "registry.k8s.io"})
# The groups of a host: the first part of their names, and the variable that is the second.
GROUPED = {
    "region": "ecs_region",
    "cluster": "ecs_cluster",
    "service": "ecs_service",
    "family": "ecs_family",
    "container": "ecs_container",
    "version": "ecs_version",
    "zone": "ecs_zone",
    "launch_type": "ecs_launch_type",
    "health": "ecs_health",
}


class Image(t.NamedTuple):
    """An image in a repository of a registry, by digest."""

    region: str
    repository: str
    digest: str


class Host(t.NamedTuple):
    """A host as the inventory has it, but for its name."""

    label: str
    """Its service or family."""
    variables: Json

    def name(self, length: int | None) -> str:
        parts = (self.label, self.variables["ecs_task_id"][:length], self.variables.get("ecs_container", ""))
        return "-".join(part for part in parts if part)


Images = t.Mapping[Image, list[str]]


def hosts(
    tasks: t.Iterable[tuple[str, Json]], images: Images, per_task: bool, containers: t.Sequence[str] = ()
) -> dict[str, Json]:
    """The variables of all hosts by name. Each task comes with its region; images are given with their tags."""
    found = [host for region, task in tasks for host in of_task(region, task, images, per_task)]
    found = [one for one in found if not containers or one.variables.get("ecs_container", containers[0]) in containers]
    shared = Counter(host.name(SHORT) for host in found)
    named = {host.name(SHORT if shared[host.name(SHORT)] == 1 else None): host.variables for host in found}
    return dict(sorted(named.items()))


def of_task(region: str, task: Json, images: Images, per_task: bool) -> list[Host]:
    """A host for each container of the task that runs, or one for the task."""
    # A container about which ECS says nothing runs as its task does.
    running = [one for one in task.get("containers") or () if (one.get("lastStatus") or RUNNING) == RUNNING]
    if task["lastStatus"] != RUNNING or not running:
        return []
    common = task_variables(region, task)
    label = str(common.get("ecs_service") or common["ecs_family"])
    if per_task:
        names = [one["name"] for one in running]
        return [Host(label, {**common, "ecs_health": health(task), "ecs_containers": names})]
    return [Host(label, _without_empty({**common, **container_variables(region, one, images)})) for one in running]


def task_variables(region: str, task: Json) -> Json:
    """What a task says about itself."""
    family, _colon, revision = last(task["taskDefinitionArn"]).partition(":")
    group = str(task.get("group") or "")
    addresses = interface(task)
    return _without_empty(
        {
            "ecs_region": region,
            "ecs_account_id": task["taskArn"].split(":")[4],
            "ecs_cluster": last(task["clusterArn"]),
            "ecs_service": group.removeprefix("service:") if group.startswith("service:") else None,
            "ecs_family": family,
            "ecs_revision": int(revision) if revision.isdigit() else None,
            "ecs_task_arn": task["taskArn"],
            "ecs_task_id": last(task["taskArn"]),
            "ecs_launch_type": str(task.get("launchType") or "").lower(),
            "ecs_capacity_provider": task.get("capacityProviderName"),
            "ecs_zone": task.get("availabilityZone"),
            "ecs_platform_version": task.get("platformVersion"),
            "ecs_started_at": str(task.get("startedAt") or ""),
            "ecs_exec_enabled": bool(task.get("enableExecuteCommand")),
            "ecs_private_ip": addresses.get("privateIPv4Address"),
            "ecs_subnet_id": addresses.get("subnetId"),
            "ansible_host": addresses.get("privateIPv4Address"),
            "ecs_tags": tags.from_list(task.get("tags")),
        }
    )


def container_variables(region: str, container: Json, images: Images) -> Json:
    """What a container says about itself, and the tags of its image."""
    image = str(container.get("image") or "")
    reference, _at, digest = image.partition("@")
    named = image_of(region, container)
    tags_of_image = images.get(named, []) if named else []
    return {
        "ecs_container": container["name"],
        "ecs_runtime_id": container.get("runtimeId"),
        "ecs_image": image,
        "ecs_version": version(reference, tags_of_image),
        "ecs_digest": container.get("imageDigest") or digest,
        "ecs_health": health(container),
    }


def image_of(region: str, container: Json) -> Image | None:
    """The image of a container that is referred to by its digest alone, in a registry that may be the account's own."""
    reference, _at, digest = str(container.get("image") or "").partition("@")
    registry, _slash, repository = reference.partition("/")
    is_registry = "." in registry or ":" in registry
    if not digest or version(reference, []) or not repository or not is_registry or registry in PUBLIC:
        return None
    return Image(region, repository, digest)


def images_of(tasks: t.Iterable[tuple[str, Json]]) -> dict[tuple[str, str], list[str]]:
    """The digests whose tags are not known, by region and repository."""
    found: dict[tuple[str, str], set[str]] = {}
    for region, task in tasks:
        for image in (image_of(region, one) for one in task.get("containers") or ()):
            if image:
                found.setdefault((image.region, image.repository), set()).add(image.digest)
    return {place: sorted(digests) for place, digests in found.items()}


def version(reference: str, tags_of_image: list[str]) -> str:
    """The tag in a reference to an image, or else one that the image has; empty if there is none."""
    named = reference.rpartition("/")[2].partition(":")[2]
    return named or next(iter(sorted(tags_of_image, key=lambda tag: (tag == LATEST, tag))), "")


def health(resource: Json) -> str | None:
    """healthy, unhealthy or unknown, as ECS says of a task or container."""
    return str(resource.get("healthStatus") or "UNKNOWN").lower()


def interface(task: Json) -> dict[str, str]:
    """The members of the network interface of a task in awsvpc mode."""
    for attachment in task.get("attachments") or ():
        if attachment.get("type") == "ElasticNetworkInterface":
            details = attachment.get("details") or ()
            return {str(one.get("name")): str(one["value"]) for one in details if one.get("value")}
    return {}


def groups(variables: Json) -> list[str]:
    """The groups that a host with these variables belongs to, as names that Ansible has yet to make valid."""
    found = [f"{kind}_{variables[name]}" for kind, name in GROUPED.items() if variables.get(name)]
    return [*found, *(f"tag_{key}_{value}" for key, value in (variables.get("ecs_tags") or {}).items())]


def _without_empty(variables: Json) -> Json:
    return {name: value for name, value in variables.items() if value not in (None, "")}
