"""The filters of the network roles: dividing ranges, finding what is wrong with them, picking members."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.filter.cidr_problems import cidr_problems
from ansible_collections.slipway.aws.plugins.filter.pick import pick
from ansible_collections.slipway.aws.plugins.filter.subnets import subnets


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
