# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory reads of images: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import aws_find
from ..._core.paging import batches, pages
from ..._core.types import Client, Items

IMAGES_BATCH = 100


@aws_find
def tags_of_images(ecr: Client, repository: str, digests: Items) -> dict[str, list[str]]:
    """The tags of images by digest. None if the repository, or one of the images, does not exist in this account."""
    found: dict[str, list[str]] = {}
    for batch in batches(digests, IMAGES_BATCH):
        ids = [{"imageDigest": digest} for digest in batch]
        for image in pages(ecr, "describe_images", "imageDetails", repositoryName=repository, imageIds=ids):
            found[image["imageDigest"]] = list(image.get("imageTags") or ())
    return found
