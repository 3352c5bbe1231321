# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of AWS Systems Manager that hold the records of releases, who releases, and images in ECR."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.answers import raise_failures
from ..._core.errors import aws_call, aws_find
from ..._core.history_api import BATCH
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

# BatchGetImage takes a hundred images.
IMAGES_BATCH = 100


@aws_call
def create(ssm: Client, name: str, value: str, tags: t.Mapping[str, str]) -> None:
    """Fails with `conflict` if a parameter of this name exists."""
    request = {"Name": name, "Value": value, "Type": "String", "Tier": "Standard"}
    ssm.put_parameter(**request, Tags=tagging.to_capital_list(tags), Overwrite=False)


@aws_call
def overwrite(ssm: Client, name: str, value: str) -> None:
    """Its tags stay as they are."""
    ssm.put_parameter(Name=name, Value=value, Type="String", Tier="Standard", Overwrite=True)


@aws_call
def delete(ssm: Client, names: Items) -> None:
    """One that does not exist is no error."""
    for batch in batches(names, BATCH):
        ssm.delete_parameters(Names=batch)


@aws_call
def caller(sts: Client) -> str:
    """ARN of whose credentials these are. No policy can deny this call."""
    return str(sts.get_caller_identity()["Arn"])


@aws_call
def list_repositories(ecr: Client) -> dict[str, str]:
    """The names of all repositories of the account's registry, by the address that begins the names of their images."""
    found = pages(ecr, "describe_repositories", "repositories")
    return {one["repositoryUri"]: one["repositoryName"] for one in found}


@aws_find
def find_images(ecr: Client, repository: str, images: t.Sequence[Json], account: str = "") -> list[Json]:
    """Those of the images, each an `imageDigest` or `imageTag`, that a repository has. None without the repository.

    `account` is whose registry it is in, if not the own one.
    """
    registry = {"registryId": account} if account else {}
    found: list[Json] = []
    for batch in batches(images, IMAGES_BATCH):
        answer = ecr.batch_get_image(repositoryName=repository, imageIds=batch, **registry)
        other = [one for one in answer.get("failures") or () if one.get("failureCode") != "ImageNotFound"]
        raise_failures("BatchGetImage", {"failures": [{**one, "reason": one.get("failureReason")} for one in other]})
        found += [dict(one["imageId"]) for one in answer["images"]]
    return found
