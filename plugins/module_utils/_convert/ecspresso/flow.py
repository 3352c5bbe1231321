# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Converts configurations of ecspresso: finds the files, reads them, and describes the project."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ..._core.error_codes import SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.types import Json
from ..placeholders import Placeholders
from .functions import Sources
from .read_flow import Jsonnet, Reader, text_of
from .site import Source, site

_SUFFIXES = (".yml", ".yaml", ".json", ".jsonnet")


def run(params: Json) -> Json:
    """The project of all configurations that are named, or that are below a directory that is named."""
    placeholders = Placeholders()
    jsonnet = Jsonnet(params["jsonnet_strings"], params["jsonnet_code"])
    reader = Reader(Sources(os.environ, {}), jsonnet, placeholders)
    files = [file for path in params["source"] for file in _files(Path(path))]
    if not files:
        raise SlipwayError(
            SOURCE_INVALID,
            f"source: expected configurations of ecspresso, got none in {', '.join(params['source'])}. Name a file.",
        )
    sources = [_source(file, reader) for file in files]
    name = params["project"] or str(placeholders.actual(sources[0].config.get("service") or files[0].stem))
    return site(name, sources, placeholders)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for suffix in _SUFFIXES for file in path.rglob(f"*{suffix}") if _is_configuration(file))


def _is_configuration(path: Path) -> bool:
    """Whether a file in a directory names definitions, as only configurations do."""
    text = text_of(path)
    return "task_definition" in text and "containerDefinitions" not in text


def _source(path: Path, reader: Reader) -> Source:
    config, fixed = reader.read(path)
    names = set(fixed)
    prefixes = dict(_states(path, reader.placeholders.actual(config)))
    reader = reader._replace(sources=reader.sources._replace(states=prefixes))
    documents: list[Json] = []
    for member in ("service_definition", "task_definition"):
        file = str(reader.placeholders.actual(config.get(member) or ""))
        if not file and member == "task_definition":
            raise SlipwayError(SOURCE_INVALID, f"{path}: expected task_definition, got none.")
        document, fixed = reader.read(path.parent / file) if file else ({}, frozenset())
        documents.append(document)
        names |= fixed
    return Source(str(path), config, documents[0], documents[1], sorted(names))


def _states(path: Path, config: Json) -> Iterator[tuple[str, Json | None]]:
    """The states of Terraform by the prefix of their functions; None for one that is not on this machine."""
    for plugin in config.get("plugins") or ():
        if str(plugin.get("name")).lower() == "tfstate":
            options = plugin.get("config") or {}
            place = str(options.get("path") or options.get("url") or "").removeprefix("file://")
            file = path.parent / place
            yield str(plugin.get("func_prefix") or ""), _state(file) if "://" not in place and file.is_file() else None


def _state(path: Path) -> t.Any:
    try:
        return json.loads(text_of(path))
    except ValueError as error:
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected a state of Terraform as JSON, got: {error}.") from error
