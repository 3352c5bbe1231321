# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: builds become entries of container_image_images, others keep their reference. Pure."""

from __future__ import annotations

import re
import typing as t

from ..._core.masking import is_secret
from ..._core.types import Json
from ..notes import without_empty
from .project import Project, image_name
from .unsupported import BUILD_KEYS, UNKNOWN

_GIT = re.compile(r"(?:git@|git://|ssh://|https?://).*")
_TAG = re.compile(r":(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})(?:@.*)?$")
_HANDLED = frozenset(("context", "dockerfile", "args", "target", "tags"))


def image_of(project: Project, service: str) -> str:
    """What the container names as its image."""
    given = project.services[service]
    if given.get("build"):
        return build_name(project, service)
    image = str(given.get("image") or "")
    name = image.rpartition("/")[2]
    # A name without slash and colon would be one of the images that are built.
    return image if ":" in name or "@" in name else f"{image}:latest"


def build_name(project: Project, service: str) -> str:
    """Services with the same build share an image, named after the first of them."""
    build = project.services[service]["build"]
    first = next(name for name, one in project.services.items() if one.get("build") == build)
    return image_name(first)


def builds_of(project: Project) -> list[Json]:
    """The images to build."""
    firsts = [
        name
        for name, one in project.services.items()
        if one.get("build") and build_name(project, name) == image_name(name)
    ]
    return [_build(project, name) for name in firsts]


def _build(project: Project, service: str) -> Json:
    given = project.services[service]
    build = given["build"]
    for key in build:
        if key not in _HANDLED and build[key]:
            project.note(service, f"build.{key}", *BUILD_KEYS.get(key, UNKNOWN))
    image = image_name(service)
    return without_empty(
        {
            "name": image,
            "repository": {"name": f"{project.options.project}/{image}".lower()},
            **_source(project, build),
            "build_args": _arguments(project, service, build.get("args") or {}),
            "target": build.get("target"),
            "tags": _tags(given, build),
        }
    )


def _source(project: Project, build: Json) -> Json:
    context, dockerfile = str(build.get("context") or ""), build.get("dockerfile")
    named = {"dockerfile": dockerfile} if dockerfile and dockerfile != "Dockerfile" else {}
    if not _GIT.fullmatch(context):
        return {"path": project.located(context), **named}
    repository, _hash, place = context.partition("#")
    version, _colon, path = place.partition(":")
    return {"git": without_empty({"repo": repository, "version": version or None, "path": path or None}), **named}


def _arguments(project: Project, service: str, arguments: Json) -> Json:
    found: dict[str, t.Any] = {}
    for name, value in arguments.items():
        if value is None:
            reason = "It has no value in the file, because Compose reads it from the shell."
            project.note(service, f"build.args.{name}", reason, "Set it in build_args of the image.")
        elif is_secret(name, value) or project.has_secret(str(value)):
            reason = "It looks like a secret, but build arguments remain in the image."
            project.note(service, f"build.args.{name}", reason, "Fetch files that require a secret before the build.")
        else:
            found[name] = str(value)
    return found


def _tags(given: Json, build: Json) -> list[str]:
    """The tag by which a run without a build finds the image."""
    for reference in (given.get("image"), *(build.get("tags") or ())):
        if found := _TAG.search(str(reference or "")):
            return [found["tag"]]
    return ["latest"]
