# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out why the network of a service lets nothing pass, from its routes, endpoints and security groups. No calls.

Only what certainly stops packets is named. Network ACLs, peering, transit gateways, prefix lists and firewalls are not
read, so that no finding never means that all is well.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..._core.error_codes import (
    BALANCER_EGRESS_CLOSED,
    BALANCER_NOT_PUBLIC,
    EGRESS_CLOSED,
    ENDPOINT_CLOSED,
    ENDPOINT_MISSING,
    INGRESS_CLOSED,
    LISTENER_CLOSED,
    NO_PUBLIC_ADDRESS,
    NO_ROUTE,
    ROUTE_BROKEN,
)
from ..._core.types import Json
from .model import (
    EGRESS,
    INGRESS,
    Network,
    Placement,
    available_endpoints,
    default_route,
    groups_of,
    leads_to_internet_gateway,
    may_match,
    ports_from,
    rules_for,
    service_of,
    table_of,
)

HTTPS = 443
# What Fargate reads to start a task whose image is in ECR.
IMAGE_SERVICES = ("ecr.api", "ecr.dkr", "s3")


class Finding(t.NamedTuple):
    """Something that stops packets: an entry of `failure.causes`, and what was found, in a sentence."""

    cause: str
    text: str


def as_causes(findings: Iterable[Finding]) -> dict[str, str]:
    """The findings by cause, each sentence once."""
    causes: dict[str, list[str]] = {}
    for finding in findings:
        texts = causes.setdefault(finding.cause, [])
        if finding.text not in texts:
            texts.append(finding.text)
    return {cause: " ".join(texts) for cause, texts in causes.items()}


# From a task to services of AWS


def of_start(network: Network, placement: Placement, services: Iterable[str]) -> list[Finding]:
    """Why tasks cannot connect to services of AWS, such as `ecr.api` or `s3`."""
    found: list[Finding] = []
    for service in services:
        blocked: dict[tuple[str, str], list[str]] = {}
        for subnet in placement.subnets:
            for cause, text in _from_subnet(network, placement, subnet, service):
                blocked.setdefault((cause, text), []).append(subnet)
        found += [Finding(cause, text.format(subnet=_subnets(names))) for (cause, text), names in blocked.items()]
    return found


def _subnets(names: Sequence[str]) -> str:
    return f"Subnet {names[0]}" if len(names) == 1 else f"Each of the subnets {', '.join(names)}"


def _from_subnet(network: Network, placement: Placement, subnet: str, service: str) -> Iterator[tuple[str, str]]:
    if network.endpoints is None:
        return
    endpoints = [item for item in available_endpoints(network) if service_of(item) == service]
    interface = next((item for item in endpoints if _has_its_name(item)), None)
    if interface:
        yield from _to_endpoint(network, placement, interface, service)
        return
    if (closed := _egress(network, placement)) is not None:
        yield closed
    table = table_of(network, subnet)
    if table is None or any(table["RouteTableId"] in (item.get("RouteTableIds") or ()) for item in endpoints):
        return
    yield from _outside(network, placement, table, service)


def _has_its_name(endpoint: Json) -> bool:
    """Whether the name of the service resolves to the endpoint."""
    return endpoint.get("VpcEndpointType") == "Interface" and bool(endpoint.get("PrivateDnsEnabled", True))


def _to_endpoint(network: Network, placement: Placement, endpoint: Json, service: str) -> Iterator[tuple[str, str]]:
    name, groups = f"{endpoint['VpcEndpointId']} ({service})", groups_of(endpoint)
    ingress = rules_for(network, groups, INGRESS, HTTPS)
    if ingress is not None and not may_match(ingress, placement.groups, network.ranges(placement.subnets)):
        yield (
            ENDPOINT_CLOSED,
            f"The security groups of VPC endpoint {name}, {_list(groups)}, allow no inbound traffic on port 443 from"
            f" the tasks' {_list(placement.groups)}.",
        )
    egress = rules_for(network, placement.groups, EGRESS, HTTPS)
    if egress is not None and not may_match(egress, groups, network.ranges(endpoint.get("SubnetIds") or ())):
        yield (
            EGRESS_CLOSED,
            f"{_groups_of_tasks(placement)} allow no outbound traffic on port 443 to VPC endpoint {name}.",
        )


def _egress(network: Network, placement: Placement) -> tuple[str, str] | None:
    egress = rules_for(network, placement.groups, EGRESS, HTTPS)
    if egress is None or egress:
        return None
    return EGRESS_CLOSED, f"{_groups_of_tasks(placement)} allow no outbound traffic on port 443."


def _outside(network: Network, placement: Placement, table: Json, service: str) -> Iterator[tuple[str, str]]:
    """Why the default route of a subnet leads nowhere."""
    route, table_id = default_route(table), table["RouteTableId"]
    if route is None:
        # Another route may have the addresses of the service.
        if all(str(one.get("GatewayId", "")).startswith(("local", "vpce-")) for one in table.get("Routes") or ()):
            yield _no_route(network, table_id, service)
        return
    nat, gateway = route.get("NatGatewayId"), str(route.get("GatewayId", ""))
    if route.get("State") == "blackhole":
        target = nat or gateway or "its target"
        yield ROUTE_BROKEN, f"{{subnet}}: route table {table_id} sends 0.0.0.0/0 to {target}, which no longer exists."
    elif nat and network.nat_gateways is not None:
        yield from _through_nat(network, nat, table_id)
    elif gateway.startswith("igw-") and not placement.public:
        yield (
            NO_PUBLIC_ADDRESS,
            f"{{subnet}}: route table {table_id} leads to internet gateway {gateway}, but the tasks have no public"
            " address (assignPublicIp is DISABLED).",
        )


def _no_route(network: Network, table_id: str, service: str) -> tuple[str, str]:
    endpoints = list(available_endpoints(network))
    others = sorted({service_of(item) for item in endpoints} - {service})
    if any(service_of(item) == service for item in endpoints):
        return (
            ENDPOINT_MISSING,
            f"{{subnet}}: route table {table_id} is not associated with the VPC endpoint {service}.",
        )
    if set(others) & {*IMAGE_SERVICES, "logs", "ssm", "secretsmanager"}:
        return (
            ENDPOINT_MISSING,
            f"{{subnet}}: route table {table_id} has no default route, and the VPC has endpoints for"
            f" {', '.join(others)}, but not for {service}.",
        )
    return (
        NO_ROUTE,
        f"{{subnet}}: route table {table_id} has no default route, and the VPC has no endpoint for {service}.",
    )


def _through_nat(network: Network, nat: str, table_id: str) -> Iterator[tuple[str, str]]:
    found = next((item for item in network.nat_gateways or () if item["NatGatewayId"] == nat), None)
    state = str((found or {}).get("State", "deleted"))
    start = f"{{subnet}}: route table {table_id} sends 0.0.0.0/0 to NAT gateway {nat}"
    if found is None or state in ("deleted", "deleting", "failed"):
        yield ROUTE_BROKEN, f"{start}, which is {state}."
        return
    if found.get("ConnectivityType") == "private":
        yield ROUTE_BROKEN, f"{start}, which is private and has no public address."
        return
    table = table_of(network, str(found.get("SubnetId")))
    if table is not None and default_route(table) is None:
        yield ROUTE_BROKEN, f"{start} in subnet {found['SubnetId']}, which has no route to an internet gateway."
    elif table is not None and (default_route(table) or {}).get("NatGatewayId"):
        yield ROUTE_BROKEN, f"{start} in subnet {found['SubnetId']}, which itself routes to a NAT gateway."


# From a load balancer to tasks


def of_targets(network: Network, placement: Placement, service: Json) -> list[Finding]:
    """Why load balancers cannot connect to the tasks of a service, on the port of targets or of their health check."""
    groups = {item["TargetGroupArn"]: item for item in network.target_groups or ()}
    found: list[Finding] = []
    for entry in service.get("loadBalancers") or ():
        group = groups.get(entry.get("targetGroupArn"), {})
        for balancer in network.balancers or ():
            if balancer["LoadBalancerArn"] in (group.get("LoadBalancerArns") or ()):
                for port, use in _ports(entry, group).items():
                    found += _to_tasks(network, placement, balancer, port, use)
    return found


def _ports(entry: Json, group: Json) -> dict[int, str]:
    """The ports of a target, each with what it is for."""
    port, named = int(entry.get("containerPort") or 0), str(group.get("HealthCheckPort", ""))
    checked = int(named) if named.isdigit() else port
    return {port: "port", checked: "health check port"} if checked != port else {port: "port"}


def _to_tasks(network: Network, placement: Placement, balancer: Json, port: int, use: str) -> Iterator[Finding]:
    groups = list(balancer.get("SecurityGroups") or ())
    if not groups:  # a Network Load Balancer may have none, and keep the address of the client
        return
    ingress = rules_for(network, placement.groups, INGRESS, port)
    if ingress is not None and not may_match(ingress, groups, network.ranges(_zones(balancer))):
        others = ports_from(network, placement.groups, groups)
        yield Finding(
            INGRESS_CLOSED,
            f"{_groups_of_tasks(placement)} allow no inbound traffic on {use} {port} from load balancer"
            f" {balancer['LoadBalancerName']} ({', '.join(groups)})"
            + (f", only on {', '.join(others)}." if others else "."),
        )
    egress = rules_for(network, groups, EGRESS, port)
    if egress is not None and not may_match(egress, placement.groups, network.ranges(placement.subnets)):
        yield Finding(
            BALANCER_EGRESS_CLOSED,
            f"The security groups of load balancer {balancer['LoadBalancerName']}, {_list(groups)}, allow no"
            f" outbound traffic on {use} {port} to the tasks.",
        )


# From clients to a load balancer


def of_listeners(network: Network) -> list[Finding]:
    """Why nobody outside can connect to load balancers."""
    found: list[Finding] = []
    for balancer in network.balancers or ():
        found += _not_public(network, balancer)
        groups, name = list(balancer.get("SecurityGroups") or ()), balancer["LoadBalancerName"]
        listeners = network.listeners.get(balancer["LoadBalancerArn"], ())
        for port in [int(one["Port"]) for one in listeners if one.get("Port")]:
            ingress = rules_for(network, groups, INGRESS, port)
            if ingress is not None and not ingress:
                found.append(
                    Finding(
                        LISTENER_CLOSED,
                        f"The security groups of load balancer {name}, {_list(groups)}, allow no inbound traffic on"
                        f" port {port} of its listener.",
                    )
                )
    return found


def _not_public(network: Network, balancer: Json) -> Iterator[Finding]:
    if balancer.get("Scheme") != "internet-facing" or network.route_tables is None:
        return
    tables = {subnet: table_of(network, subnet) for subnet in _zones(balancer)}
    closed = [subnet for subnet, table in tables.items() if table is not None and not leads_to_internet_gateway(table)]
    if closed:
        yield Finding(
            BALANCER_NOT_PUBLIC,
            f"Load balancer {balancer['LoadBalancerName']} is internet-facing, but its subnets {_list(closed)} have no"
            " route to an internet gateway.",
        )


def _zones(balancer: Json) -> list[str]:
    return [item["SubnetId"] for item in balancer.get("AvailabilityZones") or () if item.get("SubnetId")]


def _groups_of_tasks(placement: Placement) -> str:
    return f"The tasks' security groups {_list(placement.groups)}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


# From what AWS says to the services that it did not reach

_SERVICES: Mapping[str, tuple[str, ...]] = {
    "starport-layer-bucket": ("s3",),
    "from asm": ("secretsmanager",),
    "secretsmanager.": ("secretsmanager",),
    "from ssm": ("ssm",),
    "ssm.": ("ssm",),
    "cloudwatch": ("logs",),
    "logs.": ("logs",),
    "registry auth from amazon ecr": ("ecr.api",),
    "ecr registry auth": ("ecr.api",),
    "api.ecr.": ("ecr.api",),
    "cannotpullcontainer": ("ecr.dkr",),
}


def services_in(texts: Iterable[str]) -> list[str]:
    """The services of AWS that stopped reasons name; those of images if they name none."""
    found = [
        services
        for text in texts
        if (services := next((known for mark, known in _SERVICES.items() if mark in text.lower()), None))
    ]
    return list(dict.fromkeys(service for services in found for service in services)) or list(IMAGE_SERVICES)
