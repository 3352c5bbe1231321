# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of target groups and listener rules, one typed function a call: paginated, errors translated."""

from __future__ import annotations

from ..._core.errors import aws_call, aws_find
from ..._core.tags import Tags, to_capital_list
from ..._core.types import Client, Json


def target_groups_named(elbv2: Client, name: str) -> list[Json]:
    """The target group of this name, or none."""
    return _target_groups_named(elbv2, name) or []


@aws_find
def _target_groups_named(elbv2: Client, name: str) -> list[Json]:
    return list(elbv2.describe_target_groups(Names=[name])["TargetGroups"])


@aws_call
def add_tags(elbv2: Client, arn: str, tags: Tags) -> None:
    elbv2.add_tags(ResourceArns=[arn], Tags=to_capital_list(tags))
