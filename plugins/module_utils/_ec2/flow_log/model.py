# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A flow log that delivers to CloudWatch Logs. No calls."""

from __future__ import annotations

import re
import typing as t

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.types import Json

# What a new flow log has that was not requested.
NEW: Json = {
    "id": UNKNOWN,
    "traffic_type": "ALL",
    "max_aggregation_interval": 600,
    "delivery_status": UNKNOWN,
    "delivery_error": "",
    "tags": {},
}
# AWS can change none of these.
FIXED = ("traffic_type", "log_group_name", "role_arn", "max_aggregation_interval")
# Of what there are flow logs, by the beginning of its id.
RESOURCES = {"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface"}
_ID = re.compile(r"(vpc|subnet|eni)-[0-9a-f]{8,17}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")
_GROUP = re.compile(r"[a-zA-Z0-9_/.#-]{1,512}")


def validate(params: t.Mapping[str, t.Any]) -> None:
    rules = {
        "resource_id": (_ID, "the ID of a VPC, subnet or network interface, such as vpc-0123456789abcdef0"),
        "role_arn": (_ROLE, "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/flow-logs"),
        "log_group_name": (_GROUP, "up to 512 letters, digits or _/.#-"),
    }
    found = [
        f"{name}: expected {rule}, got {params[name]!r}."
        for name, (pattern, rule) in rules.items()
        if params[name] is not None and not pattern.fullmatch(params[name])
    ]
    if not params["match_tags"]:
        found.append("match_tags: expected tags that identify the caller's flow log, got none.")
    if found:
        raise SlipwayError(INVALID_OPTION, " ".join(found), {"problems": found})


def from_api(answer: Json) -> Json:
    return {
        "id": answer["FlowLogId"],
        "resource_id": answer["ResourceId"],
        "traffic_type": answer["TrafficType"],
        "log_group_name": _group(answer),
        "role_arn": answer.get("DeliverLogsPermissionArn", ""),
        "max_aggregation_interval": answer.get("MaxAggregationInterval", 600),
        # AWS answers with no status before it has delivered anything.
        "delivery_status": answer.get("DeliverLogsStatus", ""),
        "delivery_error": answer.get("DeliverLogsErrorMessage", ""),
        "tags": tagging.from_list(answer.get("Tags")),
    }


def _group(answer: Json) -> str:
    """The log group, by its name or within the ARN of the destination; empty where that is none."""
    if name := answer.get("LogGroupName"):
        return str(name)
    destination = str(answer.get("LogDestination") or "")
    if not destination.startswith("arn:"):
        return destination
    return destination.partition(":log-group:")[2].removesuffix(":*")


def desired(params: t.Mapping[str, t.Any], current: Json | None, tags: tagging.Tags | None) -> Json:
    """With an unknown id where another flow log takes the place of the current one."""
    wanted = {"resource_id": params["resource_id"], **{name: params[name] for name in FIXED}, "tags": tags}
    replaced = current and any(wanted[name] not in (None, current[name]) for name in FIXED)
    return {**wanted, "id": UNKNOWN} if replaced else wanted


def request(wanted: Json) -> Json:
    members = {
        "ResourceIds": [wanted["resource_id"]],
        "ResourceType": RESOURCES[wanted["resource_id"].split("-")[0]],
        "TrafficType": wanted.get("traffic_type") or NEW["traffic_type"],
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": wanted["log_group_name"],
        "DeliverLogsPermissionArn": wanted["role_arn"],
        "MaxAggregationInterval": wanted.get("max_aggregation_interval"),
        "TagSpecifications": _specification(wanted.get("tags") or {}),
    }
    return {name: value for name, value in members.items() if value}


def _specification(tags: tagging.Tags) -> list[Json]:
    return [{"ResourceType": "vpc-flow-log", "Tags": tagging.to_capital_list(tags)}] if tags else []
