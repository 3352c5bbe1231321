# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: they exist in their registry, for the platform of the task. Pure."""

from __future__ import annotations

import json
import typing as t

from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json
from .checklist import Checklist, Service, Unread, listed
from .permissions import image_of

# Docker's names of processors, by those of ECS.
ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
# Users of an image that are root; an image that names none is.
ROOT = ("", "0", "root")
# What the option `root_user` asks for.
ALLOW, REFUSE = "allow", "refuse"


class Platform(t.NamedTuple):
    """An operating system and a processor, as manifests have them."""

    system: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.system}/{self.architecture}"


def platform_of(service: Service) -> Platform:
    """The platform that the task definition asks for."""
    wanted = service.definition.get("runtime_platform") or {}
    system = "windows" if str(wanted.get("operatingSystemFamily", "")).startswith("WINDOWS") else "linux"
    return Platform(system, ARCHITECTURES.get(str(wanted.get("cpuArchitecture") or "X86_64"), "amd64"))


def check(checklist: Checklist, service: Service) -> None:
    for place, container in service.containers:
        image = str(container.get("image") or "")
        if image and image != NOT_KNOWN:
            config = _check_image(checklist, service, f"{place}, image", image)
            if config and not container.get("user"):
                _check_user(checklist, f"{place}, user", image, config)


def _check_user(checklist: Checklist, place: str, image: str, config: Json) -> None:
    """A container that names no user has that of its image."""
    asked = checklist.desired.site.get("root_user") or ALLOW
    user = str((config.get("config") or {}).get("User") or "")
    if asked == ALLOW or user.partition(":")[0] not in ROOT:
        return
    note = checklist.fail if asked == REFUSE else checklist.warn
    note(
        "user",
        place,
        f"expected a user other than root, got image {image} with user {user or 'none'}. Add USER to its Dockerfile, or"
        " set user in the container or in ecs_app_container_defaults. To allow root, set ecs_app_root_user to"
        f" {ALLOW}.",
    )


def _check_image(checklist: Checklist, service: Service, place: str, image: str) -> Json | None:
    """Returns the configuration of the image, as far as it was read."""
    if checklist.desired.manages("image", image):
        checklist.ok("image", place, f"image {image}: this run builds it")
        return None
    known = image_of(image)
    if known is None:
        reason = "preflight only reads private registries in Amazon ECR"
        checklist.unread("image", place, f"whether image {image} exists", Unread("", reason))
        return None
    answer = checklist.account.read("image", image)
    if isinstance(answer, Unread):
        checklist.unread("image", place, f"whether image {image} exists", answer)
    elif answer is None:
        checklist.fail(
            "image",
            place,
            f"expected an existing image in repository {known.repository}, got {image}. Push it, or correct the"
            " repository, tag or digest.",
        )
    else:
        return _check_platform(checklist, place, image, platform_of(service), answer)
    return None


def _check_platform(checklist: Checklist, place: str, image: str, wanted: Platform, answer: Json) -> Json | None:
    platforms, config = platforms_of(answer), None
    if not platforms:
        digest = config_of(answer)
        read = checklist.account.read("image platform", image, digest) if digest else Unread("", "no platform in it")
        if isinstance(read, Unread) or read is None:
            unread = read or Unread("", "the registry does not have it")
            checklist.unread("platform", place, f"the platform of image {image}", unread)
            return None
        config = dict(read)
        platforms = [Platform(str(config.get("os", "linux")), str(config.get("architecture", "")))]
    if wanted in platforms:
        checklist.ok("image", place, f"image {image} exists for {wanted}")
        return config
    checklist.fail(
        "platform",
        place,
        f"expected an image for {wanted}, got {image} for {listed(platforms)}. Build it for this platform, or set"
        " runtimePlatform.",
    )
    return None


def _manifest(answer: Json) -> Json:
    try:
        found = json.loads(str(answer.get("imageManifest") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def platforms_of(answer: Json) -> list[Platform]:
    """Of an image index; none of a single image, whose platform is in its configuration. Attestations have none."""
    entries = [one.get("platform") or {} for one in _manifest(answer).get("manifests") or ()]
    found = [Platform(str(one.get("os")), str(one.get("architecture"))) for one in entries]
    return [one for one in found if one.architecture not in ("unknown", "None")]


def config_of(answer: Json) -> str:
    """The digest of the configuration of a single image."""
    return str((_manifest(answer).get("config") or {}).get("digest") or "")
