# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the calls to Amazon ECR share. Each resource's folder has its own: one typed function for each call.

`ecr` is a client of `Connection.client("ecr")`, which retries by itself. Answers are handed on as AWS spells them.
"""

from __future__ import annotations

import typing as t

from .._core.answers import check_complete
from .._core.errors import aws_find
from .._core.types import Client, Json


class Target(t.NamedTuple):
    """A repository of a registry; None means the caller's own registry."""

    name: str
    registry_id: str | None = None

    @property
    def request(self) -> Json:
        return {"repositoryName": self.name, **registry(self.registry_id)}


def registry(registry_id: str | None) -> Json:
    return {"registryId": registry_id} if registry_id else {}


@aws_find
def find_repository(ecr: Client, target: Target) -> Json:
    """One repository, or None."""
    answer = ecr.describe_repositories(repositoryNames=[target.name], **registry(target.registry_id))
    check_complete("DescribeRepositories", [target.name], [one["repositoryName"] for one in answer["repositories"]])
    return dict(answer["repositories"][0])
