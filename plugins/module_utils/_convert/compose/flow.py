# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts Compose files: reads them with Docker Compose, then computes the project."""

from __future__ import annotations

import re
import typing as t

from ..._core.error_codes import INVALID_OPTION, SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.templates import escaped
from ..._core.types import Json
from ..paths import directory
from .api import read
from .hosts import cloud_map_name
from .model import site_of
from .project import Options

# With a suffix it is the name of a load balancer, which has 32 characters at most.
_PROJECT = re.compile(r"[a-z][a-z0-9-]{0,22}[a-z0-9]")


def run(params: Json) -> Json:
    source = read(params["source"], params["profiles"], params["env_files"], params["project"])
    project = re.sub(r"[^a-z0-9-]", "-", str(params["project"] or source.model.get("name")).lower()).strip("-")
    if not _PROJECT.fullmatch(project):
        expected = "2 to 24 lower case letters, digits and hyphens, a letter first"
        raise SlipwayError(INVALID_OPTION, f"project: expected {expected}, got {project!r}. Set another name.")
    services = source.model.get("services") or {}
    _require_distinct(services)
    for name in params["publish"]:
        if name not in services:
            known = ", ".join(services) or "none"
            problem = f"publish: expected services of the file ({known}), got {name!r}. Correct it."
            raise SlipwayError(INVALID_OPTION, problem)
    options = Options(
        project=project,
        domain=params["domain"] or "",
        region=params["region"],
        efs=params["efs"] or "",
        publish=tuple(params["publish"]),
        directory=directory(source.directory, params["inventory"]),
    )
    return site_of(source._replace(model=escaped(source.model)), options)


def _require_distinct(services: t.Iterable[str]) -> None:
    """Fail where two services would get one name: on ECS and in DNS, a dot and a capital letter are lost."""
    first: dict[str, str] = {}
    for name in services:
        other = first.setdefault(cloud_map_name(name), name)
        if other != name:
            both = f"got {other} and {name}, which both become {cloud_map_name(name)}"
            problem = f"services: expected names that differ as DNS labels, {both}. Rename one of them, then rerun."
            raise SlipwayError(SOURCE_INVALID, problem)
