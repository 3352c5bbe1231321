# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module elb_target_group does: read, plan, apply once."""

from __future__ import annotations

from ..._core import tags
from ..._core.creating import converge, creating, visible
from ..._core.plan import UNKNOWN, Plan, compare, remove
from ..._core.target_groups import DELAY, HEALTH_OPTIONS, attributes_request, health_request
from ..._core.types import Client, Connection, Json, Result
from . import api, model


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The target group exists with these settings."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    elb, params = connection.client("elbv2"), connection.params
    model.refuse_wrong(elb.meta.service_model.operation_model("CreateTargetGroup").input_shape, params)
    found = api.find_target_group(elb, params["name"])
    current = model.from_aws(found) if found else None
    wanted = model.asked(params, current)
    planned = compare(current, wanted)
    if current:
        model.check_fixed(params["name"], planned)
    arn = found["TargetGroupArn"] if found else UNKNOWN
    resource = planned.predicted
    if planned.changed and not connection.check_mode:
        if not found:
            arn = creating(
                lambda: api.create_target_group(elb, model.creation(params["name"], wanted)),
                lambda: api.find_target_group(elb, params["name"]),
                planned.diff,
            )
        _change_target_group(elb, arn, current, wanted, planned)
        # What AWS has filled in.
        if not found and (made := visible(lambda: api.find_target_group(elb, params["name"]))):
            resource = model.from_aws(made)
    shown = model.shown(params["name"], arn, resource)
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


def absent(connection: Connection) -> Result:
    """The target group does not exist."""
    elb, name = connection.client("elbv2"), connection.params["name"]
    found = api.find_target_group(elb, name)
    if not found:
        return {"changed": False, "diff": compare(None, {}).diff, "target_group": {}}
    if not connection.check_mode:
        api.delete_target_group(elb, found["TargetGroupArn"])
    return {"changed": True, "diff": remove(model.from_aws(found)).diff, "target_group": {}}
