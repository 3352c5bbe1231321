# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow log of a project's own VPC: what delivers it, where to, and what stands in the way. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from re import fullmatch
from typing import TYPE_CHECKING

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_secrets import key_problems

if TYPE_CHECKING:
    from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_network import Variables

PREFIX = "ecs_network_flow_logs"
TRAFFIC = {"none": "", "reject": "REJECT", "all": "ALL"}
POLICY = "flow-logs"
# What amazon.aws.cloudwatchlogs_log_group takes.
RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)


def problems(v: Variables) -> Iterator[str]:
    """What is wrong with the variables."""
    if not fullmatch("[a-zA-Z0-9_/.#-]{1,512}", v.flow_logs_group):
        yield f"{PREFIX}_group: expected up to 512 letters, digits or _/.#-, got {v.flow_logs_group!r}. Choose another."
    if int(v.flow_logs_retention) not in RETENTION:
        yield (
            f"{PREFIX}_retention: expected a retention that CloudWatch Logs supports"
            f" ({', '.join(map(str, RETENTION))}), got"
            f" {v.flow_logs_retention}."
        )
    if not fullmatch(r"[\w+=,.@-]{1,64}", v.flow_logs_role):
        yield f"{PREFIX}_role: expected up to 64 letters, digits or _+=,.@-, got {v.flow_logs_role!r}. Choose another."
    yield from key_problems(v.flow_logs_kms_key, f"{PREFIX}_kms_key")


def layout(v: Variables, tags: Mapping[str, str], found: Mapping[str, Sequence[Json]]) -> Json:
    """What the role creates, once it has read the account, and what of it exists. `found` has the caller."""
    groups, roles = _own(v, found, "log_groups", "log_group_name"), _own(v, found, "iam_roles", "role_name")
    known: Json = {
        "traffic_type": TRAFFIC[v.flow_logs],
        "owned": {
            "log_groups": [one["log_group_name"] for one in groups],
            "iam_roles": [one["role_name"] for one in roles],
        },
        "problems": [*_foreign(v, found, groups + roles), *_other_keys(v, groups)],
    }
    for caller in found.get("caller") or ():
        region = next((str(one["region_name"]) for one in found.get("zones") or ()), "")
        known |= _resources(v, tags, caller, region, groups)
    return known


def _resources(v: Variables, tags: Mapping[str, str], caller: Json, region: str, groups: Sequence[Json]) -> Json:
    partition, account = str(caller["arn"]).split(":")[1], str(caller["account"])
    group = f"arn:{partition}:logs:{region}:{account}:log-group:{v.flow_logs_group}"
    own = {**tags, tagging.ROLE: "ecs_network"}
    days = int(groups[0].get("retention_in_days") or 0) if groups else 0
    return {
        "log_group_tags": own,
        "retention_differs": days != int(v.flow_logs_retention),
        # IAM has no regions: no other site adopts or deletes the role.
        "role_tags": {**own, tagging.REGION: region},
        "role_arn": f"arn:{partition}:iam::{account}:role/{v.flow_logs_role}",
        "policy_name": POLICY,
        "trust": _trust(f"arn:{partition}:ec2:{region}:{account}:vpc-flow-log/*", account),
        "policy": _policy(group),
    }


def _trust(flow_logs: str, account: str) -> Json:
    """Only on behalf of flow logs of this account and region.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    condition = {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": flow_logs}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _policy(group: str) -> Json:
    """To write to the log group, but not to create it again once it is deleted."""
    write = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    statements = [
        {"Effect": "Allow", "Action": write, "Resource": [f"{group}:*", f"{group}:log-stream:*"]},
        {"Effect": "Allow", "Action": ["logs:DescribeLogGroups"], "Resource": "*"},
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _other_keys(v: Variables, groups: Sequence[Json]) -> Iterator[str]:
    """The module that creates log groups does not change their keys."""
    for group in groups if v.flow_logs_kms_key else ():
        actual, name, key = group.get("kms_key_id") or "none", group["log_group_name"], v.flow_logs_kms_key
        if actual != key:
            yield (
                f"{PREFIX}_kms_key: expected the key of the existing log group {name}, which is {actual}, got {key}."
                f" Change it with: aws logs associate-kms-key --log-group-name {name} --kms-key-id {key}. Then rerun."
            )


def _own(v: Variables, found: Mapping[str, Sequence[Json]], kind: str, name: str) -> list[Json]:
    names = (v.flow_logs_group, v.flow_logs_role)
    some = [one for one in found.get(kind) or () if one[name] in names]
    return [one for one in some if tagging.belongs_to(one.get("tags") or {}, v.project)]


def _foreign(v: Variables, found: Mapping[str, Sequence[Json]], own: Sequence[Json]) -> Iterator[str]:
    members = {"log_groups": ("group", "log_group_name"), "iam_roles": ("role", "role_name")}
    for kind, (suffix, name) in members.items():
        for one in found.get(kind) or ():
            if one[name] in (v.flow_logs_group, v.flow_logs_role) and one not in own:
                yield (
                    f"{PREFIX}_{suffix}: expected a name that no other project uses, got {one[name]}, without the tag"
                    f" {tagging.PROJECT}={v.project}. Choose another name, or tag the resources that belong to this"
                    " project."
                )
