# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of images: which image has each of them, and which of them may move."""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ..._core.error_codes import INVALID_OPTION, LAST_TAG, TAG_IMMUTABLE
from ..._core.errors import SlipwayError
from ..._core.shapes import to_options
from ..._core.types import Json

Tags = dict[str, str]


# https://docs.docker.com/reference/cli/docker/image/tag/
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def check_tags(tags: t.Sequence[str]) -> None:
    if not tags:
        raise SlipwayError(INVALID_OPTION, "tags: expected at least one tag.")
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise SlipwayError(INVALID_OPTION, f"tags: expected an image tag, got '{tag}'.")


def image_id(name: str) -> Json:
    """A tag or a digest as AWS wants it."""
    if _DIGEST.fullmatch(name):
        return {"imageDigest": name}
    if not _TAG.fullmatch(name):
        raise SlipwayError(INVALID_OPTION, f"source: expected a tag or a digest (sha256:…), got '{name}'.")
    return {"imageTag": name}


def tag_map(details: t.Iterable[Json]) -> Tags:
    """The digest that each tag names, from DescribeImages."""
    return {tag: image["imageDigest"] for image in details for tag in image.get("imageTags") or ()}


def with_tags(details: t.Iterable[Json], found: t.Iterable[Json]) -> list[Json]:
    """Details with the tags by which the images were found, which they may not have yet."""
    details = list(details)
    named = tag_map(details)
    missing = {one["imageTag"]: one["imageDigest"] for one in found if one["imageTag"] not in named}
    return [
        {**image, "imageTags": sorted([*(image.get("imageTags") or ()), *more])} if more else image
        for image in details
        for more in [[tag for tag, digest in missing.items() if digest == image["imageDigest"]]]
    ]


def is_immutable(tag: str, mode: str | None, filters: t.Sequence[Json] | None) -> bool:
    """Whether the repository's settings keep a tag on its image. Filters name the exceptions to the mode."""
    mode, filters = mode or "MUTABLE", filters or ()
    excluded = mode.endswith("_WITH_EXCLUSION") and any(fnmatch.fnmatchcase(tag, item["filter"]) for item in filters)
    return bool(mode.startswith("IMMUTABLE") != excluded)


def refuse_immutable(tags: t.Sequence[str], repository: Json) -> None:
    """Fail for tags that would have to move and cannot."""
    mode, filters = repository.get("imageTagMutability"), repository.get("imageTagMutabilityExclusionFilters")
    fixed = [tag for tag in tags if is_immutable(tag, mode, filters)]
    if fixed:
        name = repository["repositoryName"]
        raise SlipwayError(
            TAG_IMMUTABLE,
            f"Tags of the repository {name} are immutable: {', '.join(fixed)} already names another image. Use"
            " another tag.",
            {"immutable_tags": fixed},
        )


def refuse_last(tags: t.Collection[str], details: t.Iterable[Json]) -> None:
    """Fail for images that would lose their last tag."""
    deleted = [image for image in details if image.get("imageTags") and set(image["imageTags"]) <= set(tags)]
    if deleted:
        named = "; ".join(f"{', '.join(sorted(image['imageTags']))} ({image['imageDigest']})" for image in deleted)
        raise SlipwayError(
            LAST_TAG,
            f"AWS deletes an image together with its last tag, here {named}. To allow this, set force=true.",
            {"images": [image["imageDigest"] for image in deleted]},
        )


def to_result(detail: Json) -> Json:
    """An image as the modules return it."""
    return {**to_options(detail), "image_tags": sorted(detail.get("imageTags") or ())}


def newest_first(details: t.Iterable[Json]) -> list[Json]:
    return sorted(details, key=lambda image: (str(image.get("imagePushedAt", "")), image["imageDigest"]), reverse=True)
