# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ecs_network refuses, creates, replaces and deletes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_network
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_network import choose_subnets, deletions, layout

Json = dict[str, Any]
ROLES = Path(__file__).resolve().parents[4] / "roles"
DEFAULTS: Json = yaml.safe_load((ROLES / "ecs_network/defaults/main.yml").read_text()) | {
    "ecs_network_project": "ecs",
    "ecs_network_tags": {},
    "ecs_network_hosting": "fargate",
    "ecs_network_docker_host_connection": "ssh",
    "ecs_network_load_balancer_test_port": 0,
    "ecs_network_docker_host_ports": [22],
    "ecs_network_docker_host_cidrs": ["192.0.2.1/32"],
    "ecs_network_flow_logs_group": "/ecs/ecs/flow-logs",
    "ecs_network_flow_logs_role": "ecs-flow-logs",
    "ecs_network_flow_logs_kms_key": "",
}
EXISTING: Json = {
    "ecs_network_vpc_id": "vpc-9",
    "ecs_network_public_subnet_tags": {"Tier": "public"},
    "ecs_network_private_subnet_tags": {"Tier": "private"},
}
ZONES = [{"zone_name": f"eu-west-1{one}", "region_name": "eu-west-1"} for one in "cab"]
ENDPOINTS: Json = {"ecs_network_nat": "none", "ecs_network_endpoints": ["ecr.api", "ecr.dkr", "s3"]}


def variables(**changed: Any) -> Json:
    return DEFAULTS | {f"ecs_network_{name.removeprefix('ecs_network_')}": value for name, value in changed.items()}


def subnet(name: str, cidr: str, zone: str, **tags: str) -> Json:
    return {"subnet_id": name, "cidr_block": cidr, "availability_zone": zone, "tags": tags}


def read(changed: Json, **found: Any) -> Json:
    known = {"vpcs": [], "subnets": [], "zones": ZONES, **found}
    return layout(variables(**changed), found=known)


# Variables that are refused


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"project": "9 lives"}, "project: expected a letter and up to 19 letters, digits or hyphens, got '9 lives'."),
        ({"task_ports": [80, "http"]}, "task_ports[1]: expected a port from 1 to 65535 or a range"),
        ({"task_ports": [70000]}, "task_ports[0]: expected a port from 1 to 65535"),
        ({"task_peer_ports": ["9000-8000"]}, "task_peer_ports[0]: expected a port from 1 to 65535 or a range"),
        ({"load_balancer_ports": [0]}, "load_balancer_ports[0]: expected a port from 1 to 65535"),
        (
            {"load_balancer_test_cidrs": ["192.0.2.0/24", "0.0.0.0/0"]},
            "load_balancer_test_cidrs[1]: expected a prefix from /8 to /32, got 0.0.0.0/0.",
        ),
        (
            {"docker_host_cidrs": ["0.0.0.0/0"]},
            "docker_host_cidrs[0]: expected a prefix from /8 to /32, got 0.0.0.0/0.",
        ),
        ({"docker_host_cidrs": ["ten"]}, "docker_host_cidrs[0]: expected an IPv4 range such as 10.0.0.0/16, got ten."),
        ({"cidr": "10.0.0.0/8"}, "cidr: expected a prefix from /16 to /23, got 10.0.0.0/8."),
        ({"cidr": "10.0.0.0/24"}, "cidr: expected a prefix from /16 to /23, got 10.0.0.0/24."),
        ({"cidr": "10.0.0.7/16"}, "cidr: expected the first address of the range, as in 10.0.0.0/16, got 10.0.0.7/16."),
        ({"cidr": "fd00::/56"}, "cidr: expected an IPv4 range"),
        ({"zones": ["a"]}, "zones: expected two to eight different zones, which a load balancer needs, got a."),
        ({"zones": ["a", "a"]}, "zones: expected two to eight different zones"),
        (
            {"public_cidrs": ["10.0.0.0/24"]},
            "public_cidrs: expected one range for each of the 2 zones, got 10.0.0.0/24.",
        ),
        (
            {"public_cidrs": ["10.0.0.0/24", "10.9.0.0/24"]},
            "public_cidrs[1]: expected a range inside 10.0.0.0/16, which is ecs_network_cidr, got 10.9.0.0/24.",
        ),
        (
            {"public_cidrs": ["10.0.0.0/24", "10.0.128.0/24"]},
            "private_cidrs[0]: expected a range that does not overlap 10.0.128.0/24 of ecs_network_public_cidrs[1],",
        ),
        ({"public_cidrs": ["10.0.0.0/24", "10.0.1.0/28"]}, "public_cidrs[1]: expected a prefix from /16 to /27, got"),
        (
            {"private_cidrs": ["10.0.128.0/29", "10.0.129.0/24"]},
            "private_cidrs[0]: expected a prefix from /16 to /28, got",
        ),
        ({"endpoints": ["s3", "s3"]}, "endpoints: expected each service once, got s3, s3."),
        (
            {"nat": "none", "endpoints": ["s3"]},
            "endpoints: expected at least ecr.api, ecr.dkr, s3 if ecs_network_nat is none, got s3.",
        ),
        (
            {**ENDPOINTS, "hosting": "ec2"},
            "endpoints: expected at least ecr.api, ecr.dkr, s3, ecs, ecs-agent, ecs-telemetry if",
        ),
        ({"private_subnet_ids": ["subnet-1"]}, "private_subnet_ids: expected nothing without ecs_network_vpc_id or"),
        (
            {**EXISTING, "vpc_tags": {"a": "b"}},
            "vpc_id: expected nothing together with ecs_network_vpc_tags, got vpc-9.",
        ),
        ({"vpc_id": "vpc-1"}, "private_subnet_ids: expected the private subnets of the existing VPC, got none."),
        (
            {**EXISTING, "zones": ["a", "b"]},
            "zones: expected an empty list, because the role only creates security groups in an",
        ),
        (
            {**EXISTING, "security_group_ids": {"tasks": "web"}},
            "security_group_ids.tasks: expected the ID of a security group, such as sg-0123456789abcdef0, got 'web'.",
        ),
        (
            {**EXISTING, "security_group_ids": {"task": "sg-00000000"}},
            "security_group_ids: expected groups for load_balancer, tasks, docker_host, got task.",
        ),
        (
            {"security_group_ids": {"tasks": "sg-00000000"}},
            "security_group_ids: expected nothing without ecs_network_vpc_id or ecs_network_vpc_tags, got sg-00000000.",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(changed: Json, problem: str) -> None:
    problems = layout(variables(**changed))["problems"]
    assert [one.startswith(f"ecs_network_{problem}") for one in problems] == [True]


@pytest.mark.parametrize("changed", [{}, ENDPOINTS, EXISTING, {"nat": "none", "hosting": "ec2"}])
def test_what_the_defaults_derive_has_no_problems(changed: Json) -> None:
    assert layout(variables(**changed))["problems"] == []


# What does not fit what exists

MOVED = [subnet("subnet-2", "10.0.32.0/20", "eu-west-1c"), subnet("subnet-1", "10.0.0.0/20", "eu-west-1b")]
VPC = {"vpc_id": "vpc-1", "cidr_block": "10.0.0.0/16"}
OWN = {"slipway:project": "ecs"}
NAMED = {
    "vpc_id": "vpc-1",
    "public_subnet_ids": ["subnet-1"],
    "private_subnet_ids": ["subnet-1", "subnet-0"],
    "security_group_ids": {"tasks": "sg-00000000"},
}


@pytest.mark.parametrize(
    ("changed", "found", "problems"),
    [
        ({"zones": ["mars-1a", "eu-west-1a"]}, {}, ["zones: expected zones of this region (eu-west-1a, eu-west-1b,"]),
        ({}, {"zones": ZONES[:1]}, ["zones: expected at least two zones, got only eu-west-1c."]),
        (
            {"cidr": "10.1.0.0/16"},
            {"vpcs": [VPC]},
            ["cidr: expected 10.0.0.0/16, the range of vpc-1 of project ecs, got"],
        ),
        ({}, {"vpcs": [VPC, VPC]}, ["project: expected one VPC with the tag slipway:project=ecs, got vpc-1, vpc-1."]),
        (
            {},
            {"vpcs": [VPC], "subnets": MOVED},
            [
                "zones: expected eu-west-1b for 10.0.0.0/20 of subnet-1, got eu-west-1a. AWS cannot move a subnet",
                "public_cidrs and ecs_network_private_cidrs: expected 10.0.32.0/20 of subnet-2 in one of them, got"
                " neither",
            ],
        ),
        (
            {"endpoints": ["ecr"]},
            {},
            ["endpoints: expected services that AWS offers in eu-west-1a and eu-west-1b, got com.amazonaws.eu-"],
        ),
        (EXISTING, {}, ["vpc_id: expected one VPC in this region, got none for vpc-9."]),
        (
            EXISTING,
            {"vpcs": [VPC], "own_vpcs": [VPC]},
            ["vpc_id: expected no VPC of project ecs together with an existing one, got vpc-1 with the tag"],
        ),
        (
            EXISTING,
            {"vpcs": [VPC], "subnets": [subnet("subnet-1", "10.0.0.0/20", "a", Tier="private")]},
            [
                "public_subnet_tags: expected subnets in at least two zones, got no subnet.",
                "private_subnet_tags: expected subnets in at least two zones, got subnet-1.",
            ],
        ),
        (
            NAMED,
            {"vpcs": [VPC], "subnets": [subnet("subnet-1", "10.0.0.0/20", "a")], "given_groups": []},
            [
                "public_subnet_ids: expected subnets in at least two zones, got subnet-1.",
                "private_subnet_ids: expected subnets of the existing VPC, got subnet-0.",
                "public_subnet_ids and ecs_network_private_subnet_ids, or their tags: expected each subnet in only",
                "security_group_ids.tasks: expected a security group of the existing VPC, got sg-00000000.",
            ],
        ),
        (
            NAMED,
            {"vpcs": [VPC], "subnets": [], "given_groups": [{"group_id": "sg-00000000", "tags": OWN}]},
            [
                "public_subnet_ids: expected subnets of the existing VPC, got subnet-1.",
                "private_subnet_ids: expected subnets of the existing VPC, got subnet-1, subnet-0.",
                "security_group_ids.tasks: expected a security group outside the project, got sg-00000000 with the"
                " tag slipway:",
            ],
        ),
    ],
)
def test_what_does_not_fit_what_exists_is_refused(changed: Json, found: Json, problems: list[str]) -> None:
    known = read(changed, **found)["problems"]
    starts = [f"ecs_network_{problem}" for problem in problems]
    assert [one[: len(start)] for one, start in zip(known, starts, strict=True)] == starts


def test_security_groups_of_others_are_not_taken_over() -> None:
    there = [
        subnet(f"subnet-{tier}{zone}", "10.0.0.0/20", zone, Tier=tier)
        for tier in ("public", "private")
        for zone in "ab"
    ]
    groups = [{"group_name": "ECS-sg", "group_id": "sg-1", "tags": {}}]
    (problem,) = read(EXISTING, vpcs=[VPC], subnets=there, groups=groups)["problems"]
    assert problem.startswith("ecs_network_docker_host_group or ecs_network_project: expected names other than ECS-sg")


def test_descriptions_of_security_groups_stay_as_they_are() -> None:
    """AWS cannot change them: with another text, the groups of existing networks would differ in every run."""
    assert {one["key"]: one["description"] for one in read({})["security_groups"]} == {
        "load_balancer": "Load balancer, open to everyone",
        "tasks": "Containers, open to the load balancer",
        "docker_host": "Docker host, open to those who build on it",
    }


# What is created


def test_subnets_are_sixteenths_in_the_first_two_zones() -> None:
    subnets = read({})["subnets"]
    assert [(one["name"], one["cidr"]) for one in [*subnets["public"], *subnets["private"]]] == [
        ("ecs-subnet-public1-eu-west-1a", "10.0.0.0/20"),
        ("ecs-subnet-public2-eu-west-1b", "10.0.16.0/20"),
        ("ecs-subnet-private1-eu-west-1a", "10.0.128.0/20"),
        ("ecs-subnet-private2-eu-west-1b", "10.0.144.0/20"),
    ]


@pytest.mark.parametrize(
    ("nat", "names"),
    [("none", []), ("single", ["ecs-nat-eu-west-1a"]), ("per_zone", ["ecs-nat-eu-west-1a", "ecs-nat-eu-west-1b"])],
)
def test_nat_gateways_are_created_and_deleted_as_chosen(nat: str, names: list[str]) -> None:
    there = [{"nat_gateway_id": "nat-1", "tags": {"Name": "ecs-nat-eu-west-1b"}}]
    known = read({"nat": nat}, nat_gateways=there)
    assert known["nat_gateways"] == names
    assert known["nat_gateways_to_create"] == [name for name in names if not name.endswith("b")]
    assert known["nat_gateways_obsolete"] == ([] if nat == "per_zone" else ["ecs-nat-eu-west-1b"])


def test_the_load_balancer_reaches_the_ports_that_services_declare() -> None:
    mappings = [{"containerPort": 8000}]
    definition = {"family": "shop", "containerDefinitions": [{"name": "shop", "portMappings": mappings}]}
    service = {"name": "shop", "load_balancers": [{"targetGroupArn": "shop"}], "task_definition": definition}
    for hosting, ports in (("fargate", [8000]), ("ec2", [8000, "32768-65535"])):
        known = layout(variables(hosting=hosting), services=[service], target_groups=[{"name": "shop"}])["variables"]
        assert (known["task_ports"], known["task_peer_ports"]) == (ports, [])


def test_ports_that_are_listed_replace_those_of_services() -> None:
    known = layout(variables(task_ports=[], task_peer_ports=[5432]), target_groups=[{"name": "web", "port": 8080}])
    assert (known["variables"]["task_ports"], known["variables"]["task_peer_ports"]) == ([], [5432])


def test_security_groups_open_only_what_the_next_needs() -> None:
    groups = {one["key"]: one for one in read({"task_ports": [8080], "task_peer_ports": [5432]})["security_groups"]}
    assert groups["load_balancer"]["rules"] == [{"proto": "tcp", "ports": [80, 443], "cidr_ip": "0.0.0.0/0"}]
    assert groups["load_balancer"]["rules_egress"] == [{"proto": "tcp", "ports": [8080], "cidr_ip": ["10.0.0.0/16"]}]
    assert groups["tasks"]["rules"] == [
        {"proto": "tcp", "ports": [8080], "group_name": "ecs-load-balancer"},
        {"proto": "tcp", "ports": [5432], "group_name": "ecs-tasks"},
    ]
    assert groups["docker_host"]["rules"] == [{"proto": "tcp", "ports": [22], "cidr_ip": ["192.0.2.1/32"]}]
    assert "endpoints" not in groups


def test_without_ports_of_a_docker_host_nothing_is_open_for_one() -> None:
    network = read({"docker_host_ports": []})
    assert network["opens_docker_host"] is False
    assert next(one for one in network["security_groups"] if one["key"] == "docker_host")["rules"] == []
    assert read({})["opens_docker_host"] is True


def test_a_route_that_nobody_described_is_purged() -> None:
    routes = [
        {"destination_cidr_block": "10.0.0.0/16", "origin": "CreateRouteTable"},
        {"destination_cidr_block": "0.0.0.0/0", "origin": "CreateRoute"},
        {"destination_prefix_list_id": "pl-1", "origin": "CreateRoute"},
    ]
    table = {"route_table_id": "rtb-1", "tags": {"Name": "ecs-rtb-private1-eu-west-1a"}, "routes": routes}
    found = [read({"nat": nat}, route_tables=[table])["route_tables"]["private"] for nat in ("single", "none")]
    assert [(one[0]["id"], one[0]["purge"], one[1]["id"]) for one in found] == [
        ("rtb-1", False, ""),
        ("rtb-1", True, ""),
    ]


SUBNETS = [
    subnet("subnet-3", "10.0.2.0/24", "b", tier="app", team="shop", public="true"),
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
        ([], {"public": True}, ["subnet-3"]),
        ([], {"tier": "web"}, []),
        ([], {}, []),
    ],
)
def test_subnets_are_chosen_by_id_or_by_tags(ids: list[str], tags: Json, chosen: list[str]) -> None:
    assert [one["subnet_id"] for one in choose_subnets(SUBNETS, ids, tags)] == chosen


# VPC endpoints


def test_without_nat_containers_reach_what_they_need() -> None:
    assert ecs_network.default_endpoints("single", "ec2", "session_manager") == []
    needed = ecs_network.default_endpoints("none", "fargate", "ssh")
    # The security controls EC2.55 to EC2.57 ask for these.
    assert {"ecr.api", "ecr.dkr", "s3", "ssm"} <= set(needed)
    assert ecs_network.default_endpoints("none", "ec2", "ssh") == [*needed, "ecs", "ecs-agent", "ecs-telemetry"]


def test_an_endpoint_of_the_variable_is_an_interface_in_the_private_subnets() -> None:
    """Beside NAT, as the security control EC2.10 asks for that of EC2."""
    assert read({})["endpoints"]["Interface"]["services"] == []
    assert read({"endpoints": ["ec2"]})["endpoints"]["Interface"]["services"] == ["com.amazonaws.eu-west-1.ec2"]


def test_sessions_with_the_docker_host_pass_an_endpoint_where_there_is_no_nat() -> None:
    added = set(
        read({"nat": "none", "docker_host_connection": "session_manager"})["endpoints"]["Interface"]["services"]
    )
    assert added - set(read({"nat": "none"})["endpoints"]["Interface"]["services"]) == {
        "com.amazonaws.eu-west-1.ssmmessages"
    }


def endpoint(name: str, project: str = "ecs", state: str = "available", **places: list[str]) -> Json:
    tags = [{"key": "Name", "value": name}, {"key": "slipway:project", "value": project}]
    service = f"com.amazonaws.eu-west-1.{name}"
    return {"vpc_endpoint_id": f"vpce-{name}", "service_name": service, "state": state, "tags": tags, **places}


PRIVATE = [subnet("a", "10.0.128.0/20", "eu-west-1a"), subnet("b", "10.0.144.0/20", "eu-west-1b")]
TABLES = [
    {"route_table_id": f"rtb-{number}", "tags": {"Name": f"ecs-rtb-private{number}-eu-west-1{zone}"}}
    for number, zone in ((1, "a"), (2, "b"))
]


@pytest.mark.parametrize(
    ("there", "replaced", "obsolete"),
    [
        (endpoint("ecr.api", subnet_ids=["b", "a"], route_table_ids=[]), [], []),
        (endpoint("s3", route_table_ids=["rtb-1", "rtb-2"]), [], []),
        (endpoint("s3", route_table_ids=["rtb-1"]), ["vpce-s3"], []),
        (endpoint("ecr.api", subnet_ids=["a"]), ["vpce-ecr.api"], []),
        (endpoint("ecr.api", subnet_ids=["a", "b"], state="Deleting"), ["vpce-ecr.api"], []),
        (endpoint("ssm", subnet_ids=["a", "b"]), [], ["vpce-ssm"]),
        (endpoint("ssm", subnet_ids=["a", "b"], state="deleted"), [], []),
        (endpoint("ssm", project="other", subnet_ids=["a"]), [], []),
        ({**endpoint("ssm"), "tags": None}, [], []),
    ],
)
def test_endpoints_elsewhere_are_replaced_and_others_deleted(
    there: Json, replaced: list[str], obsolete: list[str]
) -> None:
    known = read(ENDPOINTS, vpcs=[VPC], subnets=PRIVATE, route_tables=TABLES, endpoints=[there])["endpoints"]
    moved = [*known["Interface"]["replaced"], *known["Gateway"]["replaced"]]
    assert ([one["id"] for one in moved], [one["id"] for one in known["obsolete"]]) == (replaced, obsolete)


def test_an_endpoint_is_replaced_when_a_zone_is_added() -> None:
    there = endpoint("ecr.api", subnet_ids=["a"])
    known = read(ENDPOINTS, vpcs=[VPC], subnets=PRIVATE[:1], endpoints=[there])["endpoints"]
    assert [one["id"] for one in known["Interface"]["replaced"]] == ["vpce-ecr.api"]


def test_endpoints_of_hosts_are_distinguished() -> None:
    there = [endpoint("ecs", subnet_ids=["a", "b"]), endpoint("ssm", subnet_ids=["a", "b"])]
    known = read(ENDPOINTS, vpcs=[VPC], subnets=PRIVATE, endpoints=there)["endpoints"]
    assert known["of_hosts"] == ["com.amazonaws.eu-west-1.ecs"]


# Deleting


def test_security_groups_are_deleted_after_those_that_refer_to_them() -> None:
    groups = [
        {"group_name": name, "group_id": name} for name in ("ecs-load-balancer", "ecs-tasks", "ECS-sg", "ecs-endpoints")
    ]
    ordered = deletions("ecs", {"groups": groups})["security_groups"]
    assert [one["group_name"] for one in ordered] == ["ecs-endpoints", "ECS-sg", "ecs-tasks", "ecs-load-balancer"]


def test_route_tables_of_others_are_kept() -> None:
    tables = [
        {"route_table_id": "ours", "tags": {"slipway:project": "ecs"}, "associations": [{}]},
        {"route_table_id": "interrupted", "tags": {}, "associations": []},
        {"route_table_id": "main", "tags": {}, "associations": [{}]},
        {"route_table_id": "theirs", "tags": {"slipway:project": "other"}, "associations": []},
    ]
    deleted = deletions("ecs", {"route_tables": tables})["route_tables"]
    assert [one["route_table_id"] for one in deleted] == ["ours", "interrupted"]


@pytest.mark.parametrize(
    ("port", "cidrs", "opened"),
    [(0, ["192.0.2.0/24"], []), (9000, [], []), (9000, ["192.0.2.0/24"], [([9000], ["192.0.2.0/24"])])],
)
def test_the_test_listener_is_open_to_those_who_test(port: int, cidrs: list[str], opened: list[Any]) -> None:
    network = read({"load_balancer_test_port": port, "load_balancer_test_cidrs": cidrs})
    everybody, *testers = network["security_groups"][0]["rules"]
    assert (everybody["ports"], everybody["cidr_ip"]) == ([80, 443], "0.0.0.0/0")
    assert [(rule["ports"], rule["cidr_ip"]) for rule in testers] == opened
