# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Elastic Load Balancing and its certificates."""

from __future__ import annotations

import typing as t

from ..._core import tags
from ..._core.answers import check_complete
from ..._core.paging import batches, pages
from ..._core.types import Json
from .base_api import Account, Found, Read, each, shared

BALANCERS = ("describe_load_balancers", "LoadBalancers", "LoadBalancer")
TARGET_GROUPS = ("describe_target_groups", "TargetGroups", "TargetGroup")
# Of a rule on a load balancer of others, what its listener and that load balancer say.
FROM_LISTENER = ("ListenerArn", "LoadBalancerArn", "Port", "Protocol")


@shared
def tagged(account: Account, operation: str, member: str, prefix: str) -> list[Found]:
    """Load balancers and what is theirs: tags of twenty at a time."""
    elb = account.clients["elbv2"]
    listed = {one[f"{prefix}Arn"]: one for one in pages(elb, operation, member)}
    return [
        Found(arn, listed[arn][f"{prefix}Name"], own, arn=arn, details=listed[arn])
        for arn, own in _tags_of(account, list(listed))
    ]


def _tags_of(account: Account, arns: list[str]) -> t.Iterator[tuple[str, tags.Tags]]:
    for some in batches(arns, 20):
        found = account.clients["elbv2"].describe_tags(ResourceArns=some)["TagDescriptions"]
        check_complete("DescribeTags", some, [one["ResourceArn"] for one in found])
        yield from ((one["ResourceArn"], tags.from_list(one["Tags"])) for one in found)


def balanced(operation: str, member: str, prefix: str) -> Read:
    return lambda account: tagged(account, operation, member, prefix)


def rules_on_shared(account: Account) -> t.Iterator[Found]:
    """Rules on load balancers of others that forward to target groups of the project.

    Rules of the project's own load balancers are part of these.
    """
    elb, project = account.clients["elbv2"], account.project
    groups = [one for one in tagged(account, *TARGET_GROUPS) if tags.belongs_to(one.tags, project)]
    used = {arn for one in groups for arn in one.details.get("LoadBalancerArns") or ()}
    others = [one for one in tagged(account, *BALANCERS) if one.id in used and not tags.belongs_to(one.tags, project)]
    for balancer in others:
        listed = pages(elb, "describe_listeners", "Listeners", LoadBalancerArn=balancer.id)
        for listener, rules in each(
            listed, lambda one: pages(elb, "describe_rules", "Rules", ListenerArn=one["ListenerArn"])
        ):
            own = {one["RuleArn"]: one for one in rules if not one.get("IsDefault")}
            place = {name: listener.get(name) for name in FROM_LISTENER}
            place |= {name: balancer.details.get(name) for name in ("DNSName", "LoadBalancerName")}
            for arn, found in _tags_of(account, list(own)):
                name = f"{balancer.name}:{listener.get('Port')} priority {own[arn].get('Priority')}"
                yield Found(arn, name, found, arn=arn, details={**own[arn], **place})


def load_balancer_attributes(account: Account, balancer: Found) -> Json:
    answer = account.clients["elbv2"].describe_load_balancer_attributes(LoadBalancerArn=balancer.id)
    return {"Attributes": {one["Key"]: one["Value"] for one in answer["Attributes"]}}


def listeners(account: Account, balancer: Found) -> Json:
    """Each with its rules, and with all of its certificates."""
    elb = account.clients["elbv2"]

    def read(listener: Json) -> Json:
        arn = listener["ListenerArn"]
        members: Json = {"Rules": pages(elb, "describe_rules", "Rules", ListenerArn=arn)}
        if listener.get("Certificates"):
            members["Certificates"] = pages(elb, "describe_listener_certificates", "Certificates", ListenerArn=arn)
        return members

    listed = pages(elb, "describe_listeners", "Listeners", LoadBalancerArn=balancer.id)
    found = [{**listener, **members} for listener, members in each(listed, read)]
    return {"Listeners": sorted(found, key=lambda one: int(one.get("Port") or 0))}


def target_group_attributes(account: Account, group: Found) -> Json:
    answer = account.clients["elbv2"].describe_target_group_attributes(TargetGroupArn=group.id)
    return {"Attributes": {one["Key"]: one["Value"] for one in answer["Attributes"]}}


def target_health(account: Account, group: Found) -> Json:
    answer = account.clients["elbv2"].describe_target_health(TargetGroupArn=group.id)
    return {"TargetHealth": answer["TargetHealthDescriptions"]}


def certificates(account: Account) -> t.Iterator[Found]:
    acm = account.clients["acm"]

    def read(item: Json) -> tags.Tags:
        return tags.from_list(acm.list_tags_for_certificate(CertificateArn=item["CertificateArn"])["Tags"])

    for item, own in each(pages(acm, "list_certificates", "CertificateSummaryList"), read):
        arn = item["CertificateArn"]
        yield Found(arn, item["DomainName"], own, arn=arn, details=item)


def certificate(account: Account, summary: Found) -> Json:
    return dict(account.clients["acm"].describe_certificate(CertificateArn=summary.id)["Certificate"])
