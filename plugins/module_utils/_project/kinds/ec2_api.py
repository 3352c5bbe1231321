# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2 and EC2 Auto Scaling: the network, hosts and what they are started from."""

from __future__ import annotations

import typing as t

from ..._core import tags
from ..._core.paging import pages
from ..._core.types import Json
from .base_api import DELETED, Account, Found, Read, all_of


def ec2(operation: str, member: str, identity: str, name: str = "", holds: str = "") -> Read:
    """A kind whose answers carry their tags and can be filtered by them."""

    def find(account: Account) -> t.Iterator[Found]:
        for item in all_of(account.clients["ec2"], operation, member, Filters=account.mine):
            for one in item["Instances"] if member == "Reservations" else [item]:
                if _state(one).lower() in DELETED:
                    continue
                own = tags.from_list(one.get("Tags"))
                yield Found(one[identity], one.get(name) or own.get("Name", ""), own, holds, details=one)

    return find


def flow_logs(account: Account) -> t.Iterator[Found]:
    """Unlike other calls of EC2, this one has a member Filter."""
    for one in all_of(account.clients["ec2"], "describe_flow_logs", "FlowLogs", Filter=account.mine):
        own = tags.from_list(one.get("Tags"))
        yield Found(one["FlowLogId"], own.get("Name", ""), own, details=one)


def _state(item: Json) -> str:
    """Its state, where it has one. That of VPC endpoints has a capital or not, by their type."""
    state = item.get("State") or ""
    return str(state["Name"] if isinstance(state, dict) else state)


def vpc_attributes(account: Account, vpc: Found) -> Json:
    read = account.clients["ec2"].describe_vpc_attribute
    names = ("EnableDnsSupport", "EnableDnsHostnames")
    return {name: read(VpcId=vpc.id, Attribute=f"e{name[1:]}")[name]["Value"] for name in names}


def default_group(account: Account, vpc: Found) -> Json:
    """The rules of the default security group of a VPC, which has no tags of its own."""
    own = [{"Name": "vpc-id", "Values": [vpc.id]}, {"Name": "group-name", "Values": ["default"]}]
    found = pages(account.clients["ec2"], "describe_security_groups", "SecurityGroups", Filters=own)
    groups = [one for one in found if one.get("GroupName") == "default" and one.get("VpcId") == vpc.id]
    members = ("GroupId", "IpPermissions", "IpPermissionsEgress")
    return {"DefaultSecurityGroup": {name: groups[0].get(name) for name in members} if groups else None}


def instance_attributes(account: Account, instance: Found) -> Json:
    """Termination protection, and whether AWS finds the instance healthy."""
    client = account.clients["ec2"]
    protection = client.describe_instance_attribute(InstanceId=instance.id, Attribute="disableApiTermination")
    statuses = client.describe_instance_status(InstanceIds=[instance.id])["InstanceStatuses"]
    return {
        "DisableApiTermination": protection["DisableApiTermination"]["Value"],
        # AWS lists running instances only.
        "InstanceStatus": statuses[0] if statuses else None,
    }


def versions(account: Account, template: Found) -> Json:
    """The newest version of a launch template, and the one that it starts by default."""
    answer = account.clients["ec2"].describe_launch_template_versions(
        LaunchTemplateId=template.id, Versions=["$Latest", "$Default"]
    )
    found = {one["VersionNumber"]: one for one in answer["LaunchTemplateVersions"]}
    return {"LaunchTemplateVersions": [found[number] for number in sorted(found)]}


def scaling_groups(account: Account) -> t.Iterator[Found]:
    scaling = account.clients["autoscaling"]
    for one in pages(scaling, "describe_auto_scaling_groups", "AutoScalingGroups", Filters=account.mine):
        name, arn = one["AutoScalingGroupName"], one["AutoScalingGroupARN"]
        yield Found(name, name, tags.from_list(one.get("Tags")), arn=arn, details=one)
