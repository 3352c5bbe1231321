# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target groups of services: they exist, fit the network mode and the VPC, and have a load balancer. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json
from .checklist import Checklist, Reference, Service, listed
from .network import mode_of, vpc_of

REMEDY = "Create the target group, or correct the ARN."


def check(checklist: Checklist, service: Service) -> None:
    for number, item in enumerate(service.options.get("load_balancers") or ()):
        place = service.at(f"load_balancers[{number}]")
        advanced = item.get("advancedConfiguration") or {}
        for member, name in (
            ("targetGroupArn", item.get("targetGroupArn")),
            ("advancedConfiguration.alternateTargetGroupArn", advanced.get("alternateTargetGroupArn")),
        ):
            if not name:
                continue
            at = f"{place}.{member}"
            found = checklist.find(Reference("target group", at, "target group", str(name), REMEDY))
            if found:
                _check_group(checklist, service, at, found)
        for member in ("productionListenerRule", "testListenerRule"):
            if rule := advanced.get(member):
                remedy = "Create the rule, or correct the ARN."
                at = f"{place}.advancedConfiguration.{member}"
                checklist.find(Reference("listener rule", at, "listener rule", str(rule), remedy))


def _check_group(checklist: Checklist, service: Service, place: str, found: Json) -> None:
    problems = list(_problems(checklist, service, found))
    for text in problems:
        checklist.fail("target group", place, text)
    if not problems:
        checklist.ok("target group", place, f"target group {found['TargetGroupName']} fits the service")


def _problems(checklist: Checklist, service: Service, found: Json) -> Iterator[str]:
    mode, name = mode_of(service), found["TargetGroupName"]
    wanted = "ip" if mode == "awsvpc" else "instance"
    if found.get("TargetType") != wanted:
        yield (
            f"expected a target group of target type {wanted} with network mode {mode}, got {name} of"
            f" {found.get('TargetType')}. Use another target group, because AWS cannot change its type."
        )
    vpc = vpc_of(checklist, service)
    if vpc and found.get("VpcId") not in (vpc, None):
        text = f"expected a target group in {vpc}, where the tasks are, got {name} in {found['VpcId']}."
        yield f"{text} Use one in {vpc}."
    if not found.get("LoadBalancerArns"):
        yield (
            f"expected a target group with a load balancer, got {name} with none. Create a listener or a rule that"
            " forwards to it."
        )
    yield from _zone_problems(checklist, service, found)


def _zone_problems(checklist: Checklist, service: Service, found: Json) -> Iterator[str]:
    """A target in a zone that the load balancer does not use gets no traffic."""
    names = (service.options.get("network_configuration") or {}).get("awsvpcConfiguration", {}).get("subnets") or ()
    if any(name == NOT_KNOWN or checklist.desired.manages("subnet", str(name)) for name in names):
        return
    subnets = [checklist.account.known("subnet", str(name)) for name in names]
    zones = {str(one.get("AvailabilityZone")) for one in subnets if one}
    for arn in found.get("LoadBalancerArns") or ():
        balancer = t.cast("Json | None", checklist.account.known("load balancer", arn))
        if balancer is None or balancer.get("Type") != "application":
            continue
        used = [str(one.get("SubnetId")) for one in balancer.get("AvailabilityZones") or ()]
        known = [checklist.account.known("subnet", name) for name in used]
        covered = {str(one.get("AvailabilityZone")) for one in known if one}
        missing = sorted(zones - covered)
        if covered and missing:
            where = f"{balancer['LoadBalancerName']} ({listed(sorted(covered))})"
            yield (
                f"expected tasks in the zones of load balancer {where}, got subnets in {listed(missing)}. Add these"
                " zones to the load balancer, or remove the subnets."
            )
