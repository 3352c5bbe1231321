# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the history of a project: parameters of AWS Systems Manager, with the time on AWS's clock."""

from __future__ import annotations

import datetime
import email.utils
import typing as t

from .errors import aws_call
from .history import Entry, decoded
from .names import release_path
from .paging import batches
from .types import Client, Items, Json

# GetParameters and DeleteParameters take ten names.
BATCH = 10


class Stored(t.NamedTuple):
    """A parameter, and when AWS wrote it last."""

    value: str
    modified: datetime.datetime


class Listing(t.NamedTuple):
    """Parameters by name, and the time on AWS's clock when they were read."""

    stored: dict[str, Stored]
    now: datetime.datetime


class History(t.NamedTuple):
    """The releases of a project, oldest first; those that cannot be read, with the reason; all parameters by number."""

    entries: list[Entry]
    problems: dict[int, str]
    names: dict[int, list[str]]
    now: datetime.datetime

    @property
    def newest(self) -> int:
        return max(self.names, default=0)


def read_history(ssm: Client, project: str) -> History:
    """The history of a project. Empty if nothing was released yet."""
    path = release_path(project)
    listing = read(ssm, path)
    return History(*decoded(listing.stored, path), listing.now)


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
    for batch in batches(names, BATCH):
        answer = ssm.get_parameters(Names=batch)
        listing = Listing({**listing.stored, **_stored(answer)}, _now(answer))
    return listing


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
