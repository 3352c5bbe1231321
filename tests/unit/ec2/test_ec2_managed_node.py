# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types
import typing as t

import boto3
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._ec2.managed_node import flow

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

INSTANCE = "i-0123456789abcdef0"
NODE = {
    "InstanceId": INSTANCE,
    "PingStatus": "Online",
    "AgentVersion": "3.3.1142.0",
    "PlatformName": "Amazon Linux",
    "PlatformVersion": "2023",
}


class Ssm:
    """Systems Manager, with what it answers about the instance, one after the other."""

    meta = types.SimpleNamespace(region_name="eu-central-1", endpoint_url="https://ssm.eu-central-1.amazonaws.com")

    def __init__(self, *answers: list[Json] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Json] = []

    def get_paginator(self, name: str) -> Ssm:
        assert name == "describe_instance_information"
        return self

    def paginate(self, **request: t.Any) -> list[Json]:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [{"InstanceInformationList": answer}]

    def reboot_instances(self, **request: t.Any) -> None:
        self.asked.append(request)


def read(ssm: Ssm, wait_timeout: int = 0, reboot: bool = False, check: bool = False) -> Json:
    params = {"instance_id": INSTANCE, "wait_timeout": wait_timeout, "profile": "shop", "reboot": reboot}
    return flow.run(Connection(lambda _service, _region="": ssm, params, check))


def test_agent_that_is_online_is_returned_with_where_its_sessions_start() -> None:
    ssm = Ssm([NODE])
    assert read(ssm) == {
        "changed": False,
        "ping_status": "Online",
        "agent_version": "3.3.1142.0",
        "platform": "Amazon Linux 2023",
        "session": {
            "instance_id": INSTANCE,
            "region": "eu-central-1",
            "endpoint_url": "https://ssm.eu-central-1.amazonaws.com",
            "profile": "shop",
        },
    }
    assert set(map(str, ssm.asked)) == {str({"Filters": [{"Key": "InstanceIds", "Values": [INSTANCE]}]})}


def test_agent_is_awaited() -> None:
    unknown = ClientError({"Error": {"Code": "InvalidInstanceId"}}, "DescribeInstanceInformation")
    assert read(Ssm([], unknown, [{**NODE, "PingStatus": "ConnectionLost"}], [NODE]), 60)["ping_status"] == "Online"


def test_agent_without_permissions_is_rebooted_once_they_are_there() -> None:
    ssm = Ssm([], [], [NODE])
    assert read(ssm, 60, reboot=True)["changed"]
    assert ssm.asked.count({"InstanceIds": [INSTANCE]}) == 1


def test_agent_that_is_online_is_not_rebooted() -> None:
    ssm = Ssm([NODE])
    assert not read(ssm, reboot=True)["changed"]
    assert {"InstanceIds": [INSTANCE]} not in ssm.asked


def test_check_mode_predicts_the_reboot() -> None:
    ssm = Ssm([])
    result = read(ssm, 60, reboot=True, check=True)
    assert (result["changed"], result["session"]["instance_id"]) == (True, INSTANCE)
    assert {"InstanceIds": [INSTANCE]} not in ssm.asked


@pytest.mark.parametrize(
    ("nodes", "state"), [([], "not registered"), ([{**NODE, "PingStatus": "ConnectionLost"}], "ConnectionLost")]
)
def test_agent_that_does_not_come_is_a_timeout_with_its_last_state(nodes: list[Json], state: str) -> None:
    with pytest.raises(SlipwayError, match=rf"waiting for the SSM Agent of {INSTANCE} to be Online, it is {state}"):
        read(Ssm(nodes))


def test_refusal_is_no_agent_that_is_missing() -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeInstanceInformation")
    with pytest.raises(SlipwayError) as raised:
        read(Ssm(denied))
    assert raised.value.code == "access_denied"


@pytest.mark.witness
@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_instance_without_an_agent_is_a_timeout(run: Run, aws: None) -> None:
    ec2 = boto3.client("ec2", "eu-central-1")
    [instance] = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"]
    result = run("ec2_managed_node", instance_id=instance["InstanceId"], wait_timeout=0)
    assert result["code"] == "timeout"
    assert "not registered" in result["msg"]
