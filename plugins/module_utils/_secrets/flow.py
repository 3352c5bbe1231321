# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module ecs_secrets does: read both stores, compare, write once.

The secrets of an application are compared together, in two stores, so they are not a `_core.resource`.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

from .._core import tags as tagging
from .._core.creating import converge, creating
from .._core.error_codes import INVALID_OPTION, NOT_FOUND
from .._core.errors import SlipwayError
from .._core.plan import Plan, compare
from .._core.types import Connection, Result
from .model import (
    DesiredSecret,
    Found,
    check_window,
    current_secret,
    desired_secret,
    desired_secrets,
    differing_members,
    missing_secrets,
    path_of,
    predict,
    refuse_foreign,
    refuse_long_names,
    to_result,
)
from .store_flow import Manager, Parameters, Store


def run(connection: Connection) -> Result:
    # In a copy: Ansible shows the options that it has, and hides the text as a whole.
    params = {**connection.params, "values": json.loads(connection.params["values"] or "{}")}
    connection = connection._replace(params=params)
    return present(connection) if params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The secrets exist, with the given values, or those that they were created with."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    params = connection.params
    parameters, manager = _stores(connection)
    desired = desired_secrets(params["secrets"] or [], params["values"] or {})
    stores: dict[str, Store] = {one.name: manager if one.in_secrets_manager else parameters for one in desired}
    refuse_long_names({one.name: stores[one.name].name_of(one) for one in desired if not one.source}, desired)
    found = {**_find(parameters, desired, False), **_find(manager, desired, True)}
    if missing := missing_secrets(desired, found):
        message = f"secrets: external secrets not found: {', '.join(missing)}. Create them, or correct `from`."
        raise SlipwayError(NOT_FOUND, message)
    own = [one for one in desired if not one.source]
    refuse_foreign(own, found, params["match_tags"])
    current = {one.name: current_secret(one, found.get(one.name)) for one in own}
    planned = compare(current, {one.name: desired_secret(one, found.get(one.name), params) for one in own})
    differing = [one for one in own if one.name in planned.members]
    for one in differing:
        store, there = stores[one.name], found.get(one.name)
        if connection.check_mode:
            found[one.name] = predict(one, there, store.name_of(one), differing_members(planned, one))
        else:
            found[one.name] = _write(store, one, there, planned, begun=one is not differing[0])
    return {
        "changed": planned.changed,
        "diff": planned.diff,
        "secrets": {one.name: to_result(one, found.get(one.name)) for one in desired},
    }


def absent(connection: Connection) -> Result:
    """No secret below the path carries the tags, or none of those that are named."""
    tags, named = connection.params["match_tags"], connection.params["names"]
    found = [(store, store.owned(tags)) for store in _stores(connection)]
    owned = [(store, [name for name in some if named is None or name in named]) for store, some in found]
    if not connection.check_mode:
        for store, names in owned:
            store.delete(names)
    names = sorted(name for _store, some in owned for name in some)
    return {
        "changed": bool(names),
        "diff": {"before": {"secrets": names} if names else {}, "after": {}},
        "secrets": {},
    }


def _stores(connection: Connection) -> tuple[Parameters, Manager]:
    params = connection.params
    path = path_of(params["path"])
    check_window(params["recovery_window"])
    if not params["match_tags"]:
        message = "match_tags: expected at least one tag, got none. The module recognizes secrets by these tags."
        raise SlipwayError(INVALID_OPTION, message)
    return Parameters(connection.client, path), Manager(connection.client, path, params["recovery_window"])


def _find(store: Store, desired: t.Sequence[DesiredSecret], in_secrets_manager: bool) -> dict[str, Found]:
    """What exists in one store, by the names of the desired secrets. An ARN is not looked up: it may be another
    account's.
    """
    here = [one for one in desired if one.in_secrets_manager == in_secrets_manager and not one.is_arn]
    names = {store.name_of(one): one for one in here}
    with_value = {name for name, one in names.items() if one.value is not None}
    found = store.find(list(names), with_value) if names else {}
    return {names[name].name: there for name, there in found.items()}


def _write(store: Store, desired: DesiredSecret, found: Found | None, planned: Plan, begun: bool) -> Found:
    name, tags = store.name_of(desired), planned.predicted[desired.name]["tags"]
    if found is None:
        return creating(lambda: store.create(name, desired, tags), lambda: store.find([name]), planned.diff, begun)
    version = store.change(name, desired, found, differing_members(planned, desired))
    store.change_tags(name, *tagging.changes(found.tags, tags))
    return replace(found, version=version)
