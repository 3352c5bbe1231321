# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the images that a release ran still exist. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Json


class Image(t.NamedTuple):
    """An image of a service: its repository, how its reference names it, and the digest that ran."""

    service: str
    repository: str
    reference: str
    tag: str
    digest: str

    @property
    def id(self) -> Json:
        """As ECR identifies it: by what the task definition names, so that a moved tag is noticed."""
        return {"imageTag": self.tag} if self.tag else {"imageDigest": self.digest}


def images_of(service: str, images: Sequence[Sequence[t.Any]], repositories: Mapping[str, str]) -> list[Image]:
    """The recorded images of a service that are in known repositories, whose names are given by address."""
    found = []
    for _container, reference, digest in images:
        address, _at, named = str(reference).partition("@")
        path, colon, tag = address.rpartition(":")
        if not colon or "/" in tag:
            path, tag = address, "latest"
        if path in repositories:
            found.append(Image(service, repositories[path], reference, "" if named else tag, named or digest or ""))
    return found


def with_registry(repositories: Mapping[str, str], registry: str | None) -> dict[str, str]:
    """Repositories by their addresses, also by those in a registry that has another one, such as the local cloud's."""
    others = {f"{registry}/{name}": name for name in repositories.values()} if registry else {}
    return {**repositories, **others}


def problems(images: Sequence[Image], found: Mapping[str, Sequence[Json] | None]) -> list[str]:
    """Which images no longer exist, or are another one by now; `found` by repository, None if that is missing."""
    texts = []
    for image in images:
        of_repository = found[image.repository]
        if of_repository is None:
            texts.append(f"{image.service}: the repository {image.repository} no longer exists.")
            continue
        same = [one for one in of_repository if image.id.items() <= one.items()]
        digests = {str(one.get("imageDigest") or "") for one in same}
        if not same:
            texts.append(f"{image.service}: the image {image.reference} no longer exists.")
        elif image.tag and image.digest and image.digest not in digests:
            texts.append(f"{image.service}: the tag of {image.reference} now names another image, not {image.digest}.")
    return texts
