# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a listener: one typed function for each call.

`elb` is a client of `Connection.client("elbv2")`, which retries by itself.
"""

from __future__ import annotations

from ..._core.errors import aws_call, aws_delete
from ..._core.paging import pages
from ..._core.tags import Tags, to_capital_list
from ..._core.types import Client, Json


@aws_call
def list_rules(elb: Client, listener_arn: str) -> list[Json]:
    return pages(elb, "describe_rules", "Rules", ListenerArn=listener_arn)


@aws_call
def create_rule(elb: Client, listener_arn: str, priority: int, request: Json, owner: Tags) -> None:
    """With its tags, so that it has an owner from its first moment."""
    tagged = {"Tags": to_capital_list(owner)} if owner else {}
    elb.create_rule(ListenerArn=listener_arn, Priority=priority, **request, **tagged)


@aws_call
def modify_rule(elb: Client, rule_arn: str, request: Json) -> None:
    elb.modify_rule(RuleArn=rule_arn, **request)


@aws_call
def set_default_action(elb: Client, listener_arn: str, action: Json) -> None:
    elb.modify_listener(ListenerArn=listener_arn, DefaultActions=[action])


@aws_delete
def delete_rule(elb: Client, rule_arn: str) -> None:
    elb.delete_rule(RuleArn=rule_arn)
