# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules for listener rules and target groups do: read, plan, apply once."""

from __future__ import annotations

from .._core import tags
from .._core.creating import converge, creating, visible
from .._core.module import Connection
from .._core.plan import UNKNOWN, Plan, compare, remove
from .._core.target_groups import DELAY, HEALTH_OPTIONS, attributes_request, health_request
from .._core.types import Client, Json, Result
from . import api, rules, target_group


def listener_rules(connection: Connection) -> Result:
    """The listener has these rules and, beside its default one, no others."""
    return converge(lambda: _listener_rules(connection))


def _listener_rules(connection: Connection) -> Result:
    elb, params = connection.client("elbv2"), connection.params
    asked = rules.asked(params["rules"])
    arn = params["listener_arn"]
    current = rules.from_aws(api.list_rules(elb, arn))
    wanted = rules.keep_shifted(asked, current)
    before, after = ({"rules": [rules.settings(rule) for rule in side]} for side in (current, wanted))
    planned = compare(before, after, rules.SETS)
    if planned.changed and not connection.check_mode:
        _apply(elb, arn, current, wanted, planned.diff)
    return {"changed": planned.changed, "diff": planned.diff, "rules": wanted}


def _apply(elb: Client, listener_arn: str, current: list[Json], wanted: list[Json], diff: Json) -> None:
    """What is no longer wanted goes last, so that until then its requests reach somebody."""
    there = {rule["priority"]: rule for rule in current}
    begun = False
    for rule in wanted:
        old = there.pop(rule["priority"], None)
        if old is None:
            _create_rule(elb, listener_arn, rule, diff, begun)
        elif rules.settings(old) != rules.settings(rule):
            api.modify_rule(elb, old["rule_arn"], rules.request(rule, old))
        begun |= old is None or rules.settings(old) != rules.settings(rule)
    for rule in there.values():
        api.delete_rule(elb, rule["rule_arn"])


def _create_rule(elb: Client, listener_arn: str, rule: Json, diff: Json, begun: bool) -> None:
    priority = rule["priority"]
    creating(
        lambda: api.create_rule(elb, listener_arn, priority, rules.request(rule)),
        lambda: [one for one in api.list_rules(elb, listener_arn) if one["Priority"] == str(priority)],
        diff,
        begun,
    )


def target_groups(connection: Connection) -> Result:
    absent = connection.params["state"] == "absent"
    return target_group_absent(connection) if absent else target_group_present(connection)


def target_group_present(connection: Connection) -> Result:
    """The target group exists with these settings."""
    return converge(lambda: _target_group_present(connection))


def _target_group_present(connection: Connection) -> Result:
    elb, params = connection.client("elbv2"), connection.params
    target_group.refuse_wrong(elb.meta.service_model.operation_model("CreateTargetGroup").input_shape, params)
    found = api.find_target_group(elb, params["name"])
    current = target_group.from_aws(found) if found else None
    wanted = target_group.asked(params, current)
    planned = compare(current, wanted)
    if current:
        target_group.check_fixed(params["name"], planned)
    arn = found["TargetGroupArn"] if found else UNKNOWN
    resource = planned.predicted
    if planned.changed and not connection.check_mode:
        if not found:
            arn = creating(
                lambda: api.create_target_group(elb, target_group.creation(params["name"], wanted)),
                lambda: api.find_target_group(elb, params["name"]),
                planned.diff,
            )
        _change_target_group(elb, arn, current, wanted, planned)
        # What AWS has filled in.
        if not found and (made := visible(lambda: api.find_target_group(elb, params["name"]))):
            resource = target_group.from_aws(made)
    shown = target_group.shown(params["name"], arn, resource)
    return {"changed": planned.changed, "diff": planned.diff, "target_group": shown}


def _change_target_group(elb: Client, arn: str, current: Json | None, wanted: Json, planned: Plan) -> None:
    """What a new one has from the start is not asked for again."""
    if DELAY in planned.members:
        api.modify_target_group_attributes(elb, arn, attributes_request(wanted))
    if current is None:
        return
    if planned.members & HEALTH_OPTIONS:
        api.modify_target_group(elb, arn, health_request(wanted))
    if "tags" in planned.members:
        put, gone = tags.changes(current["tags"], wanted["tags"])
        api.tag(elb, arn, tags.to_list(put, "Key", "Value"), gone)


def target_group_absent(connection: Connection) -> Result:
    """The target group does not exist."""
    elb, name = connection.client("elbv2"), connection.params["name"]
    found = api.find_target_group(elb, name)
    if not found:
        return {"changed": False, "diff": compare(None, {}).diff, "target_group": {}}
    if not connection.check_mode:
        api.delete_target_group(elb, found["TargetGroupArn"])
    return {"changed": True, "diff": remove(target_group.from_aws(found)).diff, "target_group": {}}
