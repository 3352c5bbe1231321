# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tags of load balancers, listeners, rules and target groups."""

from __future__ import annotations

from .answers import check_complete
from .errors import aws_call
from .paging import batches
from .tags import Tags, from_list
from .types import Client, Items

_BATCH = 20


@aws_call
def tags_of(elbv2: Client, arns: Items) -> dict[str, Tags]:
    """The tags of each resource, by ARN."""
    found: dict[str, Tags] = {}
    for some in batches(arns, _BATCH):
        answer = elbv2.describe_tags(ResourceArns=some)["TagDescriptions"]
        check_complete("DescribeTags", some, [one["ResourceArn"] for one in answer])
        found |= {str(one["ResourceArn"]): from_list(one["Tags"]) for one in answer}
    return found
