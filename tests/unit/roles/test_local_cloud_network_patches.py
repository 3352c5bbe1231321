# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the emulator's VPCs lack, and that network_patches.py adds it. A test of the first kind that fails means: remove
that patch."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.services import ec2, ecs

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


@pytest.mark.parametrize("made_by", [ec2._init_defaults, ec2._create_vpc], ids=["default VPC", "another VPC"])
def test_default_security_group_lets_nobody_in(made_by: t.Any) -> None:
    assert '"IpPermissions": []' in inspect.getsource(made_by)


def test_default_vpc_has_no_route_to_its_internet_gateway() -> None:
    assert "0.0.0.0/0" not in inspect.getsource(ec2._init_defaults).partition("_route_tables[default_rtb]")[2]


def test_endpoint_forgets_its_security_groups() -> None:
    source = inspect.getsource(ec2._create_vpc_endpoint) + inspect.getsource(ec2._vpce_fields_xml)
    assert "roup" not in source.replace("VpcEndpointGroup", "")
    assert "PrivateDns" not in source


def test_route_to_a_deleted_gateway_is_active() -> None:
    assert "blackhole" not in inspect.getsource(ec2)


def test_instance_forgets_whether_its_launch_requested_a_public_address() -> None:
    assert "AssociatePublicIpAddress" not in inspect.getsource(ec2._run_instances)


def test_task_forgets_its_security_groups() -> None:
    assert "assignPublicIp" not in inspect.getsource(ecs._run_task)


# Runs in a process of its own, as the patches stay in the emulator's modules.
PATCHED = """
import json, re, sys
sys.path.insert(0, sys.argv[1])
from ministack.services import ec2, ecs
import network_patches
network_patches.patch(ec2, ecs)
call = lambda action, **members: str(ec2._ACTION_MAP[action]({k.replace("_", "."): [v] for k, v in members.items()})[2])
find = lambda name, text: re.search(f"<{name}>(.*?)</{name}>", text)[1]
vpc = find("vpcId", call("CreateVpc", CidrBlock="10.0.0.0/16"))
found = {"groups": [g["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == g["GroupId"] for g in
                    ec2._security_groups.values() if g["GroupName"] == "default"]}
found["default route"] = [r["GatewayId"] for r in ec2._route_tables["rtb-00000001"]["Routes"]]
subnet = find("subnetId", call("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24"))
nat = find("natGatewayId", call("CreateNatGateway", SubnetId=subnet))
table = find("routeTableId", call("CreateRouteTable", VpcId=vpc))
call("CreateRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
states = lambda: re.findall("<state>(active|blackhole)<", call("DescribeRouteTables", RouteTableId_1=table))
found["with a NAT gateway"] = states()
call("DeleteNatGateway", NatGatewayId=nat)
found["without"] = states()
created = call("CreateVpcEndpoint", VpcId=vpc, VpcEndpointType="Interface", ServiceName="s", SecurityGroupId_1="sg-1")
found["created with"] = re.findall("<groupId>(.*?)<", created)
call("ModifyVpcEndpoint", VpcEndpointId=find("vpcEndpointId", created), AddSecurityGroupId_1="sg-2",
     RemoveSecurityGroupId_1="sg-1")
described = call("DescribeVpcEndpoints", VpcEndpointId_1=find("vpcEndpointId", created))
found["then"] = re.findall("<groupId>(.*?)<", described), find("privateDnsEnabled", described)
requested = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}
placed = ecs._requested_subnet({"networkConfiguration": {"awsvpcConfiguration": requested}})
found["task"] = placed, placed.configuration == requested
print(json.dumps(found))
"""


def test_patches_add_what_the_emulator_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PATCHED, str(FILES)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "groups": [True, True],
        "default route": ["local", "igw-00000001"],
        "with a NAT gateway": ["active", "active"],
        "without": ["active", "blackhole"],
        "created with": ["sg-1"],
        "then": [["sg-2"], "true"],
        "task": ["subnet-1", True],
    }
