# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Elastic Load Balancing, one typed function a call: paginated, errors translated.

`elb` is a client of `Connection.client("elbv2")`, which retries by itself.
"""

from __future__ import annotations

import typing as t

from .._core.errors import aws_call
from .._core.paging import pages

Client = t.Any
Json = dict[str, t.Any]


@aws_call
def list_rules(elb: Client, listener_arn: str) -> list[Json]:
    return pages(elb, "describe_rules", "Rules", ListenerArn=listener_arn)


@aws_call
def create_rule(elb: Client, listener_arn: str, priority: int, request: Json) -> None:
    elb.create_rule(ListenerArn=listener_arn, Priority=priority, **request)


@aws_call
def modify_rule(elb: Client, rule_arn: str, request: Json) -> None:
    elb.modify_rule(RuleArn=rule_arn, **request)


@aws_call
def delete_rule(elb: Client, rule_arn: str) -> None:
    elb.delete_rule(RuleArn=rule_arn)
