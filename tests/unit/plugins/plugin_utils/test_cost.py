# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the chosen variables cost, from a table whose prices are easy to add up."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import cost
from ansible_collections.slipway.aws.plugins.plugin_utils.role_defaults import resolved

Json = dict[str, Any]

TABLE: Json = {
    "as_of": "2026-01-02",
    "hours_a_month": 100,
    "fargate_spot_share": {"price": 0.5},
    "regions": {
        "ap-northeast-2": {
            "nat_gateway_hour": {"price": 1},
            "load_balancer_hour": {"price": 2},
            "interface_endpoint_hour": {"price": 0.1},
            "public_address_hour": {"price": 0.01},
            "gp3_gib_month": {"price": 0.5},
            "fargate_x86_64_vcpu_hour": {"price": 4},
            "fargate_x86_64_gb_hour": {"price": 2},
            "fargate_arm64_vcpu_hour": {"price": 2},
            "fargate_arm64_gb_hour": {"price": 1},
            "instances": {"t3.small": {"price": 0.2}},
        }
    },
}


def sums(**settings: Any) -> dict[str, float]:
    # The plan does not pass on any other.
    assert set(settings) <= set(cost.VARIABLES)
    lines = cost.lines(resolved(settings, cost.VARIABLES), cost.Prices(TABLE, "ap-northeast-2"))
    return {line.what: line.month for line in lines}


def service(**own: Any) -> Json:
    definition = {"cpu": 256, "memory": 512, **own.pop("definition", {})}
    return {"name": "web", "task_definition": definition, **own}


def test_what_others_own_is_free() -> None:
    theirs: Json = {"ecs_load_balancer_arn": "shared", "ecs_cluster_arn": "shared", "ecs_network_vpc_id": "vpc-1"}
    theirs["ecs_cluster_hosting"] = "ec2"
    found = sums(**theirs, ecs_app_services=[])
    assert [what for what in found if "load balancer" in what or "NAT" in what or "instance" in what.lower()] == []
    assert "load balancer" in sums(ecs_network_vpc_id="vpc-1")


@pytest.mark.parametrize(
    ("settings", "gateways", "endpoints"),
    [
        ({}, 100, None),
        ({"ecs_network_nat": "per_zone", "ecs_network_zones": ["a", "b", "c"]}, 300, None),
        ({"ecs_network_nat": "none", "ecs_network_endpoints": ["ecr.api", "ecr.dkr", "s3"]}, None, 40),
        ({"ecs_network_nat": "none", "ecs_network_endpoints": None}, None, 100),
        ({"ecs_network_nat": "none", "ecs_network_hosting": "ec2"}, None, 160),
        ({"ecs_network_vpc_id": "vpc-1"}, None, None),
    ],
)
def test_the_way_out_of_the_private_subnets(settings: Json, gateways: float | None, endpoints: float | None) -> None:
    found = sums(**settings)
    assert (found.get("NAT gateway"), found.get("VPC endpoint in a zone")) == (gateways, endpoints)


def test_load_balancer_and_docker_host() -> None:
    assert sums(ecs_network_vpc_id="vpc-1") == {
        "load balancer": 200,
        "public address of the load balancer": 2,
        "Docker host, t3.small": 20,
        "disk of the Docker host, 30 GiB": 15,
        "public address of the Docker host": 1,
    }
    private = sums(ecs_load_balancer_scheme="internal", docker_instance_address_type="private")
    assert "public address of the load balancer" not in private
    assert "public address of the Docker host" not in private


def test_a_site_that_builds_nothing_has_no_docker_host() -> None:
    known = {**resolved({}, cost.VARIABLES), cost.BUILDS: False}
    assert not [line for line in cost.lines(known, cost.Prices(TABLE, "ap-northeast-2")) if "Docker" in line.what]


@pytest.mark.parametrize(
    ("given", "month"),
    [
        (service(), 200),
        (service(desired_count=3), 600),
        (service(desired_count=0), 0),
        (service(definition={"runtimePlatform": {"cpuArchitecture": "ARM64"}}), 100),
        (service(definition={"cpu": "1024", "memory": "2048"}), 800),
        (service(options={"capacity_provider_strategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}), 100),
        (service(options={"launch_type": "EC2"}), 0),
        (service(desired_count=9, scaling={"min_capacity": 2, "max_capacity": 9}), 400),
    ],
)
def test_tasks(given: Json, month: float) -> None:
    assert sum(price for what, price in sums(ecs_app_services=[given]).items() if "task of web" in what) == month


def test_hosts_are_paid_and_what_runs_on_them_is_not() -> None:
    strategy = [{"capacityProvider": "hosts-shop", "weight": 1}]
    found = sums(
        ecs_cluster_hosting="ec2",
        ecs_cluster_instance_type="t3.small",
        ecs_cluster_instances_min=2,
        ecs_cluster_instance_volume_size=50,
        ecs_cluster_default_strategy=strategy,
        ecs_app_services=[service(desired_count=3)],
    )
    assert found["cluster host (minimum number), t3.small"] == 40
    assert found["disk of a cluster host, 50 GiB"] == 50
    assert not [what for what in found if "task of" in what]


@pytest.mark.parametrize(
    ("strategy", "placed"),
    [
        ([("FARGATE", 1, 1), ("FARGATE_SPOT", 0, 3)], {"FARGATE": 2, "FARGATE_SPOT": 3}),
        ([("FARGATE", 9, 1)], {"FARGATE": 5}),
    ],
)
def test_tasks_are_placed_by_base_and_weight(strategy: list[tuple[str, int, int]], placed: Json) -> None:
    given = [{"capacityProvider": name, "base": base, "weight": weight} for name, base, weight in strategy]
    assert cost.placed(5, given) == placed


def test_the_report_says_what_it_does_not_know() -> None:
    given = {"slipway_region": "eu-west-1", "docker_instance_type": "x9.big", "slipway_endpoint_url": "x"}
    found = cost.report(resolved(given, cost.VARIABLES), TABLE)
    assert "There are no prices for eu-west-1, so these are the prices for ap-northeast-2." in found
    assert "Not included: Docker host, x9.big, because there is no price for it." in found
    assert "  1 x        ? =        ?  Docker host, x9.big" in found
    assert "  1 x   100.00 =   100.00  NAT gateway" in found
    assert found[-1].startswith("The local cloud is free")


def test_every_region_of_the_table_has_the_same_prices_each_with_a_source() -> None:
    regions = cost.prices()["regions"].values()
    assert len({frozenset(region) for region in regions}) == 1
    named = [price for region in regions for price in region.values() if isinstance(price, dict) and "price" in price]
    each = named + [price for region in regions for price in region["instances"].values()]
    assert {price["source"] for price in each} <= {"quoted", "reported", "recalled"}
