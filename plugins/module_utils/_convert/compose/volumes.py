# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes: on Amazon EFS or on the task's own storage; bind mounts are refused with advice. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..._core.types import Json
from ..notes import some_of
from .amounts import mebibytes
from .project import Project

_TMPFS_MIB = 64
_CONFIGURED = re.compile(r"\.\w+$")
_HOST_PATHS = re.compile(r"/(?:etc|proc|sys|dev|run|var/run|var/lib/docker|var/log|lib|tmp|usr)(?:/|$)|/$")


def mounts_of(project: Project, service: str) -> tuple[list[Json], list[Json], list[Json]]:
    """A container's mount points, the volumes of its task, and its tmpfs."""
    mounts: list[Json] = []
    volumes: dict[str, Json] = {}
    tmpfs = list(_tmpfs(project, service))
    for number, entry in enumerate(project.services[service].get("volumes") or ()):
        kind, target = entry.get("type"), str(entry.get("target"))
        if kind == "tmpfs":
            size = mebibytes((entry.get("tmpfs") or {}).get("size")) or _TMPFS_MIB
            tmpfs.append({"containerPath": target, "size": size})
        elif kind == "volume":
            volume = _volume(project, service, number, entry)
            volumes[volume["name"]] = volume
            read_only = {"readOnly": True} if entry.get("read_only") else {}
            mounts.append({"sourceVolume": volume["name"], "containerPath": target, **read_only})
        else:
            project.note(service, f"volumes[{number}]", *_refused(project, service, entry))
    return mounts, list(volumes.values()), tmpfs


def has_data(project: Project, service: str) -> bool:
    return bool(_sources(project.services[service]) - {""})


def note_volumes(project: Project) -> None:
    """What is to say of named volumes as a whole."""
    for name, volume in (project.model.get("volumes") or {}).items():
        users = [one for one in project.services if name in _sources(project.services[one])]
        tasks = {project.task_of(one) for one in users}
        place = f"volumes.{name}"
        if not users:
            continue
        if (volume or {}).get("driver_opts") or (volume or {}).get("driver") not in (None, "local"):
            project.notes.add(place, "Volume drivers are Docker plugins.", "For NFS, use Amazon EFS.")
        if (volume or {}).get("external"):
            reason = f"It exists outside of the file, as {volume.get('name') or name}, and its content stays there."
            project.notes.add(place, reason, "Copy the content to Amazon EFS or S3, or into the image.")
        if project.options.efs:
            continue
        if len(tasks) > 1:
            project.notes.add(
                place,
                f"The services {some_of(users)} share it. On ECS, each of their tasks gets its own empty volume.",
                "To share it, convert again with -e efs=fs-… to keep it on Amazon EFS.",
            )
        project.notes.add(
            place,
            "It is in the task's ephemeral storage, so its content is lost when the task ends, for example in each"
            " release.",
            "For a database, use Amazon RDS or ElastiCache. For files, convert again with -e efs=fs-… to keep them on "
            "Amazon EFS.",
        )


def _sources(service: Json) -> set[str]:
    return {str(entry.get("source") or "") for entry in service.get("volumes") or () if entry.get("type") == "volume"}


def _volume(project: Project, service: str, number: int, entry: Json) -> Json:
    source = entry.get("source")
    name = re.sub(r"[^A-Za-z0-9_-]", "-", str(source or f"{service}-{number}"))[:255]
    options = {key: value for key, value in (entry.get("volume") or {}).items() if value}
    for option in options:
        project.note(
            service,
            f"volumes[{number}].volume.{option}",
            "Volumes of ECS tasks do not support it.",
            "Check whether the application needs it.",
        )
    if not source or not project.options.efs:
        return {"name": name}
    project.notes.add(
        f"volumes.{source}",
        f"It is the directory /{name} in the file system {project.options.efs}. ECS does not create directories.",
        "Create the directory, with the container's user as its owner, or create an access point. Allow port 2049"
        " from the project's tasks in the file system's security group.",
    )
    efs = {"fileSystemId": project.options.efs, "rootDirectory": f"/{name}", "transitEncryption": "ENABLED"}
    return {"name": name, "efsVolumeConfiguration": efs}


def _tmpfs(project: Project, service: str) -> Iterator[Json]:
    entries = project.services[service].get("tmpfs") or []
    for entry in [entries] if isinstance(entries, str) else entries:
        path, _colon, text = str(entry).partition(":")
        options = dict(one.partition("=")[::2] for one in text.split(",") if one)
        size = mebibytes(options.pop("size", None))
        if size is None:
            advice = (
                f"Its size is now {_TMPFS_MIB} MiB of the task's memory. To change it, set size in"
                " linuxParameters.tmpfs."
            )
            project.note(service, "tmpfs", "Compose sets no size, but ECS requires one.", advice)
        mount_options = [f"{name}={value}" if value else name for name, value in options.items()]
        yield {
            "containerPath": path,
            "size": size or _TMPFS_MIB,
            **({"mountOptions": mount_options} if mount_options else {}),
        }


def _refused(project: Project, service: str, entry: Json) -> tuple[str, str]:
    """Why a mount is left out, and what to do instead."""
    source, target = str(entry.get("source") or ""), str(entry.get("target"))
    if entry.get("type") != "bind":
        return f"Fargate tasks do not support volumes of type {entry.get('type')}.", "Copy the files into the image."
    if source.endswith("docker.sock"):
        return (
            "Fargate tasks have no Docker Engine.",
            "If the service is a proxy that discovers containers, such as Traefik, remove it: the load balancer"
            " replaces it. If it manages containers, use the ECS API.",
        )
    relative = project.relative(source)
    if relative.startswith("/") and _HOST_PATHS.match(source):
        return "Fargate tasks have no host to mount from.", "For time zones, set the variable TZ."
    if relative.startswith("/"):
        return (
            f"{source} is mounted from this machine at {target}. Fargate tasks have no host to mount from.",
            "Copy the files to Amazon EFS or S3, or into the image.",
        )
    image = project.services[service]
    context = str((image.get("build") or {}).get("context") or "")
    if context and (source == context or source.startswith(f"{context}/")):
        return (
            f"{relative} is mounted from this machine at {target}, for development. A task only has the files in its"
            " image.",
            "Check that the Dockerfile copies it.",
        )
    if entry.get("read_only") or _CONFIGURED.search(source.rpartition("/")[2]):
        start = f"FROM {image['image']}" if image.get("image") and not context else "the Dockerfile"
        return (
            f"{relative} is mounted from this machine at {target}. A task only has the files in its image.",
            f"Build an image that contains it: {start}, then COPY {relative} {target}.",
        )
    return (
        f"{relative} is mounted from this machine at {target}. A task only has the files in its image.",
        f"For configuration, build an image: COPY {relative} {target}. For data, use a named volume in the Compose"
        " file and convert again with -e efs=fs-….",
    )
