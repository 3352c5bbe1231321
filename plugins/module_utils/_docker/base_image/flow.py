# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module base_image_pin does: read all files, ask the registries, then write."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ..._core.error_codes import BASE_IMAGE_MISSING
from ..._core.errors import SlipwayError
from ..._core.files import write_text
from . import api, model

Json = dict[str, t.Any]


def run(params: Json, check_mode: bool) -> Json:
    texts = {path: _read(path) for path in _files([Path(path) for path in params["paths"]])}
    found = {path: model.lines(text, params["variables"]) for path, text in texts.items()}
    named = {line.image: image for lines in found.values() for line in lines if (image := model.image(line.image))}
    if not named:
        raise SlipwayError(
            BASE_IMAGE_MISSING,
            f"paths: expected {' or '.join(params['variables'])} with an image and its tag in"
            f" {', '.join(params['paths'])}, got none. Set one there, without a template.",
        )
    # All are read before any file is written.
    pinned = {name: image.pinned(api.digest(image.url, image.tag, model.challenge)) for name, image in named.items()}
    diffs = []
    for path, text in texts.items():
        renewed = {line.number: pinned[line.image] for line in found[path] if line.image in pinned}
        after = model.replaced(text, renewed, found[path])
        if after != text:
            diffs.append(model.diff(str(path), text, after))
            if not check_mode:
                write_text(path, after)
    images = [
        {"path": str(path), "line": line.number, "before": line.image, "after": pinned.get(line.image, line.image)}
        for path, lines in found.items()
        for line in lines
    ]
    return {"changed": bool(diffs), "diff": diffs, "images": images}


def _files(paths: t.Iterable[Path]) -> list[Path]:
    """The files of variables, each once however many links lead to it."""
    found = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file == path or file.suffix in {".yml", ".yaml"}
    ]
    return list(dict.fromkeys(file.resolve() for file in found if not file.is_dir()))


def _read(path: Path) -> str:
    try:
        # Line ends stay as they are.
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(BASE_IMAGE_MISSING, f"paths: {path} cannot be read: {error}.") from error
