# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event history of AWS CloudTrail, which every account has for 90 days."""

from __future__ import annotations

import datetime

from ..._core.errors import aws_call
from ..._core.types import Client, Json


@aws_call
def events(cloudtrail: Client, resource: str, start: datetime.datetime | None) -> list[Json]:
    """The newest events that name a resource: one page, as AWS answers two requests a second."""
    named = [{"AttributeKey": "ResourceName", "AttributeValue": resource}]
    since = {"StartTime": start} if start else {}
    return list(cloudtrail.lookup_events(LookupAttributes=named, MaxResults=50, **since)["Events"])
