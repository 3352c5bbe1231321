# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quotas of the account: enough for what the run creates. Pure."""

from __future__ import annotations

import math
import typing as t

from ..limits import FARGATE, amount, items_of
from .checklist import Checklist, Service, Unread


class Quota(t.NamedTuple):
    """A quota: the codes of Service Quotas, and what it counts."""

    service: str
    code: str
    what: str


ON_DEMAND = Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU")
SPOT = Quota("fargate", "L-36FBB829", "Fargate Spot vCPU")
RULES = Quota("elasticloadbalancing", "L-7EED9B64", "rules of an Application Load Balancer")
# As many every account has. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
RULES_OF_EVERY_ACCOUNT = 100
# What a site creates, by the kind.
CREATED = {
    "VPC": Quota("vpc", "L-F678F1CE", "VPCs in the region"),
    "elastic IP": Quota("ec2", "L-0263D0A3", "elastic IP addresses in the region"),
    "load balancer": Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers in the region"),
}


def check(checklist: Checklist) -> None:
    for quota, vcpus in _processors(checklist.desired.services).items():
        _check_processors(checklist, quota, vcpus)
    for kind, number in (checklist.desired.site.get("new") or {}).items():
        _check_count(checklist, kind, int(number))
    _check_rules(checklist, int(checklist.desired.site.get("rules") or 0))


def _check_rules(checklist: Checklist, rules: int) -> None:
    value = _value(checklist, RULES) if rules > RULES_OF_EVERY_ACCOUNT else None
    if value is not None and rules > value:
        text = f"expected a quota of {rules} or more for {RULES.what}, got {value:g}."
        checklist.fail(
            "quota", "quotas", f"{text} Request a higher quota, or distribute the rules over several load balancers."
        )


def _processors(services: t.Sequence[Service]) -> dict[Quota, float]:
    """The vCPUs that all desired tasks have together, by the quota that counts them."""
    found: dict[Quota, float] = {}
    for service in services:
        cpu = amount(service.definition.get("cpu"), "vcpu")
        quota = _quota_of(service)
        if cpu and quota:
            found[quota] = found.get(quota, 0) + service.tasks * cpu / 1024
    return found


def _quota_of(service: Service) -> Quota | None:
    providers = {str(one.get("capacityProvider")) for one in items_of(service.options, "capacity_provider_strategy")}
    if providers == {"FARGATE_SPOT"}:
        return SPOT
    on_fargate = service.options.get("launch_type") == FARGATE or providers == {FARGATE}
    return ON_DEMAND if on_fargate else None


def _value(checklist: Checklist, quota: Quota) -> float | None:
    answer = checklist.account.read("quota", quota.code, quota.service)
    if isinstance(answer, Unread):
        checklist.unread("quota", "quotas", f"the quota of {quota.what}", answer)
        return None
    return None if answer is None else float(answer["Value"])


def _check_processors(checklist: Checklist, quota: Quota, vcpus: float) -> None:
    value = _value(checklist, quota)
    if value is None:
        return
    needed = math.ceil(vcpus * 100) / 100
    if needed > value:
        text = f"expected a quota of at least {needed:g} for {quota.what}, which the services need, got {value:g}."
        checklist.fail("quota", "quotas", f"{text} Request a higher quota, or lower desired_count or cpu.")
    else:
        checklist.ok("quota", "quotas", f"{quota.what}: {needed:g} of {value:g}")


def _check_count(checklist: Checklist, kind: str, wanted: int) -> None:
    quota = CREATED[kind]
    used = checklist.account.read("usage", kind)
    if isinstance(used, Unread):
        checklist.unread("quota", "quotas", f"the number of {quota.what}", used)
        return
    project = str(checklist.desired.site.get("project") or "")
    own = [one for one in used or () if _is_own(one, project)]
    new = wanted - len(own)
    if new <= 0:
        return
    value = _value(checklist, quota)
    total = len(used or ()) + new
    if value is not None and total > value:
        text = f"expected a quota of at least {total} for {quota.what}, because this run creates {new}, got {value:g}."
        checklist.fail("quota", "quotas", f"{text} Request a higher quota, or delete unused ones.")
    elif value is not None:
        checklist.ok("quota", "quotas", f"{quota.what}: {total} of {value:g}")


def _is_own(item: t.Mapping[str, t.Any], project: str) -> bool:
    """By the tag; load balancers are described without their tags, and their names begin with the project."""
    tags = {one.get("Key"): one.get("Value") for one in item.get("Tags") or ()}
    return tags.get("slipway:project") == project or str(item.get("LoadBalancerName", "")).startswith(f"{project}-")
