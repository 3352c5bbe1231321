# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module elb_listener_rules does: read, compare, apply once.

A listener's rules are compared and changed together, so they are not a `_core.resource`.
"""

from __future__ import annotations

from ..._core.creating import converge, creating
from ..._core.plan import compare
from ..._core.types import Client, Connection, Json, Result
from . import api, model


def run(connection: Connection) -> Result:
    """The listener has these rules and, beside its default one, no others."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    elb, params = connection.client("elbv2"), connection.params
    given = model.desired(params["rules"])
    arn = params["listener_arn"]
    answers = api.list_rules(elb, arn)
    current, default = model.from_api(answers), model.default_from_api(answers)
    wanted, action = model.keep_shifted(given, current), model.default_of(params["default_action"], default)
    before: Json = {"rules": [model.settings(rule) for rule in current]}
    after: Json = {"rules": [model.settings(rule) for rule in wanted]}
    if params["default_action"]:
        before, after = {**before, "default_action": default}, {**after, "default_action": action}
    planned = compare(before, after, model.SETS)
    if planned.changed and not connection.check_mode:
        if action != default:
            api.set_default_action(elb, arn, model.action(action))
        _apply(elb, arn, current, wanted, planned.diff)
    rules = [{name: value for name, value in rule.items() if name != "begins"} for rule in wanted]
    return {"changed": planned.changed, "diff": planned.diff, "rules": rules}


def _apply(elb: Client, listener_arn: str, current: list[Json], wanted: list[Json], diff: Json) -> None:
    """Delete what is not desired last, so that its requests reach a target until then."""
    there = {rule["priority"]: rule for rule in current}
    begun = False
    for rule in wanted:
        old = there.pop(rule["priority"], None)
        if old is None:
            _create_rule(elb, listener_arn, rule, diff, begun)
        elif model.settings(old) != model.settings(rule):
            api.modify_rule(elb, old["rule_arn"], model.request(rule, old))
        begun |= old is None or model.settings(old) != model.settings(rule)
    for rule in there.values():
        api.delete_rule(elb, rule["rule_arn"])


def _create_rule(elb: Client, listener_arn: str, rule: Json, diff: Json, begun: bool) -> None:
    priority = rule["priority"]
    creating(
        lambda: api.create_rule(elb, listener_arn, priority, model.request(rule)),
        lambda: [one for one in api.list_rules(elb, listener_arn) if one["Priority"] == str(priority)],
        diff,
        begun,
    )
