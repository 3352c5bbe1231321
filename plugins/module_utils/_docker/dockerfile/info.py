# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the Dockerfiles of an application."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ..._core.error_codes import CONTEXT_MISSING, UNREADABLE
from ..._core.errors import SlipwayError
from .model import parse

# Folders of what others wrote, of environments and of builds. Those whose names begin with a dot are left out, too.
SKIPPED = {"node_modules", "vendor", "venv", "env", "site-packages", "__pycache__", "target", "dist", "third_party"}
_PREFIXED = re.compile(r"(?:Dockerfile|Containerfile)(?:[._-](?P<name>.+))?")
_SUFFIXED = re.compile(r"(?P<name>.+)\.(?:Dockerfile|Containerfile|dockerfile)")


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """The flow of dockerfile_info."""
    del check_mode
    top = Path(params["path"])
    if not top.is_dir():
        raise SlipwayError(
            CONTEXT_MISSING, f"path: expected a directory, got {top}, which is not a directory. Set another path."
        )
    listed = [_described(top, path, name) for path, name in sorted(_found(top, params["depth"]))]
    return {"changed": False, "dockerfiles": sorted(listed, key=lambda one: (one["path"].count("/"), one["path"]))}


def _found(top: Path, depth: int) -> Iterator[tuple[Path, str]]:
    """Dockerfiles, each with the part of its name by which it differs from others in its folder."""
    for folder, folders, files in os.walk(top):
        level = len(Path(folder).relative_to(top).parts)
        inner = [name for name in folders if not name.startswith(".") and name.lower() not in SKIPPED]
        folders[:] = inner if level < depth else []
        for name in files:
            match = _PREFIXED.fullmatch(name) or _SUFFIXED.fullmatch(name)
            if match and not name.endswith((".dockerignore", ".md", ".j2", ".template", "~")):
                yield Path(folder, name), match["name"] or ""


def _described(top: Path, path: Path, variant: str) -> dict[str, t.Any]:
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: expected a Dockerfile as text, got {error}. Correct or remove it."
        raise SlipwayError(UNREADABLE, message) from error
    folder = path.parent.relative_to(top)
    name = folder.name or top.resolve().name
    return {
        "path": "" if folder == Path() else folder.as_posix(),
        "dockerfile": path.name,
        "name": _slug(f"{name}-{variant}" if variant else name),
        "base": found.base,
        "ports": found.ports,
        "health_path": found.health_path,
        "user": found.user,
        "arguments": found.arguments,
    }


def _slug(name: str) -> str:
    """What can be the name of an image, a service and a container."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "app"
