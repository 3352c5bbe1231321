# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images are needed: by a release, a revision or a task, as a part of another image, or as the newest. Pure."""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..._core.history import Entry
from ..._core.types import Json
from ..history.needs import versions
from .model import Age, Revision

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
# Signatures and attestations that tools attach to an image by a tag with its digest.
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
_ATTACHED = re.compile(r"sha256-([0-9a-f]{64})(?:\.\w+)?")


class Image(t.NamedTuple):
    """An image of a repository. `parts` are the manifests of an index, `subject` is what a signature belongs to."""

    repository: str
    digest: str
    tags: tuple[str, ...] = ()
    pushed: datetime.datetime | None = None
    size: int = 0
    status: str = "ACTIVE"
    is_index: bool = False
    parts: tuple[str, ...] = ()
    subject: str = ""

    @property
    def name(self) -> str:
        tags = f" ({', '.join(self.tags)})" if self.tags else ""
        return f"{self.repository}@{self.digest}{tags}"


def from_api(repository: str, detail: Json) -> Image:
    tags = tuple(sorted(detail.get("imageTags") or ()))
    attached = [f"sha256:{found[1]}" for tag in tags if (found := _ATTACHED.fullmatch(tag))]
    return Image(
        repository,
        detail["imageDigest"],
        tags,
        detail.get("imagePushedAt"),
        int(detail.get("imageSizeInBytes") or 0),
        str(detail.get("imageStatus") or "ACTIVE"),
        detail.get("imageManifestMediaType") in INDEXES,
        (),
        str(detail.get("subjectManifestDigest") or "") or next(iter(attached), ""),
    )


@dataclass
class Needs:
    """Images that are needed, by digest, and by tag with the addresses of its repositories; each with the reason."""

    digests: dict[str, str] = field(default_factory=dict)
    tags: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, reference: str, digest: str | None, reason: str) -> None:
        """An image as a container names it, and the digest that ran, if known."""
        address, _at, named = reference.partition("@")
        path, colon, tag = address.rpartition(":")
        if not colon or "/" in tag:
            path, tag = address, "latest"
        if found := named or digest:
            self.digests.setdefault(found, reason)
        if not named:
            self.tags.setdefault(tag, []).append((path, reason))

    def add_releases(self, entries: Sequence[Entry]) -> None:
        for release, version in versions(entries):
            for _container, reference, digest in version["images"] or ():
                self.add(str(reference), digest, f"{release} needs it")

    def add_revisions(self, revisions: Sequence[Revision]) -> None:
        for revision in revisions:
            for reference in revision.images:
                self.add(reference, None, f"task definition {revision.name} names it")

    def of(self, image: Image) -> str:
        # A registry has several addresses, so that only the end of a repository's is compared.
        by_tag = (
            reason
            for tag in image.tags
            for path, reason in self.tags.get(tag, ())
            if f"/{path}".endswith(f"/{image.repository}")
        )
        return self.digests.get(image.digest) or next(by_tag, "")


class ImagePlan(t.NamedTuple):
    """`delete` in this order: AWS does not delete an image that an index refers to."""

    delete: list[Image]
    kept: list[tuple[Image, str]]


def plan_images(images: Sequence[Image], needs: Needs, age: Age) -> ImagePlan:
    """Plan the images of one repository."""
    newest = max(
        (one for one in images if not one.subject), key=lambda one: (str(one.pushed), one.digest), default=None
    )
    reasons = {one.digest: _reason(one, needs, age, newest) for one in images}
    _keep_related(images, reasons)
    obsolete = [one for one in images if not reasons[one.digest]]
    kept = [(one, reasons[one.digest]) for one in images if reasons[one.digest]]
    return ImagePlan(sorted(obsolete, key=lambda one: (not one.is_index, str(one.pushed), one.digest)), kept)


def _reason(image: Image, needs: Needs, age: Age, newest: Image | None) -> str:
    if found := needs.of(image):
        return found
    if image == newest:
        return "the newest of its repository"
    if image.status != "ACTIVE":
        return f"its status is {image.status}"
    return f"pushed less than {age.days} days ago" if age.is_young(image.pushed) else ""


def _keep_related(images: Sequence[Image], reasons: dict[str, str]) -> None:
    """Keep the parts of indexes that are kept, and what is attached to images that are kept."""
    while True:
        kept = {one.digest for one in images if reasons[one.digest]}
        parts = {part: f"part of {one.digest}" for one in images if one.digest in kept for part in one.parts}
        attached = {one.digest: f"attached to {one.subject}" for one in images if one.subject in kept}
        more = {digest: text for digest, text in {**attached, **parts}.items() if not reasons.get(digest, "-")}
        if not more:
            return
        reasons.update(more)
