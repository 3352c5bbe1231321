# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module for listener rules does: read, plan, apply once."""

from __future__ import annotations

import typing as t

from .._core.module import Connection, Result
from .._core.plan import compare
from . import api, rules

Json = dict[str, t.Any]


def listener_rules(connection: Connection) -> Result:
    """The listener has these rules and, beside its default one, no others."""
    elb, params = connection.client("elbv2"), connection.params
    wanted = rules.asked(params["rules"])
    arn = params["listener_arn"]
    current = rules.from_aws(api.list_rules(elb, arn))
    planned = compare({"rules": [rules.settings(rule) for rule in current]}, {"rules": wanted}, rules.SETS)
    if planned.changed and not connection.check_mode:
        _apply(elb, arn, current, wanted)
    return {"changed": planned.changed, "diff": planned.diff, "rules": wanted}


def _apply(elb: api.Client, listener_arn: str, current: list[Json], wanted: list[Json]) -> None:
    """What is no longer wanted goes last, so that until then its requests reach somebody."""
    there = {rule["priority"]: rule for rule in current}
    for rule in wanted:
        old = there.pop(rule["priority"], None)
        if old is None:
            api.create_rule(elb, listener_arn, rule["priority"], rules.request(rule))
        elif rules.settings(old) != rule:
            api.modify_rule(elb, old["rule_arn"], rules.request(rule))
    for rule in there.values():
        api.delete_rule(elb, rule["rule_arn"])
