# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module for Auto Scaling groups does: read, plan, apply once, wait."""

from __future__ import annotations

from .._core import tags as tagging
from .._core.creating import converge, creating, persist, visible
from .._core.errors import INVALID_OPTION, SlipwayError
from .._core.plan import UNKNOWN, Plan
from .._core.shapes import Shape, check_options, check_values, snake
from .._core.types import Client, Connection, Json, Result
from .._core.waiting import poll
from . import api
from . import model as group

NEEDED = ("MinSize", "MaxSize")


def run(connection: Connection) -> Result:
    return present(connection) if connection.params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The group is there and as asked."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    asg, params = connection.client("autoscaling"), connection.params
    shape = asg.meta.service_model.operation_model("UpdateAutoScalingGroup").input_shape
    check_values(shape, {"name": "AutoScalingGroupName"}, params)
    settings = _checked(connection, shape)
    seen = _living(connection, _find(connection))
    current = group.from_answer(seen, shape.members) if seen else None
    tags = tagging.wanted((current or {}).get("tags") or {}, params["tags"], params["purge_tags"])
    planned = group.plan(current, settings, tags)
    result: Result = {"changed": planned.changed or current is None, "diff": planned.diff}
    if current is None:
        result["diff"]["after"]["name"] = params["name"]
        _refuse_incomplete(settings)
    if connection.check_mode:
        return {**result, "auto_scaling_group": _predict(params["name"], current, planned)}
    if current is None:
        _create(connection, settings, planned)
    elif planned.changed:
        _update(asg, current, planned, settings)
    if result["changed"]:
        seen = visible(lambda: _find(connection))
    return {**result, "auto_scaling_group": group.from_answer(seen or {}, shape.members)}


def absent(connection: Connection) -> Result:
    """The group is not there, nor its instances."""
    asg, params = connection.client("autoscaling"), connection.params
    seen = _find(connection)
    there = seen is not None and not group.is_going(seen)
    if not connection.check_mode:
        if there:
            api.delete_group(asg, params["name"], params["force"])
        if seen and params["wait"]:
            _gone(connection)
    before = {"name": params["name"], "instances": [one["InstanceId"] for one in (seen or {}).get("Instances") or ()]}
    return {"changed": there, "diff": {"before": before if there else {}, "after": {}}}


def _checked(connection: Connection, shape: Shape) -> Json:
    """The settings in the types that AWS wants. Inside of an option, names are AWS's own."""
    asked = connection.params["settings"] or {}
    unknown = [name for name in asked if name not in shape.members or name == "AutoScalingGroupName"]
    if unknown:
        known = ", ".join(sorted(set(shape.members) - {"AutoScalingGroupName"}))
        raise SlipwayError(INVALID_OPTION, f"settings: unknown member '{unknown[0]}' (known: {known}).")
    options = {snake(name): value for name, value in asked.items()}
    checked = check_options(shape, options, allow_unknown=connection.check_mode)
    return {name: checked[snake(name)] for name in asked if snake(name) in checked}


def _refuse_incomplete(settings: Json) -> None:
    missing = [name for name in NEEDED if name not in settings]
    if missing:
        raise SlipwayError(INVALID_OPTION, f"settings: a new Auto Scaling group needs {' and '.join(missing)}.")


def _find(connection: Connection) -> Json | None:
    return api.describe_group(connection.client("autoscaling"), connection.params["name"])


def _living(connection: Connection, seen: Json | None) -> Json | None:
    """The group, unless it is about to go: its name is free afterwards."""
    if not group.is_going(seen):
        return seen
    if not connection.check_mode:
        _gone(connection)
    return None


def _predict(name: str, current: Json | None, planned: Plan) -> Json:
    new = {"name": name, "arn": UNKNOWN, "settings": {}, "tags": {}, "instances": []}
    return {**(current or new), **planned.predicted}


def _create(connection: Connection, settings: Json, planned: Plan) -> None:
    asg, name = connection.client("autoscaling"), connection.params["name"]
    tag_list = group.tag_list(name, planned.predicted.get("tags") or {})
    request = {**settings, **({"Tags": tag_list} if tag_list else {})}
    creating(
        # The launch template's instance profile may have been created just before.
        lambda: persist(lambda: api.create_group(asg, name, request)),
        lambda: not group.is_going(seen := _find(connection)) and seen,
        planned.diff,
    )


def _update(asg: Client, current: Json, planned: Plan, settings: Json) -> None:
    name = current["name"]
    if "settings" in planned.members:
        api.update_group(asg, name, settings)
    if "tags" in planned.members:
        put, gone = tagging.changes(current["tags"], planned.predicted["tags"])
        api.tag_group(asg, group.tag_list(name, put))
        api.untag_group(asg, group.keys_of(name, gone))


def _gone(connection: Connection) -> None:
    poll(
        lambda: _find(connection),
        group.is_gone,
        timeout=connection.params["wait_timeout"],
        waiting_for=f"Auto Scaling group {connection.params['name']} to be gone",
        describe=lambda last: {"status": (last or {}).get("Status"), "instances": (last or {}).get("Instances") or []},
    )
