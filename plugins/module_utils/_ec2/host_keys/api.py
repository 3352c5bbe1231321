# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console output of an instance: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import SlipwayError, aws_call
from ..._core.types import Client


@aws_call
def get_console_output(ec2: Client, instance_id: str, *, latest: bool) -> str:
    """The text so far; empty as long as the instance has written none.

    `latest` is what the console shows now. Only instances of the Nitro system have it; others have what was buffered a
    while after the last change.
    """
    return str(ec2.get_console_output(InstanceId=instance_id, Latest=latest).get("Output") or "")


def read_console(ec2: Client, instance_id: str) -> str:
    try:
        return get_console_output(ec2, instance_id, latest=True)
    except SlipwayError as error:
        if error.details.get("error_code") != "UnsupportedOperation":
            raise
    return get_console_output(ec2, instance_id, latest=False)
