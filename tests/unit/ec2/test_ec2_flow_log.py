# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A flow log is created, replaced by one with other settings, and deleted; those of others are kept."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest
import yaml
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core import creating
from ansible_collections.slipway.aws.plugins.module_utils._ec2.flow_log import model
from ansible_collections.slipway.aws.plugins.modules import ec2_flow_log

Json = dict[str, t.Any]
MODULE = "ec2_flow_log"
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
ROLE = "arn:aws:iam::123456789012:role/shop-flow-logs"
MINE = {"slipway:project": "shop"}
FIRST: Json = {"match_tags": MINE, "traffic_type": "REJECT", "log_group_name": "/ecs/shop/flow-logs", "role_arn": ROLE}


@pytest.fixture
def vpc(aws: None) -> str:
    return str(boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def flow_logs() -> dict[str, tuple[str, str, dict[str, str]]]:
    found = boto3.client("ec2").describe_flow_logs()["FlowLogs"]
    return {
        one["FlowLogId"]: (
            one["ResourceId"],
            one["TrafficType"],
            {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])},
        )
        for one in found
    }


@pytest.mark.witness("ec2_flow_log")
@BOTH
def test_twelve_steps(vpc: str, run: t.Any) -> None:
    second: Json = {**FIRST, "traffic_type": "ALL", "tags": {"stage": "test"}}
    gone: Json = {"state": "absent", "match_tags": MINE}
    steps = [(FIRST, ("REJECT", MINE)), (second, ("ALL", {**MINE, "stage": "test"})), (gone, None)]
    for options, after in steps:
        before = flow_logs()
        predicted = run(MODULE, check=True, resource_id=vpc, **options)
        assert flow_logs() == before
        done = run(MODULE, resource_id=vpc, **options)
        assert [tuple(found[1:]) for found in flow_logs().values()] == ([after] if after else [])
        assert (predicted["changed"], done["changed"]) == (True, True), done
        assert predicted["diff"] == done["diff"]
        for check in (True, False):
            again = run(MODULE, check=check, resource_id=vpc, **options)
            assert (again["changed"], again["flow_log"]) == (False, done["flow_log"])


@BOTH
def test_other_tags_change_the_flow_log_in_place(vpc: str, run: t.Any) -> None:
    made = run(MODULE, resource_id=vpc, **FIRST, tags={"stage": "test", "team": "web"})
    changed = run(MODULE, resource_id=vpc, **FIRST, tags={"stage": "live"})
    assert (changed["changed"], changed["flow_log"]["id"]) == (True, made["flow_log"]["id"])
    assert [found[2] for found in flow_logs().values()] == [{**MINE, "stage": "live"}]
    # What is omitted is kept.
    options = {name: value for name, value in FIRST.items() if name != "traffic_type"}
    assert run(MODULE, resource_id=vpc, **options)["changed"] is False


@BOTH
def test_flow_logs_of_others_are_kept(vpc: str, run: t.Any) -> None:
    other = boto3.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    common: Json = {"ResourceType": "VPC", "TrafficType": "ALL", "DeliverLogsPermissionArn": ROLE}
    ours = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "slipway:project", "Value": "shop"}]}]
    ec2 = boto3.client("ec2")
    ec2.create_flow_logs(**common, ResourceIds=[vpc], LogGroupName="/company")
    ec2.create_flow_logs(**common, ResourceIds=[other], LogGroupName="/company", TagSpecifications=ours)
    before = flow_logs()
    assert run(MODULE, resource_id=vpc, **FIRST)["changed"]
    assert len(flow_logs()) == 3
    assert run(MODULE, resource_id=vpc, state="absent", match_tags=MINE)["changed"]
    assert flow_logs() == before


@BOTH
def test_another_log_group_takes_the_place_of_the_former(vpc: str, run: t.Any) -> None:
    made = run(MODULE, resource_id=vpc, **FIRST)
    predicted = run(MODULE, check=True, resource_id=vpc, **{**FIRST, "log_group_name": "/shop"})
    done = run(MODULE, resource_id=vpc, **{**FIRST, "log_group_name": "/shop"})
    assert predicted["flow_log"]["id"] == "unknown"
    assert (list(flow_logs()), done["flow_log"]["log_group_name"]) == ([done["flow_log"]["id"]], "/shop")
    assert done["flow_log"]["id"] != made["flow_log"]["id"]


def test_examples(vpc: str, run: t.Any) -> None:
    for example in yaml.safe_load(ec2_flow_log.EXAMPLES):
        options = example[f"slipway.aws.{MODULE}"] | {"resource_id": vpc}
        assert run(MODULE, **options)["changed"]
        assert not run(MODULE, **options)["changed"]


def test_what_aws_reports_as_unsuccessful_is_an_error(vpc: str, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call = botocore.client.BaseClient._make_api_call
    failure = {"ResourceId": vpc, "Error": {"Code": "FlowLogsLimitExceeded", "Message": "2 for each resource"}}

    def failing(client: t.Any, operation: str, request: Json) -> t.Any:
        return {"Unsuccessful": [failure]} if operation == "CreateFlowLogs" else call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", failing)
    result = run(MODULE, resource_id=vpc, **FIRST)
    assert (result["failed"], result["code"]) == (True, "aws_error")
    assert result["msg"] == "AWS answered CreateFlowLogs with FlowLogsLimitExceeded: 2 for each resource"


def test_a_role_that_aws_does_not_know_yet_is_waited_for(vpc: str, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating, "PAUSE", 0.01)
    call = botocore.client.BaseClient._make_api_call
    refusals = [True, True]

    def refused(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "CreateFlowLogs" and refusals and refusals.pop():
            error = {"Code": "InvalidParameter", "Message": "Unable to assume given IAM role"}
            raise ClientError({"Error": error}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refused)
    assert run(MODULE, resource_id=vpc, **FIRST)["changed"]
    assert (len(flow_logs()), refusals) == (1, [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resource_id": "shop"}, "resource_id: expected the ID of a VPC, subnet or network interface, such as vpc-"),
        ({"role_arn": "flow-logs"}, "role_arn: expected the ARN of an IAM role, such as arn:aws:iam::123456789012:"),
        ({"log_group_name": "/a b"}, "log_group_name: expected up to 512 letters, digits or _/.#-, got '/a b'."),
    ],
)
def test_wrong_options_are_refused(aws: None, run: t.Any, options: Json, said: str) -> None:
    result = run(MODULE, **{"resource_id": "vpc-0123456789abcdef0", **FIRST, **options})
    assert (result["code"], result["msg"].startswith(said)) == ("invalid_option", True), result["msg"]


@pytest.mark.parametrize(
    ("answer", "group"),
    [
        ({"LogGroupName": "/shop"}, "/shop"),
        ({"LogDestination": "arn:aws:logs:eu-central-1:123456789012:log-group:/shop:*"}, "/shop"),
        ({"LogDestination": "arn:aws:s3:::bucket"}, ""),
    ],
)
def test_the_log_group_is_known_by_its_name_or_arn(answer: Json, group: str) -> None:
    assert (
        model.from_api({"FlowLogId": "fl-1", "ResourceId": "vpc-1", "TrafficType": "ALL", **answer})["log_group_name"]
        == group
    )


def test_without_tags_nothing_is_taken_for_ones_own(vpc: str, run: t.Any) -> None:
    run(MODULE, resource_id=vpc, **FIRST)
    before = flow_logs()
    for state in ("present", "absent"):
        refused = run(MODULE, resource_id=vpc, **{**FIRST, "match_tags": {}, "state": state})
        assert refused["code"] == "invalid_option"
        assert "match_tags: expected tags" in refused["msg"]
    assert flow_logs() == before
