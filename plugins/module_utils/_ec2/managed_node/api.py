# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed nodes of AWS Systems Manager, which are instances: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import SlipwayError, aws_call
from ..._core.paging import pages
from ..._core.types import Client, Json


@aws_call
def describe_instance_information(ssm: Client, instance_id: str) -> list[Json]:
    """What Systems Manager knows of an instance; nothing before its agent has connected for the first time."""
    filters = [{"Key": "InstanceIds", "Values": [instance_id]}]
    return pages(ssm, "describe_instance_information", "InstanceInformationList", Filters=filters)


def read_node(ssm: Client, instance_id: str) -> list[Json]:
    try:
        return describe_instance_information(ssm, instance_id)
    except SlipwayError as error:
        if error.details.get("error_code") != "InvalidInstanceId":
            raise
    return []


@aws_call
def reboot_instance(ec2: Client, instance_id: str) -> None:
    ec2.reboot_instances(InstanceIds=[instance_id])
