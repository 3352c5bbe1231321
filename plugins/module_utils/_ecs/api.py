# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the calls to Amazon ECS share. Each resource's folder has its own: one typed function for each call.

`ecs` is a client of `Connection.client("ecs")`, which retries by itself. Answers are handed on as AWS spells them.
"""

from __future__ import annotations

import typing as t

from .._core import tags
from .._core.answers import check_complete
from .._core.error_codes import AWS_ERROR
from .._core.errors import SlipwayError, aws_call, aws_find
from .._core.types import Client, Items, Json

# The reason of a failure that says that there is none.
MISSING = "MISSING"


def raise_failures(operation: str, answer: Json, ignore: t.Collection[str] = ()) -> None:
    """AWS reports failures of batch calls inside a successful answer."""
    failures = [failure for failure in answer.get("failures") or () if failure.get("reason") not in ignore]
    if failures:
        told = "; ".join(f"{f.get('arn', '')} {f.get('reason', '')} {f.get('detail', '')}".strip() for f in failures)
        raise SlipwayError(AWS_ERROR, f"AWS answered {operation} with failures: {told}", {"failures": failures})


def described(operation: str, answer: Json, member: str, identity: str, asked: Items) -> list[Json]:
    """What exists of the resources asked for; AWS names the others in its failures."""
    raise_failures(operation, answer, ignore=(MISSING,))
    found = list(answer[member])
    missing = [str(failure["arn"]) for failure in answer.get("failures") or ()]
    check_complete(operation, asked, [str(one[identity]) for one in found], missing)
    return found


# Tags


@aws_call
def tag_resource(ecs: Client, arn: str, put: t.Sequence[t.Mapping[str, str]]) -> None:
    if put:
        ecs.tag_resource(resourceArn=arn, tags=put)


@aws_call
def untag_resource(ecs: Client, arn: str, keys: list[str]) -> None:
    if keys:
        ecs.untag_resource(resourceArn=arn, tagKeys=keys)


def change_tags(ecs: Client, arn: str, put: tags.Tags, gone: list[str]) -> None:
    tag_resource(ecs, arn, tags.to_list(put))
    untag_resource(ecs, arn, gone)


@aws_find
def get_namespace(servicediscovery: Client, namespace_id: str) -> Json:
    return dict(servicediscovery.get_namespace(Id=namespace_id)["Namespace"])
