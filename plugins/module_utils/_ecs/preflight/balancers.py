# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load balancers and target groups of others that a site uses: they exist, and fit the services. Pure."""

from __future__ import annotations

import typing as t

from ..._core.tags import carries
from ..._core.types import Json
from .checklist import Checklist, Reference, Unread, listed
from .network import target_groups_of, vpc_of

PORTS = (443, 80)
_ACTIVE = ("active", "active_impaired")


def check(checklist: Checklist) -> None:
    for item in checklist.desired.site.get("load_balancers") or ():
        _check_balancer(checklist, item)
    for item in checklist.desired.site.get("target_groups") or ():
        place, remedy = str(item.get("place") or "target_groups"), "Create the target group, or correct the ARN."
        found = checklist.find(Reference("target group", place, "target group", str(item.get("name")), remedy))
        if found:
            _check_vpc(checklist, place, "target group", found, found["TargetGroupName"])


def _check_balancer(checklist: Checklist, item: Json) -> None:
    place = str(item.get("place") or "load_balancers")
    found = _by_tags(checklist, place, item["tags"]) if item.get("tags") else _by_name(checklist, place, item)
    if not found:
        return
    name = found["LoadBalancerName"]
    if found["Type"] != "application":
        text = f"expected an Application Load Balancer, got {name} of type {found['Type']}."
        checklist.fail("load balancer", place, f"{text} Use another one.")
        return
    state = str(found["State"].get("Code"))
    if state not in _ACTIVE:
        text = f"expected an active load balancer, got {name} with state {state}."
        checklist.fail("load balancer", place, f"{text} Wait for it, or use another one.")
        return
    if _check_vpc(checklist, place, "load balancer", found, str(found["LoadBalancerName"])):
        _check_listeners(checklist, item, found)
        _check_groups(checklist, place, found)


def _by_name(checklist: Checklist, place: str, item: Json) -> t.Any:
    remedy = "Create the load balancer, or correct its name."
    return checklist.find(Reference("load balancer", place, "load balancer", str(item.get("name")), remedy))


def _by_tags(checklist: Checklist, place: str, tags: Json) -> t.Any:
    """The only load balancer that has all of the tags."""
    every = checklist.account.read("load balancers")
    arns = [str(one["LoadBalancerArn"]) for one in every or ()] if not isinstance(every, Unread) else []
    tags_of = checklist.account.read("tags of load balancers", *arns) if arns else {}
    for answer in (every, tags_of):
        if isinstance(answer, Unread):
            checklist.unread("load balancer", place, "which load balancer has these tags", answer)
            return None
    found = [one for one in every or () if carries(tags_of[one["LoadBalancerArn"]], tags)]
    if len(found) == 1:
        return found[0]
    wanted = listed(f"{name}={value}" for name, value in tags.items())
    text = f"expected one load balancer with {wanted}, got {listed(one['LoadBalancerName'] for one in found)}."
    checklist.fail("load balancer", place, f"{text} Correct the tags, or set the ARN of the load balancer.")
    return None


def _check_vpc(checklist: Checklist, place: str, kind: str, found: Json, name: str) -> bool:
    """Where the tasks are. None is a target group of functions, which has no VPC."""
    vpcs = [vpc for vpc in (vpc_of(checklist, service) for service in checklist.desired.services) if vpc]
    if vpcs and found.get("VpcId") not in (*vpcs, None):
        where = listed(dict.fromkeys(vpcs))
        text = f"expected a {kind} in {where}, where the tasks are, got {name} in {found['VpcId']}."
        checklist.fail(kind, place, f"{text} Use one in that VPC.")
        return False
    checklist.ok(kind, place, f"{kind} {name} exists")
    return True


def _check_listeners(checklist: Checklist, item: Json, found: Json) -> None:
    place, name = str(item.get("listeners_place") or "listeners"), found["LoadBalancerName"]
    listeners = checklist.account.read("listeners", str(found["LoadBalancerArn"]))
    if isinstance(listeners, Unread):
        checklist.unread("listener", place, f"the listeners of {name}", listeners)
        return
    arns = [str(one["ListenerArn"]) for one in listeners or ()]
    wanted = [str(arn) for arn in item.get("listeners") or ()]
    missing = [arn for arn in wanted if arn not in arns]
    if missing:
        text = f"expected listeners of {name}, got {listed(missing)}, which it does not have."
        checklist.fail("listener", place, f"{text} Correct the ARNs: it has {listed(arns)}.")
    elif not wanted and not any(one.get("Port") in PORTS for one in listeners or ()):
        ports = listed(one.get("Port") for one in listeners or ())
        text = f"expected a listener on port 443 or 80 of {name}, got ports {ports}."
        checklist.fail("listener", place, f"{text} Create one, or set the listeners for the rules.")
    else:
        checklist.ok("listener", place, f"{name} has the listeners")


def _check_groups(checklist: Checklist, place: str, found: Json) -> None:
    """A target group serves one load balancer."""
    arn = found["LoadBalancerArn"]
    for service in checklist.desired.services:
        for at, group in target_groups_of(checklist, service):
            others = [one for one in group["LoadBalancerArns"] or () if one != arn]
            if others:
                text = f"expected a target group that {found['LoadBalancerName']} can use, got"
                text += f" {group['TargetGroupName']}, which {listed(others)} uses."
                checklist.fail("target group", at, f"{text} Use another target group, or that load balancer.")
