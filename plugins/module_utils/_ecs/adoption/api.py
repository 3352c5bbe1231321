# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of target groups and listener rules, one typed function a call: paginated, errors translated."""

from __future__ import annotations

from ..._core.answers import check_complete
from ..._core.errors import aws_call, aws_find
from ..._core.paging import batches
from ..._core.tags import Tags, from_list, to_capital_list
from ..._core.types import Client, Items, Json

TAGS_BATCH = 20


def target_groups_named(elbv2: Client, name: str) -> list[Json]:
    """The target group of this name, or none."""
    return _target_groups_named(elbv2, name) or []


@aws_find
def _target_groups_named(elbv2: Client, name: str) -> list[Json]:
    return list(elbv2.describe_target_groups(Names=[name])["TargetGroups"])


@aws_call
def tags_of(elbv2: Client, arns: Items) -> dict[str, Tags]:
    """The tags of target groups or rules, by ARN."""
    found: dict[str, Tags] = {}
    for some in batches(arns, TAGS_BATCH):
        answer = elbv2.describe_tags(ResourceArns=some)["TagDescriptions"]
        check_complete("DescribeTags", some, [one["ResourceArn"] for one in answer])
        found |= {str(one["ResourceArn"]): from_list(one["Tags"]) for one in answer}
    return found


@aws_call
def add_tags(elbv2: Client, arn: str, tags: Tags) -> None:
    elbv2.add_tags(ResourceArns=[arn], Tags=to_capital_list(tags))
