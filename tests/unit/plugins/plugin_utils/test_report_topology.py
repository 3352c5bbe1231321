# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology has everything at its place, also what the reader returns in parts or not at all."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.plugins.plugin_utils.report_topology import (
    PRIVATE,
    PUBLIC,
    Subnet,
    Topology,
    placements,
    topology,
)
from ansible_collections.slipway.aws.tests.report_sites import ACCOUNT, REGION, Site

Json = dict[str, t.Any]


def of(site: Site) -> Topology:
    return topology(site.resources(), REGION, ACCOUNT)


def subnets(found: Topology) -> list[Subnet]:
    return [subnet for vpc in found.vpcs for zone in vpc.zones for subnet in zone.subnets]


def change(resources: list[Json], kind: str, **members: t.Any) -> list[Json]:
    """The resources, with other details of one kind."""
    return [one | {"details": one["details"] | members} if one["kind"] == kind else one for one in resources]


def test_subnets_are_public_or_private_by_their_routes() -> None:
    found = {subnet.name: (subnet.reach, subnet.egress) for subnet in subnets(of(Site()))}
    assert found == {
        "shop-public-a": (PUBLIC, "internet gateway"),
        "shop-public-b": (PUBLIC, "internet gateway"),
        "shop-private-a": (PRIVATE, "NAT gateway shop"),
        "shop-private-b": (PRIVATE, "NAT gateway shop"),
    }


def test_tasks_are_counted_in_their_subnets() -> None:
    found = of(Site(tasks=3, troubled=frozenset({"web"})))
    work = {(s.name, one.service): dict(one.states) for s in subnets(found) for one in s.workloads}
    assert work == {
        ("shop-private-a", "web"): {"ok": 1, "waiting": 1},
        ("shop-private-b", "web"): {"ok": 1},
        ("shop-private-a", "worker"): {"ok": 2},
        ("shop-private-b", "worker"): {"ok": 1},
    }


def test_gateways_and_hosts_are_in_their_subnets() -> None:
    (first, *others) = subnets(of(Site()))
    assert [(node.kind, node.name, node.note) for node in first.nodes] == [
        ("NAT gateway", "shop", "203.0.113.7"),
        ("Docker host", "docker-EC2", "t3.small, 203.0.113.9"),
    ]
    assert [subnet.nodes for subnet in others] == [(), (), ()]


def test_rules_name_the_service_that_they_reach() -> None:
    (balancer,) = of(Site(services=3)).vpcs[0].balancers
    assert [(rule.listener, rule.condition, rule.target, rule.service) for rule in balancer.rules] == [
        ("HTTP 80", "otherwise", "web", "shop/web"),
        ("HTTP 80", "/catalogue-api/*", "catalogue-api", "shop/catalogue-api"),
    ]


def test_other_actions_and_conditions_are_named() -> None:
    listener = {
        "Port": 443,
        "Protocol": "HTTPS",
        "Rules": [
            {
                "Conditions": [
                    {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example", "b.example"]}},
                    {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
                ],
                "Actions": [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443"}}],
            },
            {"IsDefault": True, "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]},
        ],
    }
    found = topology(change(Site().resources(), "load balancer", Listeners=[listener]), REGION, ACCOUNT)
    rules = found.vpcs[0].balancers[0].rules
    assert [(rule.condition, rule.target) for rule in rules] == [
        ("a.example or b.example and http-request-method GET", "redirect to HTTPS 443"),
        ("otherwise", "answer 404"),
    ]


def test_an_existing_vpc_is_known_by_what_is_in_it() -> None:
    (vpc,) = of(Site(owned_network=False)).vpcs
    assert (vpc.id, vpc.owned, vpc.cidr, vpc.gateway) == ("vpc-1", False, "", "")
    places = {subnet.id: (zone.name, subnet.reach) for zone in vpc.zones for subnet in zone.subnets}
    assert places == {
        # An internet-facing load balancer is in them.
        "subnet-public0": ("ap-northeast-2a", PUBLIC),
        "subnet-public1": ("ap-northeast-2b", PUBLIC),
        "subnet-private0": ("ap-northeast-2a", ""),
        "subnet-private1": ("ap-northeast-2b", ""),
    }


def test_only_zones_with_targets_get_traffic() -> None:
    zones = of(Site(tasks=1)).vpcs[0].zones
    assert [(zone.name, zone.targets) for zone in zones] == [("ap-northeast-2a", True), ("ap-northeast-2b", False)]
    assert not any(zone.targets for zone in of(Site(balanced=False)).vpcs[0].zones)


def test_services_of_one_name_in_two_clusters_are_two() -> None:
    found = of(Site(names=("web", "web"), clusters=("blue", "green")))
    assert [one.key for one in placements(found.vpcs[0])] == ["blue/web", "green/web"]


def test_a_service_without_tasks_is_not_lost() -> None:
    stopped = of(Site(tasks=0))
    assert [(one.service, one.note) for one in stopped.idle] == [
        ("web", "0 of 0 running"),
        ("worker", "0 of 0 running"),
    ]
    resources = Site().resources()
    for one in resources:
        one["details"].pop("tasks", None)
    assert [one.note for one in topology(resources, REGION, ACCOUNT).idle] == ["2 of 2 running"] * 2


def without_interfaces(resources: list[Json]) -> list[Json]:
    for task in (task for one in resources for task in one["details"].get("tasks", ())):
        task["attachments"] = []
    return resources


def places_of(resources: list[Json]) -> dict[str, int]:
    return {subnet.name: len(subnet.workloads) for subnet in subnets(topology(resources, REGION, ACCOUNT))}


def test_tasks_that_use_the_network_of_their_host_are_in_its_subnet() -> None:
    resources = change(without_interfaces(Site(hosts=2).resources()), "service", networkConfiguration={})
    found = places_of(resources)
    assert found["shop-private-a"] == found["shop-private-b"] == 2


def test_tasks_without_an_interface_are_in_the_only_subnet_that_they_may_be_in() -> None:
    """Never in that of the Docker host, which is in the same zone."""
    found = places_of(without_interfaces(Site().resources()))
    assert found == {"shop-public-a": 0, "shop-private-a": 2, "shop-public-b": 0, "shop-private-b": 2}


def test_tasks_whose_subnet_is_not_known_are_in_none() -> None:
    resources = change(without_interfaces(Site().resources()), "subnet", AvailabilityZone="ap-northeast-2a")
    assert [one.note for one in topology(resources, REGION, ACCOUNT).idle] == ["2 of 2 running"] * 2


def test_a_load_balancer_is_in_the_vpc_of_its_subnets() -> None:
    found = topology(change(Site().resources(), "load balancer", VpcId="vpc-other"), REGION, ACCOUNT)
    assert [[one.name for one in vpc.balancers] for vpc in found.vpcs] == [["shop"]]


def test_a_load_balancer_is_not_lost_where_nothing_says_in_which_vpc_it_is() -> None:
    resources = [one for one in Site().resources() if one["kind"] == "load balancer"]
    found = topology(change(resources, "load balancer", VpcId="", AvailabilityZones=[]), REGION, ACCOUNT)
    assert [(vpc.name, [one.name for one in vpc.balancers]) for vpc in found.vpcs] == [("unknown", ["shop"])]


def test_a_project_without_resources_has_an_empty_topology() -> None:
    found = topology([], REGION, ACCOUNT)
    assert (found.vpcs, found.idle, found.cards) == ((), (), ())


def test_unknown_kinds_and_empty_details_do_no_harm() -> None:
    strange = {"kind": "submarine", "tag": "", "role": "", "id": "s-1", "name": "s", "tags": {}, "details": {"Vpc": 1}}
    assert topology([strange, *Site().resources()], REGION, ACCOUNT) == of(Site())
