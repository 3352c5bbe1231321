# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow log of an own VPC: who may deliver it, where to, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_network import layout
from ansible_collections.slipway.aws.tests.unit.plugins.plugin_utils.test_ecs_network import ZONES, variables

Json = dict[str, Any]
CALLER = {"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/me"}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MINE = {"slipway:project": "ecs"}
GROUP: Json = {"log_group_name": "/ecs/ecs/flow-logs", "retention_in_days": 365, "tags": MINE}
ROLE: Json = {"role_name": "ecs-flow-logs", "tags": MINE}


def read(changed: Json | None = None, **found: Any) -> Json:
    known = {"vpcs": [], "subnets": [], "zones": ZONES, "caller": [CALLER], **found}
    return layout(variables(**{"flow_logs": "reject", **(changed or {})}), found=known)


def test_only_flow_logs_of_the_account_and_region_assume_the_role() -> None:
    [statement] = read()["flow_logs"]["trust"]["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ec2:eu-west-1:123456789012:vpc-flow-log/*"},
    }


def test_the_role_writes_to_its_log_group_only_and_creates_none() -> None:
    found = read(caller=[{**CALLER, "arn": "arn:aws-cn:iam::123456789012:user/me"}])["flow_logs"]
    write, describe = found["policy"]["Statement"]
    group = "arn:aws-cn:logs:eu-west-1:123456789012:log-group:/ecs/ecs/flow-logs"
    assert write["Resource"] == [f"{group}:*", f"{group}:log-stream:*"]
    assert {*write["Action"], *describe["Action"]} == {
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    }
    assert found["role_arn"] == "arn:aws-cn:iam::123456789012:role/ecs-flow-logs"


def test_role_and_log_group_are_deleted_with_the_network() -> None:
    found = read(log_groups=[GROUP], iam_roles=[ROLE])["flow_logs"]
    assert found["role_tags"] == {**MINE, "slipway:role": "ecs_network", "slipway:region": "eu-west-1"}
    assert found["log_group_tags"]["slipway:role"] == "ecs_network"
    assert found["owned"] == {"log_groups": ["/ecs/ecs/flow-logs"], "iam_roles": ["ecs-flow-logs"]}


@pytest.mark.parametrize(("days", "differs"), [(365, False), (30, True), (None, True)])
def test_another_retention_is_set(days: int | None, differs: bool) -> None:
    groups = [{**GROUP, "retention_in_days": days}]
    assert read(log_groups=groups)["flow_logs"]["retention_differs"] is differs


@pytest.mark.parametrize(("actual", "refused"), [(None, True), ("other", True), (KEY, False)])
def test_the_key_of_a_log_group_is_kept(actual: str | None, refused: bool) -> None:
    found = read({"flow_logs_kms_key": KEY}, log_groups=[{**GROUP, "kms_key_id": actual}])["problems"]
    assert ["aws logs associate-kms-key --log-group-name /ecs/ecs/flow-logs" in one for one in found] == [
        True
    ] * refused


def test_what_others_own_is_refused_and_not_deleted() -> None:
    # A longer name begins so, too.
    near = {**GROUP, "log_group_name": "/ecs/ecs/flow-logs-old", "tags": {}}
    found = read(log_groups=[{**GROUP, "tags": {}}, near], iam_roles=[{**ROLE, "tags": {"slipway:project": "other"}}])
    assert [one.partition(", without the tag slipway:project=ecs. Choose")[0] for one in found["problems"]] == [
        "ecs_network_flow_logs_group: expected a name that no other project uses, got /ecs/ecs/flow-logs",
        "ecs_network_flow_logs_role: expected a name that no other project uses, got ecs-flow-logs",
    ]
    assert found["flow_logs"]["owned"] == {"log_groups": [], "iam_roles": []}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (
            {"flow_logs_retention": 10},
            "ecs_network_flow_logs_retention: expected a retention that CloudWatch Logs supports (1, 3, ",
        ),
        ({"flow_logs_group": "a b"}, "ecs_network_flow_logs_group: expected up to 512 letters, digits or _/.#-, got"),
        ({"flow_logs_role": "a/b"}, "ecs_network_flow_logs_role: expected up to 64 letters, digits or _+=,.@-, got"),
        ({"flow_logs_kms_key": "alias/x"}, "ecs_network_flow_logs_kms_key: expected the ARN of a"),
    ],
)
def test_wrong_variables_are_refused(changed: Json, problem: str) -> None:
    assert [one.startswith(problem) for one in layout(variables(**changed))["problems"]] == [True]
