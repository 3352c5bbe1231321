# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: what its VPCs lack, and what it forgets of a request, for a network that is enforced."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]


class Placed(str):
    """The subnet of a task, as the emulator keeps it, with the whole awsvpcConfiguration, which it does not keep."""

    configuration: Json


def placements(ecs: ModuleType) -> None:
    """A task keeps its security groups, and whether it has a public address."""

    @wrap(ecs, "_requested_subnet")
    def requested(original: Callable[..., str | None], data: Json) -> str | None:
        subnet = original(data)
        if subnet is None:
            return None
        placed = Placed(subnet)
        placed.configuration = dict(data["networkConfiguration"]["awsvpcConfiguration"])
        return placed


def vpc_defaults(ec2: ModuleType) -> None:
    """The default security group lets its members in; the default VPC has a route to its internet gateway.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html
    """

    def complete() -> None:
        for vpc in ec2._vpcs.values():
            group = ec2._security_groups.get(vpc.get("DefaultSecurityGroupId"))
            if group and not vpc.get("_has_defaults"):
                vpc["_has_defaults"] = True
                pair = {"GroupId": group["GroupId"], "UserId": group["OwnerId"]}
                rule = {"IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []}
                group["IpPermissions"].append(rule | {"UserIdGroupPairs": [pair]})
                if vpc.get("IsDefault"):
                    route = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", "Origin": "CreateRoute"}
                    table = ec2._route_tables[vpc["MainRouteTableId"]]
                    table["Routes"].append(route | {"GatewayId": ec2._DEFAULT_IGW_ID})

    for name in ("_init_defaults", "_create_vpc", "_create_default_vpc"):

        @wrap(ec2, name)
        def create(original: Callable[..., Any], *args: Any) -> Any:
            response = original(*args)
            complete()
            return response

    complete()


def endpoints(ec2: ModuleType) -> None:
    """An interface endpoint has security groups, by default that of its VPC, and private names unless it says no.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
    """

    @wrap(ec2, "_create_vpc_endpoint")
    def create(original: Callable[..., Any], params: Json) -> Any:
        before = set(ec2._vpc_endpoints)
        original(params)
        [endpoint] = [ec2._vpc_endpoints[name] for name in ec2._vpc_endpoints if name not in before]
        if endpoint["VpcEndpointType"] == "Interface":
            default = (ec2._vpcs.get(endpoint["VpcId"]) or {}).get("DefaultSecurityGroupId")
            groups = ec2._parse_member_list(params, "SecurityGroupId")
            endpoint["Groups"] = groups or ([default] if default else [])
            endpoint["PrivateDnsEnabled"] = ec2._p(params, "PrivateDnsEnabled", "true").lower() != "false"
        shown = ec2._vpce_fields_xml(endpoint, tag="vpcEndpoint")
        return ec2._xml(200, "CreateVpcEndpointResponse", shown)

    @wrap(ec2, "_modify_vpc_endpoint")
    def modify(original: Callable[..., Any], params: Json) -> Any:
        response = original(params)
        endpoint = ec2._vpc_endpoints.get(ec2._p(params, "VpcEndpointId"))
        if endpoint and "Groups" in endpoint:
            removed = ec2._parse_member_list(params, "RemoveSecurityGroupId")
            groups = [*endpoint["Groups"], *ec2._parse_member_list(params, "AddSecurityGroupId")]
            endpoint["Groups"] = [group for group in dict.fromkeys(groups) if group not in removed]
            if ec2._p(params, "PrivateDnsEnabled"):
                endpoint["PrivateDnsEnabled"] = ec2._p(params, "PrivateDnsEnabled").lower() == "true"
        return response

    @wrap(ec2, "_vpce_fields_xml")
    def show(original: Callable[..., str], endpoint: Json, tag: str = "item") -> str:
        text = original(endpoint, tag)
        if "Groups" not in endpoint:
            return text
        names = {group: (ec2._security_groups.get(group) or {}).get("GroupName", "") for group in endpoint["Groups"]}
        items = "".join(f"<item><groupId>{g}</groupId><groupName>{n}</groupName></item>" for g, n in names.items())
        private = str(endpoint["PrivateDnsEnabled"]).lower()
        more = f"<groupSet>{items}</groupSet><privateDnsEnabled>{private}</privateDnsEnabled>"
        end = text.rindex(f"</{tag}>")
        return text[:end] + more + text[end:]


def routes(ec2: ModuleType) -> None:
    """A route to a NAT gateway or internet gateway that is deleted or detached is a blackhole.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    """

    @wrap(ec2, "_rtb_fields_xml")
    def show(original: Callable[..., str], table: Json, tag: str = "item") -> str:
        listed = [{**route, "State": state(route, table["VpcId"])} for route in table.get("Routes") or ()]
        return original({**table, "Routes": listed}, tag)

    def state(route: Json, vpc: str) -> str:
        gateway, nat = str(route.get("GatewayId", "")), route.get("NatGatewayId")
        if gateway.startswith("igw-"):
            attachments = (ec2._internet_gateways.get(gateway) or {}).get("Attachments") or ()
            return "active" if any(one.get("VpcId") == vpc for one in attachments) else "blackhole"
        if nat:
            return "active" if (ec2._nat_gateways.get(nat) or {}).get("State") == "available" else "blackhole"
        return str(route.get("State", "active"))


def launches(ec2: ModuleType) -> None:
    """An instance keeps whether its launch requested a public address; else the subnet decides."""

    @wrap(ec2, "_run_instances")
    def run(original: Callable[..., Any], params: Json) -> Any:
        before = set(ec2._instances)
        response = original(params)
        requested = ec2._p(params, "NetworkInterface.1.AssociatePublicIpAddress")
        for name in set(ec2._instances) - before:
            if requested:
                ec2._instances[name]["_public"] = requested.lower() == "true"
        return response


def patch(ec2: ModuleType, ecs: ModuleType) -> None:
    """All of them."""
    placements(ecs)
    vpc_defaults(ec2)
    endpoints(ec2)
    routes(ec2)
    launches(ec2)
