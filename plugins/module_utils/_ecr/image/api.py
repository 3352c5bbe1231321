# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: one typed function for each call, in batches where AWS limits them."""

from __future__ import annotations

import typing as t

from ..._core.answers import check_complete
from ..._core.error_codes import AWS_ERROR
from ..._core.errors import SlipwayError, aws_call, bad_answer
from ..._core.paging import batches, pages
from ..._core.types import Client, Json
from ..api import Target

# What AWS takes in one call.
IMAGES_BATCH = 100
# Every form a manifest can have. AWS converts what the caller does not accept, and a converted one has another digest.
MANIFEST_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
]


@aws_call
def list_images(ecr: Client, target: Target) -> list[Json]:
    return pages(ecr, "describe_images", "imageDetails", **target.request)


@aws_call
def describe_images(ecr: Client, target: Target, digests: t.Sequence[str]) -> list[Json]:
    """The images of these digests. All of them must be there."""
    found: list[Json] = []
    for batch in batches(digests, IMAGES_BATCH):
        ids = [{"imageDigest": digest} for digest in batch]
        found += ecr.describe_images(**target.request, imageIds=ids)["imageDetails"]
    check_complete("DescribeImages", digests, [image["imageDigest"] for image in found])
    return found


@aws_call
def get_images(ecr: Client, target: Target, ids: t.Sequence[Json]) -> list[Json]:
    """The images that exist of those named, with their manifests as they were pushed."""
    found: list[Json] = []
    for batch in batches(ids, IMAGES_BATCH):
        answer = ecr.batch_get_image(**target.request, imageIds=batch, acceptedMediaTypes=MANIFEST_TYPES)
        _raise_failures("BatchGetImage", answer, ignore="ImageNotFound")
        found += answer["images"]
        _check_images(batch, answer)
    return found


def _check_images(requested: t.Sequence[Json], answer: Json) -> None:
    """An image may come once for all names that it was requested by: its digest, and each of its tags."""
    found = {image["imageId"]["imageDigest"] for image in answer["images"]}
    silent = [item for item in requested if item.get("imageDigest") not in found]
    unnamed = silent if not found else [item for item in silent if "imageDigest" in item]
    if len(unnamed) > len(answer.get("failures") or ()):
        message = ", ".join(str(name) for item in unnamed for name in item.values())
        raise bad_answer("BatchGetImage", f"{message}, or that there is none", "neither")


@aws_call
def put_image(ecr: Client, target: Target, image: Json, tag: str) -> None:
    """Give an image of the repository one more tag."""
    media_type = image.get("imageManifestMediaType")
    ecr.put_image(
        **target.request,
        imageManifest=image["imageManifest"],
        imageDigest=image["imageId"]["imageDigest"],
        imageTag=tag,
        **({"imageManifestMediaType": media_type} if media_type else {}),
    )


@aws_call
def delete_image_tags(ecr: Client, target: Target, tags: t.Sequence[str]) -> None:
    """Remove tags; AWS deletes an image with its last one."""
    for batch in batches([{"imageTag": tag} for tag in tags], IMAGES_BATCH):
        answer = ecr.batch_delete_image(**target.request, imageIds=batch)
        _raise_failures("BatchDeleteImage", answer, ignore="ImageNotFound")


def _raise_failures(operation: str, answer: Json, ignore: str) -> None:
    """AWS reports failures of batch calls inside a successful answer."""
    failures = [failure for failure in answer.get("failures") or () if failure.get("failureCode") != ignore]
    if failures:
        message = "; ".join(f"{f.get('imageId')} {f.get('failureCode')}: {f.get('failureReason')}" for f in failures)
        raise SlipwayError(AWS_ERROR, f"AWS answered {operation} with failures: {message}", {"failures": failures})
