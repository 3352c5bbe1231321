# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the files of an inventory, and overwrites none that has other content."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .._core.error_codes import FILE_EXISTS
from .._core.errors import SlipwayError
from .._core.files import UNFINISHED, write_text
from .._core.masking import mask
from .model import HOSTS, files


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    directory = Path(params["directory"])
    if directory.exists() and not directory.is_dir():
        raise SlipwayError(
            FILE_EXISTS, f"directory: expected a directory or a path that does not exist, got the file {directory}."
        )
    wanted, shown = files(params["site"]), files(mask(params["site"]))
    current = {path: _read(directory / path) for path in wanted}
    changed = {path: text for path, text in wanted.items() if current[path] != text}
    other = [path for path in changed if current[path] is not None]
    if other and not params["force"]:
        raise SlipwayError(
            FILE_EXISTS,
            f"{directory}: expected files without other content, got {', '.join(other)}. Choose another directory,"
            " or set force to overwrite these files.",
            {"files": other},
        )
    if not check_mode:
        # Ansible takes a directory for an inventory by its hosts: one that is not complete has none.
        for path in sorted(changed, key=lambda path: path == HOSTS):
            write_text(directory / path, changed[path])
        for unfinished in _unfinished(directory, wanted):
            unfinished.unlink(missing_ok=True)
    left = _left(directory, wanted)
    return {
        "changed": bool(changed),
        "directory": str(directory),
        "files": sorted(wanted),
        "diff": [
            _difference(directory / path, current[path], shown.get(path) == text, text)
            for path, text in changed.items()
        ],
        "left": left,
        "warnings": [f"{directory / name}: no service uses this file. Delete it." for name in left],
    }


def _unfinished(directory: Path, wanted: t.Iterable[str]) -> list[Path]:
    """What a run that was killed while it wrote has left."""
    folders = sorted({(directory / path).parent for path in wanted})
    return [path for folder in folders for path in folder.glob(f"{UNFINISHED}*")]


def _difference(path: Path, before: str | None, is_plain: bool, after: str) -> dict[str, str]:
    """A file with a value that looks like a secret is named only."""
    texts = {"before": before or "", "after": after} if is_plain else {"before": "", "after": "(not shown: a secret)\n"}
    return {"before_header": str(path), "after_header": str(path), **texts}


def _left(directory: Path, wanted: t.Container[str]) -> list[str]:
    """Files of services that the project does not have any more: someone else may have written them."""
    found = [*directory.glob("group_vars/all/service_*.yml"), *directory.glob("group_vars/task_definitions/*.json")]
    names = sorted(str(path.relative_to(directory)) for path in found)
    return [name for name in names if name not in wanted]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(
            FILE_EXISTS, f"{path} cannot be read: {error}. Move it, or choose another directory."
        ) from error
