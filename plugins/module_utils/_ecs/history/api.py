# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of AWS Systems Manager that hold the records of releases, who releases, and images in ECR."""

from __future__ import annotations

import datetime
import email.utils
import typing as t

from ..._core import tags as tagging
from ..._core.answers import raise_failures
from ..._core.errors import aws_call, aws_find
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

# GetParameters and DeleteParameters take ten names, BatchGetImage a hundred images.
PARAMETERS_BATCH = 10
IMAGES_BATCH = 100


class Stored(t.NamedTuple):
    """A parameter, and when AWS wrote it last."""

    value: str
    modified: datetime.datetime


class Listing(t.NamedTuple):
    """Parameters by name, and the time on AWS's clock when they were read."""

    stored: dict[str, Stored]
    now: datetime.datetime


@aws_call
def read(ssm: Client, path: str) -> Listing:
    """All parameters below a path."""
    listing = Listing({}, _local_now())
    for answer in ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True):
        listing = Listing({**listing.stored, **_stored(answer)}, _now(answer))
    return listing


@aws_call
def read_some(ssm: Client, names: Items) -> Listing:
    """The parameters of these names that exist."""
    listing = Listing({}, _local_now())
    for batch in batches(names, PARAMETERS_BATCH):
        answer = ssm.get_parameters(Names=batch)
        listing = Listing({**listing.stored, **_stored(answer)}, _now(answer))
    return listing


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
    for batch in batches(names, PARAMETERS_BATCH):
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
def find_images(ecr: Client, repository: str, images: t.Sequence[Json]) -> list[Json]:
    """Those of the images, each an `imageDigest` or `imageTag`, that a repository has. None without the repository."""
    found: list[Json] = []
    for batch in batches(images, IMAGES_BATCH):
        answer = ecr.batch_get_image(repositoryName=repository, imageIds=batch)
        other = [one for one in answer.get("failures") or () if one.get("failureCode") != "ImageNotFound"]
        raise_failures("BatchGetImage", {"failures": [{**one, "reason": one.get("failureReason")} for one in other]})
        found += [dict(one["imageId"]) for one in answer["images"]]
    return found


def _stored(answer: Json) -> dict[str, Stored]:
    return {one["Name"]: Stored(one["Value"], one["LastModifiedDate"]) for one in answer["Parameters"]}


def _now(answer: Json) -> datetime.datetime:
    """The time on AWS's clock, so that a wrong clock of this machine never makes a release look abandoned."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    try:
        return email.utils.parsedate_to_datetime(date).astimezone(datetime.UTC) if date else _local_now()
    except ValueError:
        return _local_now()


def _local_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
