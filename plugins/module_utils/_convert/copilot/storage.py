# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The storage of a Copilot service: volumes, and the task's own disk. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.types import Json
from .project import Project


def apply(definition: Json, container: Json, given: Mapping[str, t.Any], project: Project, place: str) -> None:
    storage = dict(given)
    size = storage.pop("ephemeral", None)
    if size:
        definition["ephemeralStorage"] = {"sizeInGiB": int(size)}
    if storage.pop("readonly_fs", False):
        container["readonlyRootFilesystem"] = True
    volumes: list[Json] = []
    mounts: list[Json] = []
    for name, volume in (storage.pop("volumes", None) or {}).items():
        one = dict(volume)
        mounts.append(
            {
                "sourceVolume": name,
                "containerPath": one.pop("path", ""),
                "readOnly": bool(one.pop("read_only", True)),
            }
        )
        volumes.append({"name": name, **_file_system(name, one.pop("efs", None), project, place)})
        project.leftovers(one, f"{place}.storage.volumes.{name}")
    if volumes:
        definition["volumes"] = volumes
        container["mountPoints"] = mounts
    project.leftovers(storage, f"{place}.storage")


def _file_system(name: str, efs: t.Any, project: Project, place: str) -> Json:
    if not efs:
        return {}
    given = dict(efs) if isinstance(efs, Mapping) else {}
    identifier = project.value(given.pop("id", None), f"the file system of the volume {name}")
    user = {key: given.pop(key) for key in ("uid", "gid") if key in given}
    if not identifier:
        reason = "Copilot creates the file system and its access point; Slipway does not."
        identifier = project.missing("efs", f"{place}_{name}", f"the ID of a file system for the volume {name}", reason)
    if user:
        project.notes.add(
            f"{place}.storage.volumes.{name}.efs",
            f"The user {user.get('uid')} and the group {user.get('gid')} require an access point.",
            "Create an access point with these IDs, and set accessPointId in authorizationConfig.",
        )
    auth = given.pop("auth", None) or {}
    point = auth.get("access_point_id")
    configuration: Json = {"fileSystemId": identifier, "transitEncryption": "ENABLED"}
    root = given.pop("root_dir", None)
    if root and not point:
        configuration["rootDirectory"] = root
    configuration["authorizationConfig"] = {
        **({"accessPointId": point} if point else {}),
        "iam": "ENABLED" if auth.get("iam", True) else "DISABLED",
    }
    project.leftovers(given, f"{place}.storage.volumes.{name}.efs")
    return {"efsVolumeConfiguration": configuration}
