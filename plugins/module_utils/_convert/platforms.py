# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processor that images are built for: that of the tasks which run them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._core.types import Json
from .notes import Notes, some_of

_ARM, _DEFAULT = "ARM64", "X86_64"


def of_builds(services: Iterable[Json], images: Sequence[Json], notes: Notes) -> Json:
    """The variables of the Docker host, which builds for its own processor."""
    built = {str(image["name"]) for image in images}
    found: dict[str, list[str]] = {}
    for service in services:
        definition = service["task_definition"]
        if any(container.get("image") in built for container in definition["containerDefinitions"]):
            processor = str((definition.get("runtimePlatform") or {}).get("cpuArchitecture") or _DEFAULT)
            found.setdefault(processor, []).append(str(service["name"]))
    if _ARM not in found:
        return {}
    if len(found) > 1:
        notes.add(
            "images",
            f"{some_of(found[_ARM])} run on ARM64 and {some_of(found[_DEFAULT])} on X86_64, and one Docker host builds"
            " for its own processor.",
            "Choose one platform for all, or build some of the images elsewhere.",
        )
    return {"docker_instance_architecture": "arm64"} if len(found) == 1 else {}
