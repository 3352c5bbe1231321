# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flow logs in EC2, one typed function a call: paginated, errors translated.

`ec2` is a client of `Connection.client("ec2")`, which retries by itself.
"""

from __future__ import annotations

from ..._core.errors import SlipwayError, aws_call, aws_delete, code_of
from ..._core.paging import pages
from ..._core.tags import Tags, to_capital_list
from ..._core.types import Client, Json


@aws_call
def describe_flow_logs(ec2: Client, resource_id: str) -> list[Json]:
    mine = [{"Name": "resource-id", "Values": [resource_id]}]
    # Unlike other calls of EC2, this one has a member Filter.
    found = pages(ec2, "describe_flow_logs", "FlowLogs", Filter=mine)
    return [_complete(one) for one in found if one["ResourceId"] == resource_id]


def _complete(flow_log: Json) -> Json:
    """With what decides whether it is replaced: without these, it would be."""
    needed = ["FlowLogId", "TrafficType"]
    if flow_log.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs":
        needed += ["DeliverLogsPermissionArn", *(() if flow_log.get("LogDestination") else ["LogGroupName"])]
    return {**flow_log, **{name: flow_log[name] for name in needed}}


@aws_call
def create_flow_log(ec2: Client, request: Json) -> None:
    _refuse_failures("CreateFlowLogs", ec2.create_flow_logs(**request))


@aws_delete
def delete_flow_logs(ec2: Client, ids: list[str]) -> None:
    _refuse_failures("DeleteFlowLogs", ec2.delete_flow_logs(FlowLogIds=ids))


@aws_call
def change_tags(ec2: Client, flow_log_id: str, put: Tags, removed: list[str]) -> None:
    if put:
        ec2.create_tags(Resources=[flow_log_id], Tags=to_capital_list(put))
    if removed:
        ec2.delete_tags(Resources=[flow_log_id], Tags=[{"Key": name} for name in removed])


def _refuse_failures(operation: str, answer: Json) -> None:
    """These calls answer with what failed; they do not fail."""
    for failure in answer.get("Unsuccessful") or ():
        code, message = failure["Error"]["Code"], failure["Error"]["Message"]
        raise SlipwayError(
            code_of(code, message),
            f"AWS answered {operation} with {code}: {message}",
            {"operation": operation, "error_code": code},
        )
