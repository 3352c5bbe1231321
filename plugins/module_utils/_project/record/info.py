# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a project and its records, and says of each role in what the project differs from its record."""

from __future__ import annotations

import typing as t

from ..._core.errors import SlipwayError
from ..._core.types import Client, Connection, Json, Result
from .. import details_flow, state
from . import api, model
from .flow import scope_of


def run(connection: Connection) -> Result:
    params = connection.params
    read = details_flow.run(connection.client, params["project"])
    scope = scope_of(connection, read)
    live = state.by_role(read["resources"], params["owners"])
    records, unread = _records(connection.client("ssm"), scope)
    unknown = [{**entry, "roles": state.affected(entry["kind"], entry["role"])} for entry in read["unknown"]]
    return {
        "changed": False,
        "scope": scope._asdict(),
        "records": {key: compared(record, live.get(key, {})) for key, record in records.records.items()},
        "problems": records.problems,
        "states": {key: {"digest": state.digest(one), "unstable": model.unstable(one)} for key, one in live.items()},
        "unknown": [*unknown, *unread],
    }


def _records(ssm: Client, scope: model.Scope) -> tuple[model.Records, list[Json]]:
    try:
        return model.read(api.read(ssm, model.path_of(scope.project)), scope), []
    except SlipwayError as error:
        entry = {"kind": "record", "action": "ssm:GetParametersByPath", "code": error.code, "message": error.msg}
        return model.Records({}, {}), [{**entry, "roles": []}]


def compared(record: Json, live: t.Mapping[str, Json]) -> Json:
    """A record without the state, which may be large, but with the resources that differ from it."""
    kept = {name: record[name] for name in ("inputs", "result", "proven", "unproven", "at", "by", "collection")}
    return {**kept, "differences": state.differences(record["state"], live)}
