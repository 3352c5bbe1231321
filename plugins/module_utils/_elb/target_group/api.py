# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target groups: one typed function for each call.

`elb` is a client of `Connection.client("elbv2")`, which retries by itself.
"""

from __future__ import annotations

from ..._core.answers import check_complete
from ..._core.errors import aws_call, aws_delete, aws_find
from ..._core.tags import Tags, to_capital_list
from ..._core.types import Client, Json


@aws_find
def find_target_group(elb: Client, name: str) -> Json:
    """The target group as AWS describes it, with its `Attributes` and `Tags`."""
    found = elb.describe_target_groups(Names=[name])["TargetGroups"]
    check_complete("DescribeTargetGroups", [name], [one["TargetGroupName"] for one in found])
    arn = found[0]["TargetGroupArn"]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    tags = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    return {**found[0], "Attributes": attributes, "Tags": tags}


@aws_call
def create_target_group(elb: Client, request: Json) -> str:
    return str(elb.create_target_group(**request)["TargetGroups"][0]["TargetGroupArn"])


@aws_call
def modify_target_group(elb: Client, arn: str, request: Json) -> None:
    elb.modify_target_group(TargetGroupArn=arn, **request)


@aws_call
def modify_target_group_attributes(elb: Client, arn: str, attributes: list[Json]) -> None:
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)


@aws_delete
def delete_target_group(elb: Client, arn: str) -> None:
    elb.delete_target_group(TargetGroupArn=arn)


@aws_call
def change_tags(elb: Client, arn: str, put: Tags, removed: list[str]) -> None:
    if put:
        elb.add_tags(ResourceArns=[arn], Tags=to_capital_list(put))
    if removed:
        elb.remove_tags(ResourceArns=[arn], TagKeys=removed)
