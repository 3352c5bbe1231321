# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A VPC, subnets and security groups that others own: the role returns them, and creates what it is asked for."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud, Run

Json = dict[str, t.Any]


def entry(name: str = "main") -> Json:
    return {"name": name, "ansible.builtin.include_role": {"name": "slipway.aws.ecs_network", "tasks_from": name}}


class Others(t.NamedTuple):
    """What other people have in the account."""

    cloud: Cloud
    vpc: str
    subnets: list[str]
    groups: dict[str, str]

    def state(self) -> str:
        ec2 = self.cloud.client("ec2")
        parts = [
            ec2.describe_vpcs()["Vpcs"],
            ec2.describe_subnets()["Subnets"],
            ec2.describe_route_tables()["RouteTables"],
        ]
        parts += [ec2.describe_security_groups()["SecurityGroups"], ec2.describe_nat_gateways()["NatGateways"]]
        return json.dumps(parts, default=str, sort_keys=True)


@pytest.fixture(scope="module")
def others(cloud: Cloud) -> Others:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"eu-central-1{zone}")
        for n, zone in enumerate("ab")
    ]
    groups = {
        name: ec2.create_security_group(GroupName=f"others-{name}", Description="x", VpcId=vpc)["GroupId"]
        for name in ("tasks", "load_balancer")
    }
    return Others(cloud, vpc, [one["Subnet"]["SubnetId"] for one in subnets], groups)


def play(others: Others, *options: str, entries: t.Sequence[str] = ("main",), **more: t.Any) -> Run:
    shown = {"ansible.builtin.debug": {"msg": "result={{ ecs_network_result | to_json }}"}}
    named = {"ecs_network_vpc_id": others.vpc, "ecs_network_security_group_ids": others.groups}
    # Nobody answers there: the address of this machine is for the Docker host's group, which is not created.
    nobody = {"ecs_network_address_url": "http://127.0.0.1:9"}
    tasks = [*map(entry, entries), *([] if "absent" in entries else [shown])]
    return others.cloud.play(tasks, *options, **{"slipway_project": "shop", **named, **nobody, **more})


def result_of(run: Run) -> Json:
    text = run.output.partition("result=")[2].partition("\n")[0].removesuffix('"').replace('\\"', '"')
    return dict(json.loads(text))


def test_nothing_is_created_where_everything_is_named(others: Others) -> None:
    before = others.state()
    one = {"ecs_network_private_subnet_ids": others.subnets[:1]}
    # The entry point find knows nothing of main, which runs after it.
    for options, entries in ((("--check",), ["main"]), ((), ["find", "main"])):
        run = play(others, *options, entries=entries, **one)
        assert (run.code, run.changed) == (0, 0), run.output
        result = result_of(run)
        assert (result["vpc_id"], result["private_subnet_ids"]) == (others.vpc, others.subnets[:1])
        assert result["security_group_ids"] == {**others.groups, "docker_host": ""}
    deleted = play(others, entries=["absent"], **one)
    assert (deleted.code, deleted.changed) == (0, 0), deleted.output
    assert others.state() == before


@pytest.mark.variants
def test_a_project_may_have_no_network_at_all(others: Others) -> None:
    before = others.state()
    nothing = {"ecs_network_create": False, "ecs_network_vpc_id": "", "ecs_network_security_group_ids": {}}
    for entries in (["main"], ["find"]):
        run = play(others, entries=entries, **nothing)
        assert (run.code, run.changed) == (0, 0), run.output
        assert (result_of(run)["vpc_id"], result_of(run)["private_subnet_ids"]) == ("", [])
    deleted = play(others, entries=["absent"], **nothing)
    assert (deleted.code, deleted.changed) == (0, 0), deleted.output
    assert others.state() == before


@pytest.mark.variants
def test_tasks_get_a_group_of_their_own_that_is_open_to_the_load_balancer_of_others(others: Others) -> None:
    before = others.state()
    given = {
        "ecs_network_create": True,
        "ecs_network_private_subnet_ids": others.subnets,
        "ecs_network_security_group_ids": {"load_balancer": others.groups["load_balancer"]},
        "ecs_network_docker_host_cidrs": ["10.0.0.0/8"],
        "ecs_network_task_ports": [8080],
    }
    for options, changes in ((("--check",), 1), ((), 1), ((), 0)):
        run = play(others, *options, **given)
        assert (run.code, run.changed) == (0, changes), run.output
    ids = result_of(run)["security_group_ids"]
    assert ids["load_balancer"] == others.groups["load_balancer"]
    (group,) = others.cloud.client("ec2").describe_security_groups(GroupIds=[ids["tasks"]])["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    assert (rule["FromPort"], [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]) == (8080, [ids["load_balancer"]])
    deleted = play(others, entries=["absent"], **given)
    assert (deleted.code, deleted.changed) == (0, 1), deleted.output
    assert others.state() == before


# What the role finds in the account; each problem is in tests/unit/plugins/plugin_utils.
WRONG: Json = {
    "ecs_network_security_group_ids": {"tasks": "sg-00000000"},
    "ecs_network_private_subnet_ids": ["subnet-0"],
}
REFUSED = [
    "a security group of the existing VPC, got sg-00000000",
    "expected subnets of the existing VPC, got subnet-0",
]


def test_what_is_missing_is_refused_before_anything_is_created(others: Others) -> None:
    before = others.state()
    run = play(others, **WRONG)
    assert run.code == 2
    printed = " ".join(run.output.split())
    assert [problem for problem in REFUSED if problem not in printed] == []
    assert others.state() == before
