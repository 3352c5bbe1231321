# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of tasks: subnets and security groups of one VPC, and routes to what starting a task reads. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json
from ..network.diagnose import IMAGE_SERVICES, of_listeners, of_start, of_targets
from ..network.model import INGRESS, Network, Placement, may_match, rules_for, runs_on_fargate
from .checklist import Checklist, Reference, Service, Unread, listed
from .permissions import image_of, logs_of, secret_of, secrets_of

# What was read of a VPC, by the field of Network.
PARTS = {
    "subnets": "subnets of VPC",
    "route_tables": "route tables of VPC",
    "nat_gateways": "NAT gateways of VPC",
    "endpoints": "VPC endpoints of VPC",
    "groups": "security groups of VPC",
}
NFS = 2049
ROUTE_ADVICE = "Add a NAT gateway or a VPC endpoint, or choose other subnets."


def configuration_of(service: Service) -> Json:
    return dict((service.options.get("network_configuration") or {}).get("awsvpcConfiguration") or {})


def mode_of(service: Service) -> str:
    """The network mode; Docker's default is that of Linux on EC2."""
    mode = str(service.definition.get("network_mode") or "")
    return mode or ("awsvpc" if configuration_of(service) else "bridge")


def check(checklist: Checklist, service: Service) -> None:
    if mode_of(service) == "awsvpc" and not configuration_of(service):
        checklist.fail(
            "network",
            service.place,
            "expected network_configuration with subnets for network mode awsvpc, got none. Set it.",
        )
        return
    subnets, groups = _members(checklist, service)
    vpcs = {str(one["VpcId"]) for one in subnets}
    vpcs |= {str(one["VpcId"]) for one in groups}
    if len(vpcs) > 1:
        _fail_vpcs(checklist, service, subnets, groups)
    elif vpcs:
        checklist.ok("vpc", service.place, f"{service.name}: subnets and security groups are in {listed(vpcs)}")
        _check_subnets(checklist, service, subnets)
        _check_routes(checklist, service, network_of(checklist, service))


def _members(checklist: Checklist, service: Service) -> tuple[list[Json], list[Json]]:
    configuration = configuration_of(service)
    where = "network_configuration.awsvpcConfiguration"
    found: list[list[Json]] = []
    for member, kind in (("subnets", "subnet"), ("securityGroups", "security group")):
        remedy = f"Choose {kind}s in the VPC of the tasks."
        references = [
            Reference("network", service.at(f"{where}.{member}"), kind, str(name), remedy)
            for name in configuration.get(member) or ()
        ]
        answers = [checklist.find(one) for one in references]
        found.append([one for one in answers if one])
    return found[0], found[1]


def _fail_vpcs(checklist: Checklist, service: Service, subnets: list[Json], groups: list[Json]) -> None:
    names = [f"{one.get('SubnetId') or one.get('GroupId')} in {one['VpcId']}" for one in [*subnets, *groups]]
    checklist.fail(
        "vpc",
        service.at("network_configuration"),
        f"expected subnets and security groups in one VPC, got {listed(names)}. Choose them in the same VPC.",
    )


def _check_subnets(checklist: Checklist, service: Service, subnets: list[Json]) -> None:
    zones = {str(one.get("AvailabilityZone")) for one in subnets}
    place = service.at("network_configuration.awsvpcConfiguration.subnets")
    if len(zones) == 1 and service.tasks > 1:
        text = f"expected subnets in two or more zones for {service.tasks} tasks, got {listed(zones)} only."
        checklist.warn(
            "zones", place, f"{text} Add a subnet in another zone, so that the service survives the failure of one."
        )
    counts = [one.get("AvailableIpAddressCount") for one in subnets]
    if counts and all(isinstance(count, int) for count in counts):
        free = sum(t.cast("list[int]", counts))
        if free < service.tasks:
            text = f"expected {service.tasks} free addresses, one for each task, got {free}."
            checklist.fail("addresses", place, f"{text} Add subnets, or use larger ones.")


def vpc_of(checklist: Checklist, service: Service) -> str:
    """The VPC of the tasks, as far as it is known."""
    for name in configuration_of(service).get("subnets") or ():
        if name == NOT_KNOWN or checklist.desired.manages("subnet", str(name)):
            continue
        found = checklist.account.known("subnet", str(name))
        if found:
            return str(found["VpcId"])
    return ""


def network_of(checklist: Checklist, service: Service) -> Network:
    """The VPC of a service with its load balancers. What could not be read is None there."""
    vpc = vpc_of(checklist, service)
    parts: dict[str, t.Any] = {
        name: checklist.account.known(kind, vpc) if vpc else None for name, kind in PARTS.items()
    }
    groups = [found for _place, found in target_groups_of(checklist, service)]
    arns = sorted({arn for group in groups for arn in group.get("LoadBalancerArns") or ()})
    balancers = [checklist.account.known("load balancer", arn) for arn in arns]
    listeners = {arn: checklist.account.known("listeners", arn) or [] for arn in arns}
    return Network(
        vpc=vpc,
        **parts,
        target_groups=groups,
        balancers=[one for one in balancers if one],
        listeners=listeners,
    )


def target_groups_of(checklist: Checklist, service: Service) -> Iterator[tuple[str, Json]]:
    """The existing target groups of a service, each with its place."""
    for number, item in enumerate(service.options.get("load_balancers") or ()):
        advanced = item.get("advancedConfiguration") or {}
        members = {
            "targetGroupArn": item.get("targetGroupArn"),
            "advancedConfiguration.alternateTargetGroupArn": advanced.get("alternateTargetGroupArn"),
        }
        for member, name in members.items():
            if not name or name == NOT_KNOWN or checklist.desired.manages("target group", str(name)):
                continue
            found = checklist.account.known("target group", str(name))
            if found:
                yield service.at(f"load_balancers[{number}].{member}"), found


# Routes


def _as_aws(service: Service) -> Json:
    """As much of the service as the diagnosis of networks reads, in AWS's spelling."""
    options = service.options
    return {
        "networkConfiguration": options.get("network_configuration"),
        "capacityProviderStrategy": options.get("capacity_provider_strategy"),
        "launchType": options.get("launch_type"),
        "loadBalancers": options.get("load_balancers") or [],
    }


def destinations(service: Service, checklist: Checklist) -> dict[str, str]:
    """The services of AWS that starting a task reads, each with what for."""
    home = checklist.account.home
    found: dict[str, str] = {}
    for place, container in service.containers:
        image = image_of(container.get("image"))
        if image and image.region == home.region:
            found |= {name: f"{place}, image" for name in IMAGE_SERVICES if name not in found}
    for place, options in logs_of(service):
        if str(options.get("awslogs-region") or home.region) == home.region:
            found.setdefault("logs", place)
    for place, value in secrets_of(service):
        secret = secret_of(value, home)
        if secret.region == home.region:
            found.setdefault("secretsmanager" if secret.store == "secret" else "ssm", place)
    return found


def _check_routes(checklist: Checklist, service: Service, network: Network) -> None:
    aws = _as_aws(service)
    placement = Placement.from_api(aws, network)
    if placement is None or not network.vpc:
        return
    if runs_on_fargate(aws):
        for kind in PARTS.values():
            answer = checklist.account.read(kind, network.vpc)
            if isinstance(answer, Unread):
                checklist.unread("route", service.place, f"the routes of {network.vpc}", answer)
        for name, place in destinations(service, checklist).items():
            findings = of_start(network, placement, [name])
            if findings:
                text = " ".join(one.text for one in findings)
                checklist.fail(
                    "route", place, f"expected a route from the tasks to {name}, got none. {text} {ROUTE_ADVICE}"
                )
            else:
                checklist.ok("route", place, f"the tasks reach {name}")
    _check_balancers(checklist, service, network, placement)
    _check_file_systems(checklist, service, network, placement)


def _check_balancers(checklist: Checklist, service: Service, network: Network, placement: Placement) -> None:
    arns = {str(one.get("TargetGroupName")): one["TargetGroupArn"] for one in network.target_groups or ()}
    entries = [
        {**one, "targetGroupArn": arns.get(str(one.get("targetGroupArn")), one.get("targetGroupArn"))}
        for one in service.options.get("load_balancers") or ()
    ]
    place, findings = service.at("load_balancers"), of_targets(network, placement, {"loadBalancers": entries})
    for one in findings:
        text = f"expected rules that allow the load balancer to reach the tasks, got none. {one.text} Allow it."
        checklist.fail("traffic", place, text)
    # Other services of the load balancer may be the only ones that need these.
    for one in of_listeners(network):
        checklist.warn("traffic", place, f"expected listeners that clients can reach, got none. {one.text} Allow it.")


def _check_file_systems(checklist: Checklist, service: Service, network: Network, placement: Placement) -> None:
    for volume in service.definition.get("volumes") or ():
        system = str((volume.get("efsVolumeConfiguration") or {}).get("fileSystemId") or "")
        targets = checklist.account.known("mount targets", system) if system else None
        for target in targets or ():
            groups = target.get("SecurityGroups")
            ingress = rules_for(network, groups or (), INGRESS, NFS) if groups else None
            if ingress is not None and not may_match(ingress, placement.groups, network.ranges(placement.subnets)):
                checklist.fail(
                    "storage",
                    service.at(f"volume {volume.get('name')}"),
                    f"expected a mount target that allows the tasks on port {NFS}, got {target['MountTargetId']} with"
                    f" {listed(groups or ())}. Allow it in the security group of the mount target.",
                )
                return
