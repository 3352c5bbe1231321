# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a service, from answers of EC2 and ELB: routes, endpoints, rules of security groups. No calls."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from ..._core.types import Json

EVERYTHING = "0.0.0.0/0"
Direction = t.Literal["IpPermissions", "IpPermissionsEgress"]
INGRESS: t.Final = "IpPermissions"
EGRESS: t.Final = "IpPermissionsEgress"


@dataclass(frozen=True)
class Network:
    """What was read of a VPC and of load balancers. None is what could not be read: nothing is claimed from it."""

    vpc: str = ""
    subnets: Sequence[Json] | None = None
    route_tables: Sequence[Json] | None = None
    nat_gateways: Sequence[Json] | None = None
    endpoints: Sequence[Json] | None = None
    groups: Sequence[Json] | None = None
    target_groups: Sequence[Json] | None = None
    balancers: Sequence[Json] | None = None
    # By the ARN of their load balancer.
    listeners: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    # A sentence on each thing that could not be read.
    unread: Sequence[str] = ()

    def ranges(self, subnets: Iterable[str]) -> list[IPv4Network]:
        """The address ranges of subnets, as far as they are known."""
        known = {item["SubnetId"]: item.get("CidrBlock", "") for item in self.subnets or ()}
        return [IPv4Network(known[subnet]) for subnet in subnets if known.get(subnet)]

    def default_group(self) -> str:
        """The security group of what names none."""
        named = (item["GroupId"] for item in self.groups or () if item.get("GroupName") == "default")
        return next(named, "")


@dataclass(frozen=True)
class Placement:
    """Where the tasks of a service run: awsvpcConfiguration."""

    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    public: bool

    @classmethod
    def from_api(cls, service: Json, network: Network) -> Placement | None:
        """None for tasks without a network interface of their own."""
        configuration = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        if not configuration.get("subnets"):
            return None
        default = network.default_group()
        groups = configuration.get("securityGroups") or ([default] if default else [])
        return cls(tuple(configuration["subnets"]), tuple(groups), configuration.get("assignPublicIp") == "ENABLED")


def runs_on_fargate(service: Json) -> bool:
    """Whether what starts a task uses the network interface of the task. On EC2, the host's is used."""
    providers = [item.get("capacityProvider", "") for item in service.get("capacityProviderStrategy") or ()]
    if providers:
        return all(name.startswith("FARGATE") for name in providers)
    return service.get("launchType") == "FARGATE"


# Rules of security groups


def rules_for(network: Network, groups: Iterable[str], direction: Direction, port: int) -> list[Json] | None:
    """The rules that allow TCP connections to a port, from anybody or to anybody; None if a group is unknown."""
    known = {item["GroupId"]: item for item in network.groups or ()}
    wanted = list(groups)
    if not wanted or any(group not in known for group in wanted):
        return None
    return [rule for group in wanted for rule in known[group].get(direction) or () if _covers(rule, port)]


def _covers(rule: Json, port: int) -> bool:
    protocol = str(rule.get("IpProtocol"))
    first, last = int(rule.get("FromPort") or 0), int(rule.get("ToPort") or 0)
    return protocol == "-1" or (protocol in ("tcp", "6") and first <= port <= last)


def may_match(rules: Iterable[Json], groups: Iterable[str], ranges: Sequence[IPv4Network]) -> bool:
    """Whether a rule names one of the groups, or a range that overlaps one of theirs. What is unknown may match."""
    own = set(groups)
    for rule in rules:
        if own & {pair.get("GroupId") for pair in rule.get("UserIdGroupPairs") or ()} or rule.get("PrefixListIds"):
            return True
        for item in rule.get("IpRanges") or ():
            cidr = IPv4Network(item["CidrIp"], strict=False)
            if not ranges or any(cidr.overlaps(one) for one in ranges):
                return True
    return False


def ports_from(network: Network, groups: Iterable[str], sources: Iterable[str]) -> list[str]:
    """The ports on which security groups let members of other groups in, as text."""
    known, own = {item["GroupId"]: item for item in network.groups or ()}, set(sources)
    rules = [rule for group in groups for rule in known.get(group, {}).get(INGRESS) or ()]
    named = [rule for rule in rules if own & {pair.get("GroupId") for pair in rule.get("UserIdGroupPairs") or ()}]
    spans = [(rule.get("FromPort"), rule.get("ToPort")) for rule in named if rule.get("FromPort") is not None]
    return [str(first) if first == last else f"{first}-{last}" for first, last in spans]


# Routes


def table_of(network: Network, subnet: str) -> Json | None:
    """The route table of a subnet: its own or the main one of its VPC; None if it could not be read."""
    main = None
    for table in network.route_tables or ():
        for association in table.get("Associations") or ():
            if association.get("SubnetId") == subnet:
                return table
            if association.get("Main") and table.get("VpcId") == network.vpc:
                main = table
    return main


def default_route(table: Json) -> Json | None:
    """The route to all addresses that no other route has."""
    routes = table.get("Routes") or ()
    return next((route for route in routes if route.get("DestinationCidrBlock") == EVERYTHING), None)


def leads_to_internet_gateway(table: Json) -> bool:
    route = default_route(table) or {}
    return str(route.get("GatewayId", "")).startswith("igw-") and route.get("State") != "blackhole"


# Endpoints


def service_of(endpoint: Json) -> str:
    """`ecr.api` of com.amazonaws.eu-central-1.ecr.api."""
    return str(endpoint.get("ServiceName", "")).split(".", 3)[-1]


def available_endpoints(network: Network) -> Iterator[Json]:
    for endpoint in network.endpoints or ():
        if endpoint.get("VpcId") == network.vpc and str(endpoint.get("State", "")).lower() == "available":
            yield endpoint


def groups_of(endpoint: Json) -> list[str]:
    return [item["GroupId"] for item in endpoint.get("Groups") or ()]
