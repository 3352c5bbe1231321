# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 refuses although its model allows it: networks, security groups, and deletions in the wrong order."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from request_rules import DOCS, REPORTS, Finder, Json, State, rule

API = f"{DOCS}/AWSEC2/latest/APIReference"
VPC = f"{DOCS}/vpc/latest/userguide"
ERRORS = f"{API}/errors-overview.html"
MOTO = "https://github.com/getmoto/moto/blob/master/moto/ec2/exceptions.py"
TEXT = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}"
AUTHORIZE = ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")


def ec2(
    *operations: str, error: str, message: str, source: str = ERRORS, wording: str = ""
) -> Callable[[Finder], Finder]:
    """A rule for operations of EC2."""
    return rule(*(f"ec2:{name}" for name in operations), error=error, message=message, source=source, wording=wording)


def network(text: Any) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(str(text), strict=False)
    except ValueError:
        return None


@ec2(
    "CreateVpc",
    "CreateSubnet",
    error="InvalidParameterValue",
    message="Value ({block}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
    wording=MOTO,
)
def block_form(request: Json, _state: State) -> Iterator[Json]:
    """A CIDR block that is none."""
    if request.get("CidrBlock") and not network(request["CidrBlock"]):
        yield {"block": request["CidrBlock"]}


@ec2(
    "CreateVpc",
    error="InvalidVpc.Range",
    message="The CIDR '{block}' is invalid.",
    source=f"{VPC}/vpc-cidr-blocks.html",
    wording=MOTO,
)
def vpc_range(request: Json, _state: State) -> Iterator[Json]:
    """A VPC that is larger than /16 or smaller than /28."""
    block = network(request.get("CidrBlock"))
    if block and not 16 <= block.prefixlen <= 28:
        yield {"block": request["CidrBlock"]}


@ec2(
    "CreateSubnet",
    error="InvalidSubnet.Range",
    message="The CIDR '{block}' is invalid.",
    source=f"{VPC}/subnet-sizing.html",
    wording=MOTO,
)
def subnet_range(request: Json, state: State) -> Iterator[Json]:
    """A subnet that is not within its VPC, or larger than /16 or smaller than /28."""
    block = network(request.get("CidrBlock"))
    around = network((state.get("vpcs", request["VpcId"]) or {}).get("CidrBlock"))
    if block and around and not (block.subnet_of(around) and 16 <= block.prefixlen <= 28):
        yield {"block": request["CidrBlock"]}


@ec2(
    "CreateSubnet",
    error="InvalidSubnet.Conflict",
    message="The CIDR '{block}' conflicts with another subnet",
    wording=REPORTS,
)
def subnet_conflict(request: Json, state: State) -> Iterator[Json]:
    """A subnet that overlaps another one of its VPC."""
    block = network(request.get("CidrBlock"))
    others = [network(one["CidrBlock"]) for one in state.all("subnets") if one["VpcId"] == request["VpcId"]]
    if block and any(other and block.overlaps(other) for other in others):
        yield {"block": request["CidrBlock"]}


@ec2(
    "CreateSubnet",
    "CreateSecurityGroup",
    "CreateRouteTable",
    "CreateVpcEndpoint",
    "AttachInternetGateway",
    error="InvalidVpcID.NotFound",
    message="The vpc ID '{name}' does not exist",
    wording=REPORTS,
)
def unknown_vpc(request: Json, state: State) -> Iterator[Json]:
    """A VPC that does not exist."""
    if request.get("VpcId") and not state.get("vpcs", request["VpcId"]):
        yield {"name": request["VpcId"]}


@ec2(
    "AttachInternetGateway",
    error="InvalidParameterValue",
    message="Network {name} already has an internet gateway attached",
    source=f"{API}/API_AttachInternetGateway.html",
    wording=REPORTS,
)
def second_gateway(request: Json, state: State) -> Iterator[Json]:
    """A second internet gateway for a VPC."""
    if any(request["VpcId"] in vpcs_of(gateway) for gateway in state.all("internet_gateways")):
        yield {"name": request["VpcId"]}


def vpcs_of(gateway: Json) -> list[str]:
    return [one["VpcId"] for one in gateway.get("Attachments") or []]


# Security groups


@ec2(
    "CreateSecurityGroup",
    error="InvalidParameterValue",
    message="Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.",
    source=f"{API}/API_CreateSecurityGroup.html",
    wording=REPORTS,
)
def security_group_name(request: Json, _state: State) -> Iterator[Json]:
    """A security group's name that looks like an ID."""
    if request["GroupName"].lower().startswith("sg-"):
        yield {"name": request["GroupName"]}


@ec2(
    "CreateSecurityGroup",
    error="InvalidParameterValue",
    message="Invalid security group description. Valid descriptions are strings less than 256 characters from the "
    "following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
    source=f"{API}/API_CreateSecurityGroup.html",
    wording=REPORTS,
)
def security_group_description(request: Json, _state: State) -> Iterator[Json]:
    """A security group's description with other characters, such as an apostrophe."""
    if not re.fullmatch(TEXT, request.get("Description", "")):
        yield {}


def grants(permissions: list[Json]) -> list[tuple[Any, ...]]:
    """Each source of each permission, comparable."""
    return [
        (one.get("IpProtocol"), one.get("FromPort"), one.get("ToPort"), source.get(name))
        for one in permissions
        for kind, name in (
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId"),
            ("PrefixListIds", "PrefixListId"),
        )
        for source in one.get(kind) or []
    ]


def descriptions(request: Json) -> list[str]:
    kinds = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
    sources = [one for permission in permissions_of(request) for kind in kinds for one in permission.get(kind) or []]
    return [str(one.get("Description", "")) for one in sources]


def permissions_of(request: Json) -> list[Json]:
    return list(request.get("IpPermissions") or [])


@ec2(
    *AUTHORIZE,
    error="InvalidParameterValue",
    message="Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*",
    source=f"{API}/API_IpRange.html",
    wording=REPORTS,
)
def rule_description(request: Json, _state: State) -> Iterator[Json]:
    """A description of a security group's rule with other characters."""
    if not all(re.fullmatch(TEXT, text) for text in descriptions(request)):
        yield {}


@ec2(
    "AuthorizeSecurityGroupIngress",
    error="InvalidPermission.Duplicate",
    message='the specified rule "peer: {peer}, {protocol}, from port: {first}, to port: {last}, ALLOW" already exists',
    source=f"{API}/API_AuthorizeSecurityGroupIngress.html",
    wording=REPORTS,
)
def rule_exists(request: Json, state: State) -> Iterator[Json]:
    """A rule that the security group has."""
    group = state.get("security_groups", request.get("GroupId", "")) or {}
    known = set(grants(group.get("IpPermissions") or []))
    for grant in grants(permissions_of(request)):
        if grant in known:
            protocol, first, last, peer = grant
            yield {"peer": peer, "protocol": str(protocol).upper(), "first": first, "last": last}


@ec2(
    *AUTHORIZE,
    error="InvalidParameterValue",
    message="Invalid TCP/UDP port range ({first}:{last})",
    source=f"{API}/API_IpPermission.html",
    wording=REPORTS,
)
def port_range(request: Json, _state: State) -> Iterator[Json]:
    """A range of ports that ends before it begins, or above 65535."""
    for permission in permissions_of(request):
        first, last = permission.get("FromPort", 0), permission.get("ToPort", 65535)
        if permission.get("IpProtocol") in {"tcp", "udp", "6", "17"} and not 0 <= first <= last <= 65535:
            yield {"first": first, "last": last}


def named_groups(request: Json) -> list[str]:
    pairs = [pair for permission in permissions_of(request) for pair in permission.get("UserIdGroupPairs") or []]
    return [pair["GroupId"] for pair in pairs if pair.get("GroupId")]


@ec2(
    *AUTHORIZE,
    error="InvalidGroup.NotFound",
    message="The security group '{name}' does not exist",
    wording=MOTO,
)
def rule_of_unknown_group(request: Json, state: State) -> Iterator[Json]:
    """A rule for a security group that does not exist."""
    yield from ({"name": name} for name in named_groups(request) if not state.get("security_groups", name))


@ec2(
    *AUTHORIZE,
    error="InvalidGroup.NotFound",
    message="You have specified two resources that belong to different networks.",
    source=f"{VPC}/security-group-rules.html",
    wording=REPORTS,
)
def rule_of_another_vpc(request: Json, state: State) -> Iterator[Json]:
    """A rule for a security group of another VPC."""
    own = state.get("security_groups", request.get("GroupId", "")) or {}
    others = (state.get("security_groups", name) for name in named_groups(request))
    yield from ({} for one in others if one and own and one["VpcId"] != own["VpcId"])


@ec2(
    *AUTHORIZE,
    error="RulesPerSecurityGroupLimitExceeded",
    message="The maximum number of rules per security group has been reached.",
    source=f"{VPC}/amazon-vpc-limits.html",
    wording=MOTO,
)
def too_many_rules(request: Json, state: State) -> Iterator[Json]:
    """More than 60 rules of a security group in one direction."""
    group = state.get("security_groups", request.get("GroupId", "")) or {}
    if len(set(grants(group.get("IpPermissions") or [])) | set(grants(permissions_of(request)))) > 60:
        yield {}


@ec2(
    "DeleteSecurityGroup",
    error="DependencyViolation",
    message="resource {name} has a dependent object",
    source=f"{API}/API_DeleteSecurityGroup.html",
    wording=REPORTS,
)
def security_group_in_use(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a security group that a load balancer, an instance or another group's rule uses."""
    name = request.get("GroupId", "")
    rules = [one for one in state.all("security_groups") if one["GroupId"] != name]
    granted = {grant[3] for one in rules for grant in grants([*one["IpPermissions"], *one["IpPermissionsEgress"]])}
    balanced = {group for one in state.all("load_balancers") for group in one["SecurityGroups"]}
    hosts = {group.get("GroupId") for one in living(state) for group in one.get("SecurityGroups") or []}
    if name in granted | balanced | hosts:
        yield {"name": name}


def living(state: State) -> list[Json]:
    """The instances that are not terminated."""
    return [one for one in state.all("instances") if (one.get("State") or {}).get("Name") != "terminated"]


# Routes and gateways


@ec2(
    "CreateRoute",
    error="RouteAlreadyExists",
    message="The route identified by {block} already exists.",
    wording=REPORTS,
)
def route_exists(request: Json, state: State) -> Iterator[Json]:
    """A second route to one destination."""
    block = request.get("DestinationCidrBlock")
    table = state.get("route_tables", request["RouteTableId"]) or {}
    if block and any(one.get("DestinationCidrBlock") == block for one in table.get("Routes") or []):
        yield {"block": block}


@ec2(
    "CreateRoute",
    "ReplaceRoute",
    error="InvalidParameterValue",
    message="route table {table} and network gateway {gateway} belong to different networks",
    source=f"{API}/API_CreateRoute.html",
    wording=REPORTS,
)
def route_to_foreign_gateway(request: Json, state: State) -> Iterator[Json]:
    """A route to an internet gateway that is not attached to the VPC."""
    table = state.get("route_tables", request["RouteTableId"]) or {}
    gateway = state.get("internet_gateways", request.get("GatewayId", ""))
    if gateway and table and table["VpcId"] not in vpcs_of(gateway):
        yield {"table": request["RouteTableId"], "gateway": request["GatewayId"]}


@ec2(
    "CreateRoute",
    "ReplaceRoute",
    error="InvalidNatGatewayID.NotFound",
    message="The natGateway ID '{name}' does not exist",
    wording=REPORTS,
)
def route_to_unknown_nat(request: Json, state: State) -> Iterator[Json]:
    """A route to a NAT gateway that does not exist, or is deleted."""
    name = request.get("NatGatewayId")
    if name and (state.get("nat_gateways", name) or {}).get("State", "deleted") == "deleted":
        yield {"name": name}


@ec2(
    "AssociateRouteTable",
    error="Resource.AlreadyAssociated",
    message="the specified association for route table {table} conflicts with an existing association",
    wording=REPORTS,
)
def second_route_table(request: Json, state: State) -> Iterator[Json]:
    """A second route table for a subnet."""
    associated = [one for table in state.all("route_tables") for one in table.get("Associations") or []]
    if request.get("SubnetId") in {one.get("SubnetId") for one in associated if one.get("SubnetId")}:
        yield {"table": request["RouteTableId"]}


@ec2(
    "CreateNatGateway",
    error="MissingParameter",
    message="The request must contain the parameter AllocationId",
    source=f"{API}/API_CreateNatGateway.html",
)
def nat_without_address(request: Json, _state: State) -> Iterator[Json]:
    """A public NAT gateway without elastic IP address."""
    if request.get("ConnectivityType", "public") == "public" and not request.get("AllocationId"):
        yield {}


@ec2(
    "CreateNatGateway",
    error="InvalidSubnetID.NotFound",
    message="The subnet ID '{name}' does not exist",
    wording=MOTO,
)
def nat_subnet(request: Json, state: State) -> Iterator[Json]:
    """A NAT gateway in a subnet that does not exist."""
    if request.get("SubnetId") and not state.get("subnets", request["SubnetId"]):
        yield {"name": request["SubnetId"]}


def nat_gateways(state: State) -> list[Json]:
    return [one for one in state.all("nat_gateways") if one.get("State") != "deleted"]


@ec2(
    "ReleaseAddress",
    error="InvalidIPAddress.InUse",
    message="The specified IP address is already in use. If you are trying to release an address, you must first "
    "disassociate it from the instance.",
    wording=ERRORS,
)
def address_in_use(request: Json, state: State) -> Iterator[Json]:
    """The release of an elastic IP address that a NAT gateway or an instance uses."""
    address = state.get("addresses", request.get("AllocationId", "")) or {}
    used = {one.get("AllocationId") for one in nat_gateways(state)}
    if request.get("AllocationId") and (request["AllocationId"] in used or address.get("AssociationId")):
        yield {}


# VPC endpoints


def endpoints(request: Json, state: State) -> list[Json]:
    """The endpoints of the same service in the same VPC."""
    place = (request["VpcId"], request.get("ServiceName"))
    return [one for one in state.all("vpc_endpoints") if (one["VpcId"], one["ServiceName"]) == place]


@ec2(
    "CreateVpcEndpoint",
    error="InvalidParameter",
    message="private-dns-enabled cannot be set because there is already a conflicting DNS domain for {service} in the "
    "VPC {vpc}",
    source=f"{DOCS}/vpc/latest/privatelink/create-interface-endpoint.html",
    wording=REPORTS,
)
def second_endpoint(request: Json, state: State) -> Iterator[Json]:
    """A second interface endpoint of one service in a VPC, with private DNS names."""
    private = request.get("PrivateDnsEnabled") and request.get("VpcEndpointType") == "Interface"
    if private and endpoints(request, state):
        yield {"service": request["ServiceName"], "vpc": request["VpcId"]}


@ec2(
    "CreateVpcEndpoint",
    error="InvalidParameter",
    message="Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
    "{vpc}",
    source=f"{DOCS}/vpc/latest/privatelink/create-interface-endpoint.html",
    wording=REPORTS,
)
def endpoint_without_dns(request: Json, state: State) -> Iterator[Json]:
    """Private DNS names of an endpoint in a VPC without DNS support and host names."""
    vpc = state.get("vpcs", request["VpcId"]) or {}
    ready = vpc.get("EnableDnsSupport", True) and vpc.get("EnableDnsHostnames", False)
    if request.get("PrivateDnsEnabled") and request.get("VpcEndpointType") == "Interface" and vpc and not ready:
        yield {"vpc": request["VpcId"]}


@ec2(
    "CreateVpcEndpoint",
    "ModifyVpcEndpoint",
    error="DuplicateSubnetsInSameZone",
    message="Found another VPC endpoint subnet in the availability zone of {name}",
    source=f"{DOCS}/vpc/latest/privatelink/create-interface-endpoint.html",
    wording=REPORTS,
)
def endpoint_zones(request: Json, state: State) -> Iterator[Json]:
    """Two subnets of one zone for an endpoint."""
    zones: set[str] = set()
    for name in request.get("SubnetIds") or []:
        zone = (state.get("subnets", name) or {}).get("AvailabilityZone")
        if zone in zones:
            yield {"name": name}
        zones.add(zone or name)


# Deletions in the wrong order


@ec2(
    "DeleteSubnet",
    error="DependencyViolation",
    message="The subnet '{name}' has dependencies and cannot be deleted.",
    source=f"{API}/API_DeleteSubnet.html",
    wording=REPORTS,
)
def subnet_in_use(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a subnet with a load balancer, a NAT gateway, an endpoint or an instance."""
    used = {name for one in (*state.all("load_balancers"),) for name in one["Subnets"]}
    used |= {one["SubnetId"] for one in (*nat_gateways(state), *living(state)) if one.get("SubnetId")}
    used |= {name for one in state.all("vpc_endpoints") for name in one.get("SubnetIds") or []}
    if request["SubnetId"] in used:
        yield {"name": request["SubnetId"]}


@ec2(
    "DeleteVpc",
    error="DependencyViolation",
    message="The vpc '{name}' has dependencies and cannot be deleted.",
    source=f"{API}/API_DeleteVpc.html",
    wording=REPORTS,
)
def vpc_in_use(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a VPC with an endpoint or a route table."""
    tables = [
        table
        for table in state.all("route_tables")
        if not any(one.get("Main") for one in table.get("Associations") or [])
    ]
    if any(one["VpcId"] == request["VpcId"] for one in (*tables, *state.all("vpc_endpoints"))):
        yield {"name": request["VpcId"]}


@ec2(
    "DeleteRouteTable",
    error="DependencyViolation",
    message="The routeTable '{name}' has dependencies and cannot be deleted.",
    source=f"{API}/API_DeleteRouteTable.html",
    wording=REPORTS,
)
def route_table_in_use(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a route table that a subnet uses."""
    table = state.get("route_tables", request["RouteTableId"]) or {}
    if any(one.get("SubnetId") for one in table.get("Associations") or []):
        yield {"name": request["RouteTableId"]}


@ec2(
    "DeleteInternetGateway",
    error="DependencyViolation",
    message="The internetGateway '{name}' has dependencies and cannot be deleted.",
    source=f"{API}/API_DeleteInternetGateway.html",
    wording=REPORTS,
)
def gateway_in_use(request: Json, state: State) -> Iterator[Json]:
    """The deletion of an internet gateway that is attached to a VPC."""
    gateway = state.get("internet_gateways", request["InternetGatewayId"])
    if gateway and vpcs_of(gateway):
        yield {"name": request["InternetGatewayId"]}


@ec2(
    "DetachInternetGateway",
    error="DependencyViolation",
    message="Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching "
    "the gateway.",
    source=f"{API}/API_DetachInternetGateway.html",
    wording=REPORTS,
)
def gateway_with_addresses(request: Json, state: State) -> Iterator[Json]:
    """The detachment of an internet gateway while a NAT gateway or a public load balancer is in the VPC."""
    subnets = {one["SubnetId"] for one in state.all("subnets") if one["VpcId"] == request["VpcId"]}
    nats = any(one["SubnetId"] in subnets for one in nat_gateways(state) if one.get("AllocationId"))
    public = [one for one in state.all("load_balancers") if one["Scheme"] == "internet-facing"]
    if nats or any(subnets.intersection(one["Subnets"]) for one in public):
        yield {"vpc": request["VpcId"]}


# Instances


@ec2(
    "RunInstances",
    error="InvalidParameter",
    message="Security group {group} and subnet {subnet} belong to different networks.",
    source=f"{API}/API_RunInstances.html",
    wording=REPORTS,
)
def instance_in_two_networks(request: Json, state: State) -> Iterator[Json]:
    """An instance with a security group of another VPC than its subnet's."""
    places = [request, *(request.get("NetworkInterfaces") or [])]
    for place in places:
        subnet = state.get("subnets", place.get("SubnetId", ""))
        for name in place.get("SecurityGroupIds") or place.get("Groups") or []:
            group = state.get("security_groups", name)
            if subnet and group and group["VpcId"] != subnet["VpcId"]:
                yield {"group": name, "subnet": place["SubnetId"]}


@ec2(
    "RunInstances",
    "CreateLaunchTemplate",
    error="InvalidParameterValue",
    message="User data is limited to 16384 bytes",
    source=f"{DOCS}/AWSEC2/latest/UserGuide/user-data.html",
    wording=REPORTS,
)
def user_data(request: Json, _state: State) -> Iterator[Json]:
    """User data of more than 16 KiB."""
    place = request.get("LaunchTemplateData") or request
    if len(base64.b64decode(place.get("UserData") or "", validate=False)) > 16384:
        yield {}
