# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts playbooks and roles that use modules of community.aws: reads the files, and returns them converted."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

from ..._core.error_codes import SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.types import Json
from ..notes import Notes
from .playbook import convert, registered

T = t.TypeVar("T")
_SUFFIXES = (".yml", ".yaml")


def run(params: Json) -> Json:
    """The files that change, each with the path of the new file, and the notes."""
    notes = Notes()
    texts = {file: _text(file) for path in params["source"] for file in _files(Path(path))}
    results: dict[str, str] = {}
    for file, text in texts.items():
        results |= _of_yaml(file, functools.partial(registered, text))
    found: list[Json] = []
    for file, text in texts.items():
        done = _of_yaml(file, functools.partial(convert, text, results, file.name, notes))
        if done.text != text:
            found.append({"source": str(file), "path": str(_beside(file)), "content": done.text, "tasks": done.tasks})
    return {"files": found, "notes": list(notes)}


def _of_yaml(file: Path, read: t.Callable[[], T]) -> T:
    import yaml

    try:
        return read()
    except yaml.YAMLError as error:
        raise SlipwayError(SOURCE_INVALID, f"{file}: expected YAML, got: {error}.") from error


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = [file for suffix in _SUFFIXES for file in path.rglob(f"*{suffix}")]
    return sorted(file for file in found if ".slipway." not in file.name and "ecs_" in _text(file))


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.slipway{path.suffix}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected a file that can be read, got: {error}.") from error
