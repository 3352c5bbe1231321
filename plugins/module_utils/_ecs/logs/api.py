# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log events of CloudWatch: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import aws_find
from ..._core.paging import pages
from ..._core.types import Client, Json


@aws_find
def filter_log_events(logs: Client, group: str, prefix: str, pattern: str, start: int) -> list[Json]:
    """The events of a log group since `start`, in milliseconds, of streams whose names begin with a prefix.

    None if the log group does not exist.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    request: Json = {"logGroupName": group, "startTime": start}
    if prefix:
        request["logStreamNamePrefix"] = prefix
    if pattern:
        request["filterPattern"] = pattern
    return pages(logs, "filter_log_events", "events", **request)
