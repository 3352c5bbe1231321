# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A patch of the emulator: flow logs have tags, a role and an interval, and two cannot have the same destination.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FlowLog.html
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

from emulator_patches import wrap

Json = dict[str, Any]
MEMBERS = {"LogGroupName": "", "DeliverLogsPermissionArn": "", "MaxAggregationInterval": "600"}


def flow_logs(ec2: ModuleType) -> None:
    @wrap(ec2, "_create_flow_logs")
    def create(original: Callable[..., Any], params: Json) -> Any:
        resources = ec2._parse_member_list(params, "ResourceId")
        place = ec2._p(params, "LogDestination") or ec2._p(params, "LogGroupName")
        if any(one["ResourceId"] in resources and one["LogDestination"] == place for one in ec2._flow_logs.values()):
            message = "Error. There is an existing Flow Log with the same configuration and log destination."
            return ec2._error("FlowLogAlreadyExists", message, 400)
        before = set(ec2._flow_logs)
        response = original(params)
        for name in set(ec2._flow_logs) - before:
            ec2._flow_logs[name] |= {key: ec2._p(params, key) or default for key, default in MEMBERS.items()}
            ec2._parse_tag_specs(params, "vpc-flow-log", name)
        return response

    @wrap(ec2, "_describe_flow_logs")
    def describe(original: Callable[..., Any], params: Json) -> Any:
        status, headers, body = original(params)
        text = body.decode()
        for name, one in ec2._flow_logs.items():
            shown = {key[0].lower() + key[1:]: one.get(key) for key in MEMBERS}
            more = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in shown.items() if value)
            text = text.replace(f"<flowLogId>{name}</flowLogId>", f"<flowLogId>{name}</flowLogId>{more}")
        return status, headers, text.encode()
