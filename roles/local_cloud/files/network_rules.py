# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets pass in the emulated network, as AWS decides it, and as nftables rules of each container. Pure.

Containers have addresses of Docker's bridge, and not of their subnets: a range covers a container when it covers the
container's subnet. The host has two parts. Its packets are those of the load balancers that forward to a container, and
those of this machine, which is outside the network. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address
from typing import Any

Json = dict[str, Any]

TABLE = "inet local_cloud"
INGRESS, EGRESS = "IpPermissions", "IpPermissionsEgress"
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp"}
EVERYTHING = "0.0.0.0/0"
HTTPS = 443
LAST_PORT = 65535


@dataclass(frozen=True)
class Party:
    """What has security groups: a task, an instance, a load balancer or an endpoint, in its subnets."""

    name: str
    subnets: tuple[str, ...]
    groups: frozenset[str]
    # Those of its container.
    addresses: tuple[str, ...] = ()
    # Whether it has a public address. A load balancer has one unless it is internal.
    public: bool = False
    # Load balancers that forward to it.
    balancers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network:
    """A snapshot of the emulated VPCs, in the emulator's own form, and of what runs in them."""

    groups: Mapping[str, Json] = field(default_factory=dict)
    subnets: Mapping[str, Json] = field(default_factory=dict)
    route_tables: Sequence[Json] = ()
    internet_gateways: Mapping[str, Json] = field(default_factory=dict)
    nat_gateways: Mapping[str, Json] = field(default_factory=dict)
    endpoints: Sequence[Json] = ()
    parties: Sequence[Party] = ()
    balancers: Mapping[str, Party] = field(default_factory=dict)
    # The host's side of the bridge, the port of the APIs and the registry there, and the servers of DNS.
    host: str = ""
    port: int = 0
    resolvers: tuple[str, ...] = ()

    def vpc(self, party: Party) -> str:
        return str((self.subnets.get(party.subnets[0]) or {}).get("VpcId", "")) if party.subnets else ""


@dataclass(frozen=True)
class Permission:
    """One rule of a security group."""

    protocol: str
    first: int
    last: int
    cidrs: tuple[IPv4Network, ...]
    groups: frozenset[str]

    def covers(self, port: int) -> bool:
        """Whether the rule allows TCP connections to a port."""
        return self.protocol == "-1" or (self.protocol == "tcp" and self.first <= port <= self.last)


def permissions(network: Network, groups: Iterable[str], direction: str) -> Iterator[Permission]:
    """All rules of some security groups in one direction."""
    for group in sorted(groups):
        for rule in (network.groups.get(group) or {}).get(direction) or ():
            first, last = int(rule.get("FromPort", 0)), int(rule.get("ToPort", LAST_PORT))
            protocol = str(rule.get("IpProtocol", "-1"))
            yield Permission(
                PROTOCOLS.get(protocol, protocol),
                *((0, LAST_PORT) if first < 0 else (first, last)),
                tuple(IPv4Network(item["CidrIp"], strict=False) for item in rule.get("IpRanges") or ()),
                frozenset(item.get("GroupId", "") for item in rule.get("UserIdGroupPairs") or ()),
            )


def allows(network: Network, permission: Permission, party: Party) -> bool:
    """Whether a rule names another party of the same VPC: by its security group, or by the range of its subnets."""
    if permission.groups & party.groups:
        return True
    ranges = [IPv4Network(network.subnets[subnet]["CidrBlock"]) for subnet in party.subnets]
    return any(
        all(cidr.supernet_of(subnet) for subnet in ranges)
        or (cidr.prefixlen == 32 and str(cidr.network_address) in party.addresses)
        for cidr in permission.cidrs
    )


def allows_outside(permission: Permission, address: str = "") -> bool:
    """Whether a rule names an address outside; without one, every address."""
    if address:
        return any(ip_address(address) in cidr for cidr in permission.cidrs)
    return any(str(cidr) == EVERYTHING for cidr in permission.cidrs)


# Routes


def table_of(network: Network, subnet: str) -> Json:
    """The route table of a subnet: its own, or the main one of its VPC."""
    vpc = (network.subnets.get(subnet) or {}).get("VpcId")
    main: Json = {}
    for table in network.route_tables:
        for association in table.get("Associations") or ():
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main") and table.get("VpcId") == vpc:
                main = table
    return main


def default_route(network: Network, subnet: str) -> Json:
    routes = table_of(network, subnet).get("Routes") or ()
    return next((route for route in routes if route.get("DestinationCidrBlock") == EVERYTHING), {})


def has_internet_gateway(network: Network, subnet: str) -> bool:
    """Whether the subnet is public: its default route is an internet gateway that is attached to its VPC."""
    gateway = network.internet_gateways.get(default_route(network, subnet).get("GatewayId", "")) or {}
    vpc = (network.subnets.get(subnet) or {}).get("VpcId")
    return any(attachment.get("VpcId") == vpc for attachment in gateway.get("Attachments") or ())


def nat_works(network: Network, gateway_id: str) -> bool:
    """Whether a NAT gateway leads outside: it exists, is public, and is in a public subnet."""
    gateway = network.nat_gateways.get(gateway_id) or {}
    return (
        gateway.get("State") == "available"
        and gateway.get("ConnectivityType", "public") == "public"
        and has_internet_gateway(network, gateway["SubnetId"])
    )


def is_public(network: Network, party: Party) -> bool:
    """Whether the outside can connect to a party."""
    return party.public and all(has_internet_gateway(network, subnet) for subnet in party.subnets)


def leads_outside(network: Network, party: Party) -> bool:
    """Whether a party's packets find a way out of its VPC, and the answers a way back."""
    nat = default_route(network, party.subnets[0]).get("NatGatewayId")
    return nat_works(network, nat) if nat else is_public(network, party)


# AWS's services


def reaches(network: Network, party: Party, service: str) -> bool:
    """Whether a party can connect to a service of AWS, such as ecr.api or s3.

    With an interface endpoint, the names of the service resolve to that endpoint everywhere in its VPC. A gateway
    endpoint is a route. Without either, the way leads outside.
    """
    egress = [one for one in permissions(network, party.groups, EGRESS) if one.covers(HTTPS)]
    for endpoint in endpoints_of(network, party, service):
        if endpoint.get("VpcEndpointType") == "Interface" and endpoint.get("PrivateDnsEnabled", True):
            place = Party(service, tuple(endpoint["SubnetIds"]), frozenset(endpoint.get("Groups") or ()))
            ingress = [one for one in permissions(network, place.groups, INGRESS) if one.covers(HTTPS)]
            return any(allows(network, one, party) for one in ingress) and any(
                allows(network, one, place) for one in egress
            )
    outside = any(allows_outside(one) for one in egress)
    table = table_of(network, party.subnets[0]).get("RouteTableId")
    gateways = (e for e in endpoints_of(network, party, service) if e.get("VpcEndpointType") == "Gateway")
    if any(table in (endpoint.get("RouteTableIds") or ()) for endpoint in gateways):
        return outside
    return outside and leads_outside(network, party)


def endpoints_of(network: Network, party: Party, service: str) -> list[Json]:
    """The endpoints of a service in the VPC of a party."""
    vpc = network.vpc(party)
    return [
        endpoint
        for endpoint in network.endpoints
        if endpoint.get("VpcId") == vpc
        and endpoint.get("State") == "available"
        and str(endpoint.get("ServiceName")).split(".", 3)[-1] == service
    ]


# Load balancers


def admits(network: Network, balancer: Party, port: int, client: Party | None, address: str) -> bool:
    """Whether a client can connect to a listener's port. Without a client's party, it is this machine."""
    ingress = [one for one in permissions(network, balancer.groups, INGRESS) if one.covers(port)]
    if client and network.vpc(client) == network.vpc(balancer):
        egress = [one for one in permissions(network, client.groups, EGRESS) if one.covers(port)]
        return any(allows(network, one, client) for one in ingress) and any(
            allows(network, one, balancer) for one in egress
        )
    if client and not leads_outside(network, client):
        return False
    return is_public(network, balancer) and any(allows_outside(one, address) for one in ingress)


# nftables


def ruleset(network: Network, party: Party) -> str:
    """The rules of a container as input of `nft -f`: they replace those that it has."""
    peers = [one for one in network.parties if one.name != party.name and one.addresses]
    known = sorted({address for peer in peers for address in peer.addresses} - set(party.addresses))
    ingress = [f"ip saddr {braces(known)} goto from_peers"] if known else []
    egress = [f"ip daddr {braces(known)} goto to_peers"] if known else []
    return "\n".join(
        [
            f"table {TABLE}",
            f"delete table {TABLE}",
            f"table {TABLE} {{",
            *chain("from_peers", [*rules_of_peers(network, party, peers, INGRESS), "drop"]),
            *chain("to_peers", [*rules_of_peers(network, party, peers, EGRESS), "drop"]),
            *chain("from_host", [*from_host(network, party), "drop"]),
            # Before Docker's translation inside an instance, whose published ports are those of the rules.
            "  chain ingress {",
            "    type filter hook prerouting priority -150; policy drop;",
            *indented(ALWAYS),
            *indented([*ingress, f"ip saddr {network.host} goto from_host"]),
            *indented(outside(network, party, INGRESS)),
            "  }",
            "  chain egress {",
            "    type filter hook postrouting priority -150; policy drop;",
            *indented([rule.replace("iifname", "oifname") for rule in ALWAYS]),
            *indented(egress),
            # Each service of AWS is allowed or refused where its requests arrive, as all have this one address.
            *indented([f"ip daddr {network.host} tcp dport {network.port} accept"]),
            *indented(resolution(network)),
            *indented(outside(network, party, EGRESS)),
            "  }",
            "}",
            "",
        ]
    )


# Loopback and the bridges inside an instance, answers, and what a link needs.
ALWAYS = ['iifname != "eth*" accept', "ct state established,related accept", "meta l4proto ipv6-icmp accept"]


def chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f"  chain {name} {{", *indented(rules), "  }"]


def indented(rules: Iterable[str]) -> list[str]:
    return [f"    {rule}" for rule in rules]


def braces(items: Iterable[str]) -> str:
    return f"{{ {', '.join(items)} }}"


def resolution(network: Network) -> list[str]:
    """Security groups do not filter requests to the DNS server of a VPC, for which the host's servers stand here."""
    if not network.resolvers:
        return []
    servers = braces(network.resolvers)
    return [f"ip daddr {servers} {protocol} dport 53 accept" for protocol in ("udp", "tcp")]


def match(permission: Permission, first: int = 0, last: int = LAST_PORT) -> str:
    """Protocol and ports of a rule, within bounds."""
    first, last = max(first, permission.first), min(last, permission.last)
    if permission.protocol in ("tcp", "udp") and (first, last) != (0, LAST_PORT):
        return f"{permission.protocol} dport {first}-{last} "
    # The type and code of an ICMP rule, which stand in the place of ports, are ignored.
    return "" if permission.protocol == "-1" else f"meta l4proto {permission.protocol} "


def rules_of_peers(network: Network, party: Party, peers: Sequence[Party], direction: str) -> Iterator[str]:
    """What other containers may send to this one, or this one to them."""
    side = "saddr" if direction == INGRESS else "daddr"
    near = [peer for peer in peers if network.vpc(peer) == network.vpc(party)]
    far = [peer for peer in peers if peer not in near and is_open(network, *ordered(party, peer, direction))]
    for permission in permissions(network, party.groups, direction):
        found = [address for peer in near if allows(network, permission, peer) for address in peer.addresses]
        if allows_outside(permission):
            found += [address for peer in far for address in peer.addresses]
        if found:
            yield f"ip {side} {braces(sorted(set(found)))} {match(permission)}accept"


def ordered(party: Party, peer: Party, direction: str) -> tuple[Party, Party]:
    return (peer, party) if direction == INGRESS else (party, peer)


def is_open(network: Network, source: Party, target: Party) -> bool:
    """Whether packets of one VPC find the way to a public address of another."""
    return leads_outside(network, source) and is_public(network, target)


def from_host(network: Network, party: Party) -> Iterator[str]:
    """What the load balancers in front of a container may send to it, and what this machine may."""
    ingress = list(permissions(network, party.groups, INGRESS))
    for name in party.balancers:
        balancer = network.balancers.get(name)
        if balancer is None or network.vpc(balancer) != network.vpc(party):
            continue
        for out in permissions(network, balancer.groups, EGRESS):
            if out.protocol not in ("-1", "tcp") or not allows(network, out, party):
                continue
            for permission in ingress:
                first, last = max(out.first, permission.first), min(out.last, permission.last)
                if permission.protocol in ("-1", "tcp") and first <= last and allows(network, permission, balancer):
                    yield f"tcp dport {first}-{last} accept"
    if is_public(network, party):
        yield from (f"{match(one)}accept" for one in ingress if allows_outside(one, network.host))


def outside(network: Network, party: Party, direction: str) -> Iterator[str]:
    """What passes from or to addresses that are no container's."""
    side, way = ("saddr", is_public) if direction == INGRESS else ("daddr", leads_outside)
    if way(network, party):
        for permission in permissions(network, party.groups, direction):
            for cidr in permission.cidrs:
                address = "" if str(cidr) == EVERYTHING else f"ip {side} {cidr} "
                yield f"{address}{match(permission)}accept"
