# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: repositories whose tags are immutable except for some.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]
FILTERS = "imageTagMutabilityExclusionFilters"
MODE = "imageTagMutability"


def image_tags(ecr: ModuleType) -> None:
    """Keep the filters that name the exceptions, and heed them in pushes and in PutImage."""
    for name in ("_create_repository", "_put_image_tag_mutability"):
        filters(ecr, name)

    @wrap(ecr, "_repo_shape")
    def describe(original: Callable[..., Json], repository: Json) -> Json:
        return {**original(repository), **({FILTERS: repository[FILTERS]} if FILTERS in repository else {})}

    @wrap(ecr, "_put_image")
    def put_image(original: Callable[..., Any], data: Json) -> Any:
        with mode_of_tag(ecr._repositories.get(data.get("repositoryName", "")), data.get("imageTag")):
            return original(data)

    @wrap(ecr, "_v2_put_manifest")
    def push(original: Callable[..., Any], name: str, reference: str, *more: Any) -> Any:
        with mode_of_tag(ecr._repositories.get(name), reference):
            return original(name, reference, *more)


def filters(ecr: ModuleType, action: str) -> None:
    """Keep the filters of a request, and answer them."""

    @wrap(ecr, action)
    def remember(original: Callable[..., Any], data: Json) -> Any:
        response = original(data)
        if response[0] != 200:
            return response
        repository = ecr._repositories[data["repositoryName"]]
        repository.pop(FILTERS, None)
        if FILTERS not in data:
            return response
        repository[FILTERS] = data[FILTERS]
        answer = json.loads(response[2])
        answer.get("repository", answer)[FILTERS] = data[FILTERS]
        return ecr.json_response(answer)


@contextlib.contextmanager
def mode_of_tag(repository: Json | None, tag: str | None) -> Iterator[None]:
    """The emulator asks whether all tags of the repository are immutable: answer for the one of a call."""
    mode = (repository or {}).get(MODE, "")
    if repository is None or not tag or not mode.endswith("_WITH_EXCLUSION"):
        yield
        return
    excepted = any(fnmatch.fnmatchcase(tag, one["filter"]) for one in repository.get(FILTERS, []))
    repository[MODE] = "IMMUTABLE" if mode.startswith("IMMUTABLE") != excepted else "MUTABLE"
    try:
        yield
    finally:
        repository[MODE] = mode
