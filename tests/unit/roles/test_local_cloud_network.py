# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of the local cloud: what AWS would let pass, as decisions, and as packets between network namespaces."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]
HOST, PORT = "10.234.0.1", 4566


@pytest.fixture(scope="module")
def rules() -> Iterator[t.Any]:
    """The module as the local cloud imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FILES))
        import network_rules  # type: ignore[import-not-found]

        yield network_rules
    sys.modules.pop("network_rules", None)


@pytest.fixture(scope="module")
def startup(rules: t.Any) -> Iterator[t.Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FILES))
        import network_startup  # type: ignore[import-not-found]

        yield network_startup
    sys.modules.pop("network_startup", None)


def tcp(port: int, cidr: str = "", group: str = "", last: int = 0) -> Json:
    sources = {"IpRanges": [{"CidrIp": cidr}]} if cidr else {"UserIdGroupPairs": [{"GroupId": group}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": last or port, **sources}


def group(*ingress: Json, egress: list[Json] | None = None) -> Json:
    everything = [{"IpProtocol": "-1", "IpRanges": ANYWHERE}]
    return {"IpPermissions": list(ingress), "IpPermissionsEgress": everything if egress is None else egress}


def table(name: str, *subnets: str, **target: str) -> Json:
    default = [{"DestinationCidrBlock": "0.0.0.0/0", **target}] if target else []
    return {
        "RouteTableId": name,
        "VpcId": "vpc-1",
        "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}, *default],
        "Associations": [{"SubnetId": subnet} for subnet in subnets],
    }


SUBNETS = {
    "public": {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/20"},
    "private": {"VpcId": "vpc-1", "CidrBlock": "10.0.128.0/20"},
    "isolated": {"VpcId": "vpc-1", "CidrBlock": "10.0.144.0/20"},
    "elsewhere": {"VpcId": "vpc-2", "CidrBlock": "10.0.128.0/20"},
}
GROUPS = {
    "balancer": group(tcp(80, cidr="0.0.0.0/0")),
    "tasks": group(tcp(8080, group="balancer"), tcp(7000, group="tasks"), tcp(9000, cidr="10.0.0.0/20")),
    "open": group(tcp(22, cidr="0.0.0.0/0"), tcp(2022, cidr="203.0.113.0/24")),
    "closed": group(egress=[]),
    "endpoints": group(tcp(443, group="tasks")),
}


@pytest.fixture
def network(rules: t.Any) -> t.Any:
    """One VPC: a load balancer in front of a task in a private subnet, and an instance in a public one."""
    party = rules.Party
    return rules.Network(
        groups=GROUPS,
        subnets=SUBNETS,
        route_tables=[
            table("rtb-public", "public", GatewayId="igw-1"),
            table("rtb-private", "private", NatGatewayId="nat-1"),
            table("rtb-isolated", "isolated"),
        ],
        internet_gateways={"igw-1": {"Attachments": [{"VpcId": "vpc-1"}]}},
        nat_gateways={"nat-1": {"State": "available", "SubnetId": "public"}},
        parties=[
            party("web", ("private",), frozenset({"tasks"}), ("10.234.0.2",), balancers=("alb",)),
            party("peer", ("private",), frozenset({"tasks"}), ("10.234.0.3",)),
            party("host", ("public",), frozenset({"open"}), ("10.234.0.4",), public=True),
            party("stranger", ("elsewhere",), frozenset({"tasks"}), ("10.234.0.5",)),
        ],
        balancers={"alb": party("alb", ("public",), frozenset({"balancer"}), public=True)},
        host=HOST,
        port=PORT,
    )


def change(network: t.Any, name: str, **members: t.Any) -> t.Any:
    """The network with other members of one party."""
    parties = [dataclasses.replace(one, **members) if one.name == name else one for one in network.parties]
    return dataclasses.replace(network, parties=parties)


def party(network: t.Any, name: str) -> t.Any:
    return next(one for one in network.parties if one.name == name)


# Decisions


@pytest.mark.parametrize(
    ("subnet", "public", "leads"),
    [
        ("private", False, True),
        ("public", True, True),
        ("public", False, False),
        ("isolated", False, False),
        ("isolated", True, False),
    ],
    ids=["NAT", "public address", "no public address", "no route", "no route, public address"],
)
def test_way_out_of_a_subnet(rules: t.Any, network: t.Any, subnet: str, public: bool, leads: bool) -> None:
    network = change(network, "web", subnets=(subnet,), public=public)
    assert rules.leads_outside(network, party(network, "web")) is leads


@pytest.mark.parametrize(
    "gateway",
    [
        {"State": "deleted", "SubnetId": "public"},
        {"State": "available", "SubnetId": "private"},
        {"State": "available", "SubnetId": "public", "ConnectivityType": "private"},
    ],
    ids=["deleted", "in a private subnet", "private"],
)
def test_nat_gateway_that_leads_nowhere(rules: t.Any, network: t.Any, gateway: Json) -> None:
    network = dataclasses.replace(network, nat_gateways={"nat-1": gateway})
    assert not rules.leads_outside(network, party(network, "web"))


def test_detached_internet_gateway_is_no_way_out(rules: t.Any, network: t.Any) -> None:
    network = dataclasses.replace(network, internet_gateways={"igw-1": {"Attachments": []}})
    assert not rules.leads_outside(network, party(network, "host"))
    assert not rules.leads_outside(network, party(network, "web"))


def test_subnet_without_a_table_of_its_own_has_the_main_one(rules: t.Any, network: t.Any) -> None:
    main = {**table("rtb-main", GatewayId="igw-1"), "Associations": [{"Main": True}]}
    network = dataclasses.replace(network, route_tables=[main])
    assert rules.has_internet_gateway(network, "private")


def endpoint(service: str, **members: t.Any) -> Json:
    common = {"VpcId": "vpc-1", "State": "available", "ServiceName": f"com.amazonaws.eu-central-1.{service}"}
    interface = {"VpcEndpointType": "Interface", "SubnetIds": ["isolated"], "Groups": ["endpoints"]}
    return common | interface | members


GATEWAY = endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=["rtb-isolated"])
ENDPOINTS = [*(endpoint(service) for service in ("ecr.api", "ecr.dkr", "logs", "ssm", "secretsmanager")), GATEWAY]
DEFINITION: Json = {
    "containerDefinitions": [
        {
            "image": "localhost:4566/web:1",
            "secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-central-1:1:secret:a-AbCdEf:key::"}],
            "logConfiguration": {"logDriver": "awslogs"},
        },
        {"image": "localhost:4566/proxy@sha256:0", "secrets": [{"name": "B", "valueFrom": "/web/b"}]},
    ]
}


def failure(startup: t.Any, network: t.Any, name: str = "web", definition: Json | None = None) -> str:
    own = DEFINITION if definition is None else definition
    return str(startup.start_failure(network, party(network, name), own, "eu-central-1", "localhost:4566"))


@pytest.mark.parametrize("way", ["NAT gateway", "endpoints"])
def test_task_starts_that_reaches_everything(startup: t.Any, network: t.Any, way: str) -> None:
    if way == "endpoints":
        network = dataclasses.replace(change(network, "web", subnets=("isolated",)), endpoints=ENDPOINTS)
    assert failure(startup, network) == ""


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (
            "ecr.api",
            "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth"
            " from Amazon ECR: There is a connection issue between the task and Amazon ECR.",
        ),
        (
            "secretsmanager",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:"
            " unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret"
            " arn:aws:secretsmanager:eu-central-1:1:secret:a-AbCdEf from secrets manager: RequestCanceled:",
        ),
        (
            "ssm",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:"
            " unable to retrieve secrets from ssm: service call has been retried 5 time(s): RequestCanceled:",
        ),
        (
            "ecr.dkr",
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref"
            ' localhost:4566/web:1: failed to do request: Head "https://localhost:4566/v2/web/manifests/1": dial tcp',
        ),
        ("s3", "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker:"),
        (
            "logs",
            "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch"
            " log group defined in the task definition. There is a connection issue between the task and",
        ),
    ],
)
def test_task_without_an_endpoint_fails_in_the_words_of_aws(
    startup: t.Any, network: t.Any, missing: str, expected: str
) -> None:
    endpoints = [one for one in ENDPOINTS if not one["ServiceName"].endswith(f".{missing}")]
    network = dataclasses.replace(change(network, "web", subnets=("isolated",)), endpoints=endpoints)
    assert failure(startup, network).startswith(expected)


def test_image_from_elsewhere_needs_a_way_out(startup: t.Any, network: t.Any) -> None:
    definition = {"containerDefinitions": [{"image": "nginx"}]}
    assert failure(startup, network, definition=definition) == ""
    network = dataclasses.replace(change(network, "web", subnets=("isolated",)), endpoints=ENDPOINTS)
    assert "https://registry-1.docker.io/v2/library/nginx/manifests/latest" in failure(
        startup, network, definition=definition
    )


@pytest.mark.parametrize(
    ("groups", "reached"),
    [({"endpoints": group()}, False), ({"tasks": group(egress=[])}, False), ({}, True)],
    ids=["endpoint lets nothing in", "task lets nothing out", "both let it pass"],
)
def test_interface_endpoint_is_used_even_where_there_is_nat(
    rules: t.Any, network: t.Any, groups: Json, reached: bool
) -> None:
    network = dataclasses.replace(network, endpoints=ENDPOINTS, groups=GROUPS | groups)
    assert rules.reaches(network, party(network, "web"), "ecr.api") is reached


@pytest.mark.parametrize(
    ("port", "client", "admitted"),
    [(80, None, True), (443, None, False), (80, "peer", True), (80, "stranger", False)],
)
def test_listener_admits(rules: t.Any, network: t.Any, port: int, client: str | None, admitted: bool) -> None:
    source = party(network, client) if client else None
    assert rules.admits(network, network.balancers["alb"], port, source, HOST) is admitted


@pytest.mark.parametrize(
    "members", [{"subnets": ("private",)}, {"public": False}], ids=["in a private subnet", "internal"]
)
def test_load_balancer_without_public_addresses_is_closed_to_the_outside(
    rules: t.Any, network: t.Any, members: Json
) -> None:
    balancer = dataclasses.replace(network.balancers["alb"], **members)
    assert not rules.admits(network, balancer, 80, None, HOST)
    assert rules.admits(network, balancer, 80, party(network, "peer"), HOST)


# Packets

# Connects to all places of its first argument at once, and prints those that answer.
PROBE = """
import json, select, socket, sys, time
pending = {}
for address, port in json.loads(sys.argv[1]):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex((address, port))
    pending[client] = f"{address}:{port}"
found, end = [], time.monotonic() + 0.4
while pending and time.monotonic() < end:
    for client in select.select([], list(pending), [], end - time.monotonic())[1]:
        name = pending.pop(client)
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0: found.append(name)
print(json.dumps(sorted(found)))
"""
SERVER = """
import select, socket, sys
servers = [socket.create_server(("", int(port))) for port in sys.argv[1:]]
print("ready", flush=True)
while True:
    for server in select.select(servers, [], [])[0]: server.accept()[0].close()
"""
PORTS = (22, 2022, 443, 7000, 8080, 9000)


class Lab:
    """Network namespaces around a bridge: `hub` is the host, the others are containers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.servers: list[subprocess.Popen[str]] = []

    def ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def create(self) -> None:
        hub = f"{self.name}-hub"
        self.ip("netns", "add", hub)
        self.ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        self.ip("-n", hub, "address", "add", f"{HOST}/24", "dev", "bridge")
        # An address that is outside of the VPC and no container's.
        self.ip("-n", hub, "address", "add", "203.0.113.7/24", "dev", "bridge")
        self.ip("-n", hub, "link", "set", "bridge", "up")
        for number, name in enumerate(("web", "peer", "host", "stranger"), start=2):
            own, port = f"{self.name}-{name}", f"port{number}"
            self.ip("netns", "add", own)
            self.ip("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", own)
            self.ip("-n", hub, "link", "set", port, "master", "bridge", "up")
            self.ip("-n", own, "address", "add", f"10.234.0.{number}/24", "dev", "eth0")
            self.ip("-n", own, "link", "set", "eth0", "up")
            self.ip("-n", own, "link", "set", "lo", "up")
            self.ip("-n", own, "route", "add", "default", "via", HOST)
        for name in ("hub", "web", "peer", "host"):
            ports = [str(port) for port in (*PORTS, PORT)]
            server = subprocess.Popen(self.inside(name, SERVER, *ports), stdout=subprocess.PIPE, text=True)
            self.servers.append(server)
            assert server.stdout
            assert server.stdout.readline() == "ready\n"

    def delete(self) -> None:
        for server in self.servers:
            server.kill()
            server.wait()
        for name in ("web", "peer", "host", "stranger", "hub"):
            subprocess.run(["ip", "netns", "delete", f"{self.name}-{name}"], check=False, capture_output=True)

    def inside(self, name: str, program: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", f"{self.name}-{name}", sys.executable, "-S", "-E", "-c", program, *words]

    def apply(self, rules: t.Any, network: t.Any) -> None:
        for one in network.parties:
            command = ["ip", "netns", "exec", f"{self.name}-{one.name}", "nft", "-f", "-"]
            subprocess.run(command, input=rules.ruleset(network, one), check=True, text=True)

    def reached(self, source: str, target: str) -> set[int]:
        """The ports of an address to which another one can connect."""
        places = json.dumps([[target, port] for port in (*PORTS, PORT)])
        done = subprocess.run(self.inside(source, PROBE, places), check=True, capture_output=True, text=True)
        return {int(place.rpartition(":")[2]) for place in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    if os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("ip"):
        pytest.skip("network namespaces need root, ip and nft")
    lab = Lab(f"lab{os.getpid()}")
    try:
        lab.create()
        yield lab
    finally:
        lab.delete()


WEB, PEER, INSTANCE = "10.234.0.2", "10.234.0.3", "10.234.0.4"


def test_packets_pass_as_the_rules_say(lab: Lab, rules: t.Any, network: t.Any) -> None:
    lab.apply(rules, network)
    passed = {
        "load balancer to its task": lab.reached("hub", WEB),
        "load balancer to another task": lab.reached("hub", PEER),
        "task to task": lab.reached("peer", WEB),
        "instance to task, by its subnet": lab.reached("host", WEB),
        "task to instance": lab.reached("web", INSTANCE),
        "this machine to instance": lab.reached("hub", INSTANCE),
        "other VPC to task": lab.reached("stranger", WEB),
        "task to AWS": lab.reached("web", HOST),
        "task to itself": lab.reached("web", WEB),
        "task to the outside": lab.reached("web", "203.0.113.7"),
    }
    assert passed == {
        "load balancer to its task": {8080, 9000},
        "load balancer to another task": set(),
        "task to task": {7000},
        "instance to task, by its subnet": {9000},
        "task to instance": {22},
        "this machine to instance": {22},
        "other VPC to task": set(),
        "task to AWS": {*PORTS, PORT},
        "task to itself": {*PORTS, PORT},
        "task to the outside": {*PORTS, PORT},
    }


def test_closed_egress_lets_only_answers_out(lab: Lab, rules: t.Any, network: t.Any) -> None:
    closed = {**GROUPS, "tasks": {**GROUPS["tasks"], "IpPermissionsEgress": []}}
    lab.apply(rules, dataclasses.replace(network, groups=closed))
    assert lab.reached("hub", WEB) == {8080, 9000}
    assert lab.reached("web", PEER) == set()
    assert lab.reached("web", "203.0.113.7") == set()
    assert lab.reached("web", HOST) == {PORT}, "services of AWS are refused one by one, where requests arrive"


def test_subnet_without_a_route_reaches_its_vpc_alone(lab: Lab, rules: t.Any, network: t.Any) -> None:
    lab.apply(rules, change(network, "web", subnets=("isolated",)))
    assert lab.reached("web", "203.0.113.7") == set()
    assert lab.reached("web", PEER) == {7000}


def test_changed_rules_replace_those_before(lab: Lab, rules: t.Any, network: t.Any) -> None:
    lab.apply(rules, network)
    lab.apply(rules, dataclasses.replace(network, groups={**GROUPS, "tasks": group(tcp(443, group="balancer"))}))
    assert lab.reached("hub", WEB) == {443}


def test_load_balancer_whose_egress_is_closed_reaches_no_task(lab: Lab, rules: t.Any, network: t.Any) -> None:
    closed = group(tcp(80, cidr="0.0.0.0/0"), egress=[tcp(443, cidr="0.0.0.0/0")])
    lab.apply(rules, dataclasses.replace(network, groups={**GROUPS, "balancer": closed}))
    assert lab.reached("hub", WEB) == set()
