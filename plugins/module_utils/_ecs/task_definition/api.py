# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task definitions: one typed function for each call."""

from __future__ import annotations

from ..._core.answers import raise_failures
from ..._core.errors import aws_call, aws_find
from ..._core.names import last
from ..._core.paging import batches, pages
from ..._core.types import Client, Items, Json

DELETE_BATCH = 10


@aws_find
def describe_task_definition(ecs: Client, name: str) -> Json:
    """A task definition with its `tags`; of a bare family the latest active revision. None when there is none."""
    answer = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
    return {**answer["taskDefinition"], "tags": answer.get("tags") or []}


@aws_call
def register_task_definition(ecs: Client, request: Json) -> Json:
    answer = ecs.register_task_definition(**request)
    return {**answer["taskDefinition"], "tags": answer.get("tags") or []}


@aws_call
def deregister_task_definition(ecs: Client, name: str) -> Json:
    return dict(ecs.deregister_task_definition(taskDefinition=name)["taskDefinition"])


@aws_call
def delete_task_definitions(ecs: Client, names: Items) -> None:
    """Delete revisions that are already deregistered."""
    for batch in batches(names, DELETE_BATCH):
        raise_failures("DeleteTaskDefinitions", ecs.delete_task_definitions(taskDefinitions=batch))


@aws_call
def list_task_definitions(ecs: Client, family: str, status: str) -> list[str]:
    """ARNs of a family's revisions in one status, newest first."""
    arns = pages(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status=status, sort="DESC")
    return sorted((arn for arn in arns if _family(arn) == family), key=revision_of, reverse=True)


@aws_call
def newest_task_definition(ecs: Client, family: str, status: str) -> str | None:
    """ARN of a family's newest revision in one status, in one call however many there are."""
    answer = ecs.list_task_definitions(familyPrefix=family, status=status, sort="DESC")
    arns = [arn for arn in answer["taskDefinitionArns"] if _family(arn) == family]
    return max(arns, key=revision_of, default=None)


def _family(arn: str) -> str:
    return last(arn).rpartition(":")[0]


def revision_of(arn: str) -> int:
    return int(arn.rpartition(":")[2])
