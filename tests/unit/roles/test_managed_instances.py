# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud's Systems Manager knows the instances that it would know on AWS."""

from __future__ import annotations

import json
import sys
import types
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core import iam_evaluator, responses
from ministack.services import iam, ssm

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
ACCOUNT = "000000000000"


class Cloud:
    """An account with one instance, whose role has no permissions."""

    def __init__(self, managed_instances: types.ModuleType) -> None:
        profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/host"
        self.instance: Json = {"State": {"Name": "running"}, "IamInstanceProfile": {"Arn": profile}}
        self.ec2 = types.SimpleNamespace(
            _instances={"i-1": self.instance},
            _vm_apply_container_ip=lambda *_args: None,
            _start_instances=lambda _params: "started",
            _parse_member_list=lambda params, _name: params,
            _vm_get_container=lambda _instance: types.SimpleNamespace(id="container"),
        )
        allows = managed_instances.allows(iam, iam_evaluator, responses.get_account_id)
        self.agents = managed_instances.Agents(self.ec2, allows)
        self.actions = list(managed_instances.ACTIONS)
        managed_instances.managed_instances(ssm, self.agents)
        iam._roles["host"] = {"RoleName": "host", "InlinePolicies": {}, "AttachedPolicies": []}
        iam._instance_profiles["host"] = {"Arn": profile, "Roles": ["host"]}
        self.launch()

    def launch(self) -> None:
        self.ec2._vm_apply_container_ip(self.instance, None, None)

    def permit(self, actions: list[str]) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam._roles["host"]["InlinePolicies"] = {"session-manager": policy}

    def online(self, *ids: str) -> list[str]:
        filters = [{"Key": "InstanceIds", "Values": list(ids)}] if ids else []
        answer = json.loads(ssm._describe_instance_information({"Filters": filters})[2])
        return [node["InstanceId"] for node in answer["InstanceInformationList"]]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    kept, roles, profiles = dict(vars(ssm)), dict(iam._roles), dict(iam._instance_profiles)
    with pytest.MonkeyPatch.context() as patch, responses.request_scope(ACCOUNT, "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import managed_instances  # type: ignore[import-not-found]

        yield Cloud(managed_instances)
        for store, known in ((iam._roles, roles), (iam._instance_profiles, profiles)):
            for name in set(store) - set(known):
                del store[name]
    vars(ssm).update(kept)
    for path in FILES.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_agent_finds_new_permissions_when_its_instance_starts_again(cloud: Cloud) -> None:
    assert cloud.online() == []
    cloud.permit(cloud.actions)
    assert cloud.online() == []
    cloud.ec2._start_instances(["i-1"])
    assert cloud.online() == ["i-1"]
    assert (cloud.online("i-1"), cloud.online("i-2")) == (["i-1"], [])


def test_agent_needs_each_of_its_permissions(cloud: Cloud) -> None:
    for left_out in cloud.actions:
        cloud.permit([action for action in cloud.actions if action != left_out])
        cloud.launch()
        assert cloud.online() == [], left_out


def test_session_leads_to_an_instance_that_runs_and_reaches_the_service(cloud: Cloud) -> None:
    cloud.permit(cloud.actions)
    cloud.launch()
    assert cloud.agents.container("i-1") == "container"
    cloud.agents.reaches = lambda _instance, service: service != "ssmmessages"
    assert cloud.agents.container("i-1") is None
    cloud.agents.reaches = lambda _instance, _service: True
    cloud.instance["State"] = {"Name": "stopped"}
    assert (cloud.agents.container("i-1"), cloud.agents.container("i-2")) == (None, None)
