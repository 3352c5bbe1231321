# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amazon EC2 Auto Scaling, one typed function a call: errors translated.

`asg` is a client of `Connection.client("autoscaling")`, which retries by itself.
"""

from __future__ import annotations

from .._core.errors import aws_call, aws_delete
from .._core.types import Client, Json


@aws_call
def describe_group(asg: Client, name: str) -> Json | None:
    found = asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(found[0]) if found else None


@aws_call
def create_group(asg: Client, name: str, request: Json) -> None:
    asg.create_auto_scaling_group(AutoScalingGroupName=name, **request)


@aws_call
def update_group(asg: Client, name: str, request: Json) -> None:
    asg.update_auto_scaling_group(AutoScalingGroupName=name, **request)


@aws_delete
def delete_group(asg: Client, name: str, force: bool) -> None:
    """With `force`, its instances end too, whatever protects them."""
    asg.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=force)


@aws_call
def change_tags(asg: Client, put: list[Json], removed: list[Json]) -> None:
    if put:
        asg.create_or_update_tags(Tags=put)
    if removed:
        asg.delete_tags(Tags=removed)
