# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of target groups: one typed function for each call. What a rollout reads is in `service/api`."""

from __future__ import annotations

import typing as t

from ..._core.errors import aws_call
from ..._core.types import Client, Json


@aws_call
def describe_attributes(elbv2: Client, arn: str) -> list[Json]:
    return list(elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"])


@aws_call
def modify_target_group(elbv2: Client, arn: str, request: t.Mapping[str, t.Any]) -> None:
    elbv2.modify_target_group(TargetGroupArn=arn, **request)


@aws_call
def modify_attributes(elbv2: Client, arn: str, attributes: list[Json]) -> None:
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
