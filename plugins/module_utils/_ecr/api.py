# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amazon ECR, one typed function a call: paginated, in batches where AWS limits them, errors translated.

`ecr` is a client of `Connection.client("ecr")`, which retries by itself. Answers are handed on as AWS spells them.
"""

from __future__ import annotations

import typing as t

from .._core.answers import check_complete
from .._core.errors import AWS_ERROR, SlipwayError, aws_call, aws_delete, aws_find, bad_answer
from .._core.paging import batches, pages
from .._core.types import Client, Json

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


class Target(t.NamedTuple):
    """A repository of a registry; None means the caller's own registry."""

    name: str
    registry_id: str | None = None

    @property
    def request(self) -> Json:
        return {"repositoryName": self.name, **registry(self.registry_id)}


def registry(registry_id: str | None) -> Json:
    return {"registryId": registry_id} if registry_id else {}


# Repositories


@aws_find
def find_repository(ecr: Client, target: Target) -> Json:
    """One repository, or None."""
    answer = ecr.describe_repositories(repositoryNames=[target.name], **registry(target.registry_id))
    check_complete("DescribeRepositories", [target.name], [one["repositoryName"] for one in answer["repositories"]])
    return dict(answer["repositories"][0])


@aws_call
def list_repositories(ecr: Client, registry_id: str | None) -> list[Json]:
    return pages(ecr, "describe_repositories", "repositories", **registry(registry_id))


@aws_call
def create_repository(ecr: Client, request: Json) -> Json:
    return dict(ecr.create_repository(**request)["repository"])


@aws_delete
def delete_repository(ecr: Client, target: Target, force: bool) -> None:
    ecr.delete_repository(**target.request, force=force)


@aws_call
def put_image_tag_mutability(ecr: Client, target: Target, mutability: str, filters: list[Json]) -> None:
    extra = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
    ecr.put_image_tag_mutability(**target.request, imageTagMutability=mutability, **extra)


@aws_call
def put_image_scanning_configuration(ecr: Client, target: Target, configuration: Json) -> None:
    ecr.put_image_scanning_configuration(**target.request, imageScanningConfiguration=configuration)


# Policies


@aws_find
def get_repository_policy(ecr: Client, target: Target) -> str:
    return str(ecr.get_repository_policy(**target.request)["policyText"])


@aws_call
def set_repository_policy(ecr: Client, target: Target, text: str, force: bool) -> None:
    ecr.set_repository_policy(**target.request, policyText=text, force=force)


@aws_find
def delete_repository_policy(ecr: Client, target: Target) -> str:
    return str(ecr.delete_repository_policy(**target.request)["policyText"])


@aws_find
def get_lifecycle_policy(ecr: Client, target: Target) -> str:
    return str(ecr.get_lifecycle_policy(**target.request)["lifecyclePolicyText"])


@aws_call
def put_lifecycle_policy(ecr: Client, target: Target, text: str) -> None:
    ecr.put_lifecycle_policy(**target.request, lifecyclePolicyText=text)


@aws_find
def delete_lifecycle_policy(ecr: Client, target: Target) -> str:
    return str(ecr.delete_lifecycle_policy(**target.request)["lifecyclePolicyText"])


# Tags of the repository, as a resource


@aws_call
def list_tags(ecr: Client, arn: str) -> list[Json]:
    return list(ecr.list_tags_for_resource(resourceArn=arn)["tags"])


@aws_call
def tag_resource(ecr: Client, arn: str, tags: list[Json]) -> None:
    if tags:
        ecr.tag_resource(resourceArn=arn, tags=tags)


@aws_call
def untag_resource(ecr: Client, arn: str, keys: list[str]) -> None:
    if keys:
        ecr.untag_resource(resourceArn=arn, tagKeys=keys)


# Images


@aws_call
def has_images(ecr: Client, target: Target) -> bool:
    return bool(ecr.list_images(**target.request, maxResults=1)["imageIds"])


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


def _check_images(asked: t.Sequence[Json], answer: Json) -> None:
    """An image may come once for all names that it was asked for by: its digest, and each of its tags."""
    found = {image["imageId"]["imageDigest"] for image in answer["images"]}
    silent = [item for item in asked if item.get("imageDigest") not in found]
    unnamed = silent if not found else [item for item in silent if "imageDigest" in item]
    if len(unnamed) > len(answer.get("failures") or ()):
        told = ", ".join(str(name) for item in unnamed for name in item.values())
        raise bad_answer("BatchGetImage", f"{told}, or that there is none", "neither")


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
        told = "; ".join(f"{f.get('imageId')} {f.get('failureCode')}: {f.get('failureReason')}" for f in failures)
        raise SlipwayError(AWS_ERROR, f"AWS answered {operation} with failures: {told}", {"failures": failures})


# The registry


@aws_call
def get_authorization(ecr: Client) -> Json:
    return dict(ecr.get_authorization_token()["authorizationData"][0])


# AWS KMS


@aws_call
def key_arn(kms: Client, key: str) -> str:
    """The ARN of a key that is named by its alias."""
    return str(kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"])
