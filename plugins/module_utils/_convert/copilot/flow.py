# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts a workspace of Copilot: finds the manifests, reads them, and describes the project."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..._core.error_codes import SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.templates import escaped
from ..._core.types import Json
from ..paths import directory
from ..yaml_text import loaded
from .project import Project
from .site import site


def run(params: Json) -> Json:
    """The project of a workspace, of its directory copilot, or of manifests."""
    path, environment = Path(params["source"][0]), params["environment"] or ""
    root, files = _workspace(path)
    files += [Path(other) for other in params["source"][1:]]
    manifests = [_yaml(file) for file in files]
    services = [one for one in manifests if one.get("type") not in ("Environment", "Pipeline")]
    if not services:
        raise SlipwayError(
            SOURCE_INVALID,
            f"source: expected a Copilot workspace with copilot/<service>/manifest.yml, got {path}. Set its path.",
        )
    application = _application(root) or params["project"] or root.name
    known = sorted({key for one in services for key in one.get("environments") or {}} | _environments(root))
    if environment and known and environment not in known:
        raise SlipwayError(
            SOURCE_INVALID,
            f"copilot_environment: expected one of {', '.join(known)}, got {environment}. Name another one.",
        )
    project = Project(
        application=application,
        environment=environment,
        name=params["project"] or "-".join(part for part in (application, environment) if part),
        run_environment=os.environ,
        env_files={file: text for one in services for file, text in _env_files(one, root)},
    )
    if known and not environment:
        project.notes.add(
            "environment",
            f"The overrides of {', '.join(known)} are not applied.",
            "To apply those of one environment, add -e copilot_environment=<name>.",
        )
    for extra in _extras(root):
        project.notes.add(
            str(extra.relative_to(root)), _EXTRA, "Keep the stack, or create its resources with another tool."
        )
    manifest = root / "copilot" / "environments" / environment / "manifest.yml"
    own = _yaml(manifest) if environment and manifest.is_file() else None
    return site(project, params["region"], directory(str(root.resolve()), params["inventory"]), services, own)


# Of these, Copilot takes the values as text, whatever YAML would take them for.
_OF_TEXT = ("args", "destination", "labels", "variables")
_EXTRA = "It is a CloudFormation template, which Copilot deploys with the service."


def _workspace(path: Path) -> tuple[Path, list[Path]]:
    """The root of the working tree and the manifests."""
    if path.is_file():
        return _root_of(path.parent), [path]
    root = path.parent if path.name == "copilot" and not (path / "copilot").is_dir() else path
    return root, sorted((root / "copilot").glob("*/manifest.yml"))


def _root_of(path: Path) -> Path:
    return next((parent.parent for parent in (path, *path.parents) if parent.name == "copilot"), path)


def _application(root: Path) -> str:
    file = root / "copilot" / ".workspace"
    return str(_yaml(file).get("application") or "") if file.is_file() else ""


def _environments(root: Path) -> set[str]:
    return {file.parent.name for file in (root / "copilot" / "environments").glob("*/manifest.yml")}


def _extras(root: Path) -> list[Path]:
    """Templates besides manifests: addons and overrides."""
    found = [*root.glob("copilot/**/addons/*.yml"), *root.glob("copilot/**/overrides/*.yml")]
    return sorted({file.parent for file in found})


def _env_files(manifest: t.Any, root: Path) -> Iterator[tuple[str, str]]:
    if isinstance(manifest, Mapping):
        for key, value in manifest.items():
            if key == "env_file" and isinstance(value, str) and (root / value).is_file():
                yield value, _text(root / value)
            else:
                yield from _env_files(value, root)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected a file that can be read, got: {error}.") from error


def _yaml(path: Path) -> Json:
    import yaml

    try:
        document = loaded(_text(path), maps=_OF_TEXT)
    except yaml.YAMLError as error:
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected YAML, got: {error}.") from error
    if not isinstance(document, dict):
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected a manifest, got {type(document).__name__}.")
    return t.cast(Json, escaped(document))
