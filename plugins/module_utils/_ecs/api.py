# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the calls to Amazon ECS share. Each resource's folder has its own: one typed function for each call.

`ecs` is a client of `Connection.client("ecs")`, which retries by itself. Answers are handed on as AWS spells them.
"""

from __future__ import annotations

import typing as t

from .._core import tags
from .._core.errors import aws_call, aws_find
from .._core.types import Client, Json

# Tags


@aws_call
def tag_resource(ecs: Client, arn: str, put: t.Sequence[t.Mapping[str, str]]) -> None:
    if put:
        ecs.tag_resource(resourceArn=arn, tags=put)


@aws_call
def untag_resource(ecs: Client, arn: str, keys: list[str]) -> None:
    if keys:
        ecs.untag_resource(resourceArn=arn, tagKeys=keys)


def change_tags(ecs: Client, arn: str, put: tags.Tags, removed: list[str]) -> None:
    tag_resource(ecs, arn, tags.to_list(put))
    untag_resource(ecs, arn, removed)


@aws_find
def get_namespace(servicediscovery: Client, namespace_id: str) -> Json:
    return dict(servicediscovery.get_namespace(Id=namespace_id)["Namespace"])
