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
from .base_api import Account, Found, Read, each


def balanced(operation: str, member: str, prefix: str) -> Read:
    """Load balancers and what is theirs: tags of twenty at a time."""

    def find(account: Account) -> t.Iterator[Found]:
        elb = account.clients["elbv2"]
        for some in batches(pages(elb, operation, member), 20):
            listed = {one[f"{prefix}Arn"]: one for one in some}
            found = elb.describe_tags(ResourceArns=list(listed))["TagDescriptions"]
            check_complete("DescribeTags", listed, [one["ResourceArn"] for one in found])
            for one in found:
                arn = one["ResourceArn"]
                details = listed[arn]
                yield Found(arn, details[f"{prefix}Name"], tags.from_list(one["Tags"]), arn=arn, details=details)

    return find


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
