# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module elb_listener_rules does: read, compare, apply once.

A listener's rules are compared and changed together, so they are not a `_core.resource`.
"""

from __future__ import annotations

from ..._core import rule_actions as actions
from ..._core.creating import converge, creating
from ..._core.elb_tags import tags_of
from ..._core.plan import Plan, compare
from ..._core.shapes import input_shape
from ..._core.tags import Tags
from ..._core.types import Client, Connection, Json, Result
from . import api, model, owner


def run(connection: Connection) -> Result:
    """The listener has these rules and, beside its default one and those of others, no more."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    elb, params = connection.client("elbv2"), connection.params
    tags = owner.checked(params["owner_tags"])
    given = model.desired(params["rules"], input_shape(elb, "CreateRule"))
    secrets = {rule["priority"]: rule["client_secret"] for rule in params["rules"] if rule.get("client_secret")}
    arn = params["listener_arn"]
    answers = api.list_rules(elb, arn)
    listed, default = model.from_api(answers), model.default_from_api(answers)
    wanted, action = model.keep_shifted(given, listed), model.default_of(params["default_action"], default)
    current, unowned = _ours(elb, listed, wanted, tags)
    model.refuse_missing_secrets(wanted, current, secrets)
    if unowned and not connection.check_mode:
        owner.refuse_not_adopted(unowned)
    before: Json = {"rules": [model.settings(rule) for rule in current]}
    after: Json = {"rules": [model.settings(rule) for rule in wanted]}
    if params["default_action"]:
        before, after = {**before, "default_action": default}, {**after, "default_action": action}
    planned = compare(before, after, model.SETS)
    if planned.changed and not connection.check_mode:
        if action != default:
            api.set_default_action(elb, arn, actions.joined(action)[0])
        _Listener(elb, arn, tags, secrets, planned).apply(current, wanted)
    rules = [model.to_result(rule) for rule in wanted]
    warnings = [owner.not_adopted_text(unowned)] if unowned else []
    return {"changed": planned.changed, "diff": planned.diff, "rules": rules, "warnings": warnings}


def _ours(elb: Client, listed: list[Json], wanted: list[Json], tags: Tags) -> tuple[list[Json], list[Json]]:
    """The rules to compare with, and those of them that no project owns."""
    if not tags:
        return listed, []
    known = tags_of(elb, [rule["rule_arn"] for rule in listed])
    own = owner.ours(listed, known, tags)
    unowned = owner.not_adopted(wanted, [rule for rule in listed if rule not in own], known)
    return [rule for rule in listed if rule in own or rule in unowned], unowned


class _Listener:
    """The changes to one listener's rules."""

    def __init__(self, elb: Client, arn: str, tags: Tags, secrets: dict[int, str], planned: Plan) -> None:
        self.elb, self.arn, self.tags, self.secrets, self.planned = elb, arn, tags, secrets, planned
        self.begun = False

    def apply(self, current: list[Json], wanted: list[Json]) -> None:
        """Delete what is not desired last, so that its requests reach a target until then."""
        there = {rule["priority"]: rule for rule in current}
        for rule in wanted:
            old = there.pop(rule["priority"], None)
            if old is None:
                self._create(rule)
            elif model.settings(old) != model.settings(rule):
                request = model.request(rule, old, self.secrets.get(rule["priority"]))
                api.modify_rule(self.elb, old["rule_arn"], request)
            self.begun |= old is None or model.settings(old) != model.settings(rule)
        for rule in there.values():
            api.delete_rule(self.elb, rule["rule_arn"])

    def _create(self, rule: Json) -> None:
        priority = rule["priority"]
        request = model.request(rule, None, self.secrets.get(priority))
        creating(
            lambda: api.create_rule(self.elb, self.arn, priority, request, self.tags),
            lambda: [one for one in api.list_rules(self.elb, self.arn) if one["Priority"] == str(priority)],
            self.planned.diff,
            self.begun,
        )
