# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator leaves out of launches and key pairs. A test that fails here means: remove that patch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ec2

TAG = {"TagSpecification.1.Tag.1.Key": ["slipway:project"], "TagSpecification.1.Tag.1.Value": ["ecs"]}


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    with request_scope("000000000000", "eu-central-1"):
        yield
        ec2.reset()


def launch(**params: str) -> dict[str, Any]:
    """Launch one instance and return the emulator's record of it."""
    answer = ec2._run_instances({name.replace("__", "."): [value] for name, value in params.items()})
    found = re.search(rb"<instanceId>(.*?)</instanceId>", answer[2])
    assert found
    record: dict[str, Any] = ec2._instances[found[1].decode()]
    return record


def test_network_interface_of_a_launch_is_ignored() -> None:
    record = launch(NetworkInterface__1__SubnetId="subnet-1", NetworkInterface__1__SecurityGroupId__1="sg-1")
    assert record["SubnetId"] != "subnet-1"
    assert [group["GroupId"] for group in record["SecurityGroups"]] != ["sg-1"]


def test_image_by_ssm_parameter_is_not_resolved() -> None:
    record = launch(ImageId="resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")
    assert record["ImageId"].startswith("resolve:ssm:")


@pytest.mark.parametrize("element", ["metadataOptions", "networkInterfaceSet"])
def test_instance_does_not_return(element: str) -> None:
    assert element not in ec2._instance_xml(launch(MetadataOptions__HttpTokens="required"))


def test_key_pair_has_no_tags() -> None:
    params = {
        "KeyName": ["k"],
        "PublicKeyMaterial": ["c3NoLWVkMjU1MTkgQQ=="],
        "TagSpecification.1.ResourceType": ["key-pair"],
    }
    ec2._import_key_pair(params | TAG)
    assert b"slipway:project" not in ec2._describe_key_pairs({})[2]


def test_addresses_are_not_filtered() -> None:
    ec2._allocate_address({"Domain": ["vpc"]})
    asked = ec2._describe_addresses({"Filter.1.Name": ["tag:slipway:project"], "Filter.1.Value.1": ["ecs"]})
    assert b"<allocationId>" in asked[2]


def test_tags_outlive_their_resource() -> None:
    record = launch(
        TagSpecification__1__ResourceType="instance", **{k.replace(".", "__"): v[0] for k, v in TAG.items()}
    )
    ec2._terminate_instances({"InstanceId.1": [record["InstanceId"]]})
    assert ec2._tags.get(record["InstanceId"])
