"""The filters of the network roles: dividing ranges, what is wrong with them and with subnets, picking and choosing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.filter.choose_subnets import choose_subnets
from ansible_collections.slipway.aws.plugins.filter.cidr_problems import cidr_problems
from ansible_collections.slipway.aws.plugins.filter.pick import pick
from ansible_collections.slipway.aws.plugins.filter.subnet_problems import subnet_problems
from ansible_collections.slipway.aws.plugins.filter.subnets import subnets
from ansible_collections.slipway.aws.plugins.filter.surplus_endpoints import surplus_endpoints


def test_subnets_are_equal_parts_in_order() -> None:
    parts = subnets("10.0.0.0/16", 16)
    assert (parts[0], parts[1], parts[8], len(parts)) == ("10.0.0.0/20", "10.0.16.0/20", "10.0.128.0/20", 16)


@pytest.mark.parametrize("cidr", ["10.0.0.0/30", "10.0.0.1/16", "fd00::/56", "nonsense", ""])
def test_what_cannot_be_divided_has_no_subnets(cidr: str) -> None:
    assert subnets(cidr, 16) == []


@pytest.mark.parametrize("parts", [0, -2, 3])
def test_parts_are_a_power_of_two(parts: int) -> None:
    with pytest.raises(AnsibleFilterError, match="power of two"):
        subnets("10.0.0.0/16", parts)


def test_subnets_of_a_range_have_no_problems() -> None:
    assert cidr_problems(subnets("10.0.0.0/24", 16), within="10.0.0.0/24") == []


@pytest.mark.parametrize(
    ("cidrs", "problem"),
    [
        (["ten"], "ten is not an IPv4 range in CIDR notation such as 10.0.0.0/16"),
        (["10.0.0.5/24"], "10.0.0.5/24 does not start at the first address of its range, which is 10.0.0.0/24"),
        (["10.0.0.0/8"], "10.0.0.0/8 is too wide, /16 at most"),
        (["10.0.0.0/29"], "10.0.0.0/29 is too small, /28 at least"),
    ],
)
def test_each_problem_is_told(cidrs: list[str], problem: str) -> None:
    assert cidr_problems(cidrs) == [problem]


def test_subnets_neither_leave_their_network_nor_overlap() -> None:
    assert cidr_problems(["10.1.0.0/24", "10.0.0.0/20", "10.0.8.0/24"], within="10.0.0.0/16") == [
        "10.1.0.0/24 is not inside 10.0.0.0/16",
        "10.0.0.0/20 overlaps 10.0.8.0/24",
    ]


def test_ranges_without_a_common_network_may_overlap() -> None:
    assert cidr_problems(["192.0.2.0/24", "192.0.2.7/32"], widest=8, narrowest=32) == []


def test_the_whole_internet_is_too_wide() -> None:
    assert cidr_problems(["0.0.0.0/0"], widest=8, narrowest=32) == ["0.0.0.0/0 is too wide, /8 at most"]


def test_pick_renames_and_drops() -> None:
    source = {"target_group_arn": "arn:web", "port": 80, "vpc_id": "vpc-1"}
    picked = pick(source, arn="target_group_arn", port="port", name="target_group_name")
    assert picked == {"arn": "arn:web", "port": 80, "name": None}


def subnet(name: str, cidr: str, zone: str, **tags: str) -> dict[str, Any]:
    return {"subnet_id": name, "cidr_block": cidr, "availability_zone": zone, "tags": tags}


def test_subnets_as_described_and_those_to_come_are_no_problem() -> None:
    there = [subnet("subnet-1", "10.0.0.0/20", "a")]
    assert subnet_problems(there, [("10.0.0.0/20", "a"), ("10.0.16.0/20", "b")]) == []


def test_moved_and_forgotten_subnets_are_told() -> None:
    there = [subnet("subnet-2", "10.0.32.0/20", "c"), subnet("subnet-1", "10.0.0.0/20", "a")]
    assert subnet_problems(there, [("10.0.0.0/20", "b"), ("10.0.16.0/20", "a")]) == [
        "subnet-1 (10.0.0.0/20) is in a, not in b",
        "subnet-2 (10.0.32.0/20 in c) is described no longer",
    ]


SUBNETS = [
    subnet("subnet-3", "10.0.2.0/24", "b", tier="app", team="shop"),
    subnet("subnet-2", "10.0.1.0/24", "a", tier="app"),
    subnet("subnet-1", "10.0.0.0/24", "a", tier="db"),
]


@pytest.mark.parametrize(
    ("ids", "tags", "chosen"),
    [
        (["subnet-3", "subnet-1"], {}, ["subnet-3", "subnet-1"]),
        (["subnet-9", "subnet-1"], {"tier": "app"}, ["subnet-1"]),
        ([], {"tier": "app"}, ["subnet-2", "subnet-3"]),
        ([], {"tier": "app", "team": "shop"}, ["subnet-3"]),
        ([], {"tier": "web"}, []),
        ([], {}, []),
    ],
)
def test_subnets_are_chosen_by_id_or_by_tags(ids: list[str], tags: dict[str, str], chosen: list[str]) -> None:
    assert [one["subnet_id"] for one in choose_subnets(SUBNETS, ids, tags)] == chosen


def endpoint(service: str, project: str = "ecs", state: str = "available", **places: list[str]) -> dict[str, Any]:
    tags = [{"key": "Name", "value": service}, {"key": "slipway:project", "value": project}]
    return {"vpc_endpoint_id": f"vpce-{service}", "service_name": service, "state": state, "tags": tags, **places}


@pytest.mark.parametrize(
    ("found", "surplus"),
    [
        (endpoint("logs", subnet_ids=["b", "a"], route_table_ids=[]), []),
        (endpoint("s3", route_table_ids=["rtb-1"]), []),
        (endpoint("logs", subnet_ids=["a"]), [("logs", "available", True)]),
        (endpoint("logs", subnet_ids=["a", "b"], state="Deleting"), [("logs", "deleting", True)]),
        (endpoint("ssm", subnet_ids=["a", "b"]), [("ssm", "available", False)]),
        (endpoint("ssm", subnet_ids=["a", "b"], state="deleted"), []),
        (endpoint("ssm", project="other", subnet_ids=["a"]), []),
    ],
)
def test_endpoints_that_have_to_go(found: dict[str, Any], surplus: list[tuple[str, str, bool]]) -> None:
    wanted = {"logs": ["a", "b"], "s3": ["rtb-1"]}
    told = surplus_endpoints([found], "ecs", wanted)
    assert [(one["service"], one["state"], one["wanted"]) for one in told] == surplus


def test_an_endpoint_without_tags_is_nobodys() -> None:
    assert surplus_endpoints([{**endpoint("logs"), "tags": None}], "ecs", {}) == []
