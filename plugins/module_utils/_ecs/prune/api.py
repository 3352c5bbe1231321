# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Families of task definitions, repositories and their images: one typed function for each call."""

from __future__ import annotations

import json

from ..._core import tags as tagging
from ..._core.answers import raise_failures
from ..._core.errors import aws_call
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

# What BatchGetImage and BatchDeleteImage take.
IMAGES_BATCH = 100


@aws_call
def list_families(ecs: Client) -> list[str]:
    """The families that have an active revision."""
    return pages(ecs, "list_task_definition_families", "families", status="ACTIVE")


@aws_call
def list_repositories(ecr: Client) -> list[Json]:
    return pages(ecr, "describe_repositories", "repositories")


@aws_call
def repository_tags(ecr: Client, arn: str) -> tagging.Tags:
    return tagging.from_list(ecr.list_tags_for_resource(resourceArn=arn)["tags"])


@aws_call
def list_images(ecr: Client, repository: str) -> list[Json]:
    return pages(ecr, "describe_images", "imageDetails", repositoryName=repository)


@aws_call
def manifests_in(ecr: Client, repository: str, digests: Items, kinds: Items) -> dict[str, list[str]]:
    """What image indexes of these media types refer to, as digests by the digest of the index."""
    found: dict[str, list[str]] = {}
    for batch in batches(digests, IMAGES_BATCH):
        ids = [{"imageDigest": digest} for digest in batch]
        answer = ecr.batch_get_image(repositoryName=repository, imageIds=ids, acceptedMediaTypes=list(kinds))
        _raise_failures("BatchGetImage", answer)
        for image in answer["images"]:
            manifest = json.loads(image["imageManifest"])
            found[image["imageId"]["imageDigest"]] = [str(one["digest"]) for one in manifest["manifests"]]
    return {digest: found[digest] for digest in digests}


@aws_call
def delete_images(ecr: Client, repository: str, digests: Items) -> None:
    """Delete images with all their tags. One that does not exist any more is no error."""
    for batch in batches(digests, IMAGES_BATCH):
        ids = [{"imageDigest": digest} for digest in batch]
        _raise_failures("BatchDeleteImage", ecr.batch_delete_image(repositoryName=repository, imageIds=ids))


def _raise_failures(operation: str, answer: Json) -> None:
    failures = [
        {**one, "arn": one.get("imageId"), "reason": one.get("failureCode"), "detail": one.get("failureReason")}
        for one in answer.get("failures") or ()
    ]
    ignored = ("ImageNotFound",) if operation == "BatchDeleteImage" else ()
    raise_failures(operation, {"failures": failures}, ignore=ignored)
