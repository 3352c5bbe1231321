# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of a project follows from its live resources, and says what it leaves out."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import cost, live_cost
from ansible_collections.slipway.aws.tests.report_sites import REGION, Site

Json = dict[str, t.Any]


def of(resources: list[Json], unknown: list[str] | None = None, region: str = REGION) -> live_cost.Costs:
    return live_cost.costs(resources, region, unknown or [], cost.prices())


def numbers(found: live_cost.Costs) -> dict[str, int]:
    return {line.what: line.number for line in found.lines}


def with_details(resources: list[Json], kind: str, **members: t.Any) -> list[Json]:
    return [one | {"details": one["details"] | members} if one["kind"] == kind else one for one in resources]


def with_tasks(resources: list[Json], **members: t.Any) -> list[Json]:
    """The resources, with other members in each task."""
    return [
        one | {"details": one["details"] | {"tasks": [task | members for task in one["details"]["tasks"]]}}
        if one["kind"] == "service"
        else one
        for one in resources
    ]


def test_what_runs_is_counted() -> None:
    assert numbers(of(Site().resources())) == {
        "task of web, 0.25 vCPU, 0.5 GB": 2,
        "task of worker, 0.25 vCPU, 0.5 GB": 2,
        "load balancer shop": 1,
        "public address of the load balancer shop": 2,
        "NAT gateway": 1,
        "elastic IP": 1,
        "instance, t3.small": 1,
        "public address of an instance": 1,
        "disk, 30 GiB gp3": 1,
    }


def test_the_sum_is_that_of_the_price_table() -> None:
    hours = 730
    task = 0.25 * 0.04656 * hours + 0.5 * 0.00511 * hours
    balancer, gateway = 0.0225 * hours + 2 * 0.005 * hours, 0.059 * hours + 0.005 * hours
    host = 0.026 * hours + 0.005 * hours + 30 * 0.0912
    found = of(Site().resources())
    assert found.total == pytest.approx(4 * task + balancer + gateway + host)
    assert sum(line.month for _part, lines in found.parts for line in lines) == pytest.approx(found.total)


def test_spot_and_arm_cost_less() -> None:
    resources = Site(services=1).resources()
    usual = of(resources).total
    spot = of(with_tasks(resources, capacityProviderName="FARGATE_SPOT"))
    assert "Spot task of web, 0.25 vCPU, 0.5 GB" in numbers(spot)
    assert spot.total < usual
    arm = of(with_details(resources, "task definition", runtimePlatform={"cpuArchitecture": "ARM64"}))
    assert "task of web, 0.25 vCPU, 0.5 GB, ARM64" in numbers(arm)
    assert arm.total < usual


def test_tasks_on_hosts_cost_their_hosts_alone() -> None:
    found = numbers(of(Site(hosts=3).resources()))
    assert found["instance, m5.large"] == 3
    assert not any("task" in what for what in found)


def test_stopped_tasks_and_instances_cost_nothing() -> None:
    resources = with_details(
        with_tasks(Site().resources(), lastStatus="STOPPED"), "instance", State={"Name": "stopped"}
    )
    found = numbers(of(resources))
    assert not any(what.startswith(("task", "instance", "public address of an instance")) for what in found)
    assert found["disk, 30 GiB gp3"] == 1


def test_public_addresses_of_tasks_count() -> None:
    assert numbers(of(Site(private=False).resources()))["public address of a task of web"] == 2


def test_an_elastic_ip_of_an_instance_counts_once() -> None:
    resources = with_details(Site().resources(), "instance", PublicIpAddress="203.0.113.7")
    assert "public address of an instance" not in numbers(of(resources))


def test_only_interface_endpoints_cost() -> None:
    def endpoint(kind: str) -> Json:
        details = {"VpcEndpointType": kind, "SubnetIds": ["a", "b"]}
        return {"kind": "VPC endpoint", "id": kind, "name": kind, "tags": {}, "details": details}

    assert numbers(of([endpoint("Interface"), endpoint("Gateway")])) == {"VPC endpoint in a zone": 2}


def test_what_has_no_price_is_named_and_not_in_the_sum() -> None:
    resources = with_details(Site().resources(), "instance", InstanceType="x9.huge")
    found = of(with_details(resources, "volume", VolumeType="io2"))
    assert [line.what for line in found.unpriced] == ["instance, x9.huge", "disk, 30 GiB io2"]
    assert found.total < of(Site().resources()).total


def test_what_could_not_be_read_makes_the_sum_incomplete() -> None:
    assert of(Site().resources(), ["NAT gateway", "namespace"]).incomplete == ("NAT gateway",)
    assert of(Site().resources()).incomplete == ()


def test_an_unknown_region_has_the_prices_of_another() -> None:
    found = of(Site().resources(), region="mars-north-1")
    assert (found.region, found.known_region) == (REGION, False)


def test_an_empty_project_costs_nothing() -> None:
    assert (of([]).total, of([]).parts) == (0, [])
