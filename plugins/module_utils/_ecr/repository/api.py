# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories and their policies: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import aws_call, aws_delete, aws_find
from ..._core.paging import pages
from ..._core.tags import Tags, to_capital_list
from ..._core.types import Client, Json
from ..api import Target, registry


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


@aws_call
def list_tags(ecr: Client, arn: str) -> list[Json]:
    return list(ecr.list_tags_for_resource(resourceArn=arn)["tags"])


@aws_call
def change_tags(ecr: Client, arn: str, put: Tags, removed: list[str]) -> None:
    if put:
        ecr.tag_resource(resourceArn=arn, tags=to_capital_list(put))
    if removed:
        ecr.untag_resource(resourceArn=arn, tagKeys=removed)


@aws_call
def has_images(ecr: Client, target: Target) -> bool:
    return bool(ecr.list_images(**target.request, maxResults=1)["imageIds"])


@aws_call
def key_arn(kms: Client, key: str) -> str:
    """The ARN of a key that is named by its alias."""
    return str(kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"])
