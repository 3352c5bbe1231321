# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a project and its records, and says of each role in what the project differs from its record."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import ACCESS_DENIED
from ..._core.errors import SlipwayError
from ..._core.names import record_path
from ..._core.types import Connection, Json, Result
from .. import details_flow, state
from . import api, model
from .flow import scope_of

# What is returned of a record, without the state, which may be large.
MEMBERS = ("inputs", "result", "proven", "unproven", "at", "by", "collection")


def read(connection: Connection) -> Json:
    """The project in full, with its records by role. `problems` says by role why a record cannot be used."""
    project = details_flow.run(connection.client, connection.params["project"])
    scope = scope_of(connection, project)
    try:
        found = model.read(api.read(connection.client("ssm"), record_path(scope.project)), scope)
    except SlipwayError as error:
        unread = {"kind": "record", "tag": "", "role": "", "action": "ssm:GetParametersByPath"}
        unknown = [*project["unknown"], {**unread, "code": error.code, "message": error.msg}]
        return {**project, "unknown": unknown, "records": {}, "problems": {}}
    return {**project, "records": found.records, "problems": found.problems}


def run(connection: Connection) -> Result:
    """What differs from the records. Without the permission to read them, nothing else is requested."""
    project = connection.params["project"]
    if refused := _refused(connection.client("ssm"), record_path(project)):
        return {"changed": False, "msg": f"its records: {refused}"}
    found = read(connection)
    live = state.by_role(found["resources"])
    return {
        "changed": False,
        "scope": scope_of(connection, found)._asdict(),
        "records": {key: _compared(record, live.get(key, {})) for key, record in found["records"].items()},
        "problems": found["problems"],
        "states": {key: {"digest": state.digest(one), "unstable": model.unstable(one)} for key, one in live.items()},
        "unknown": state.incomplete(found["unknown"]),
    }


def _refused(ssm: t.Any, path: str) -> str:
    """The message of AWS if it denies reading records."""
    try:
        api.read_first(ssm, path)
    except SlipwayError as error:
        if error.code != ACCESS_DENIED:
            raise
        return error.msg
    return ""


def _compared(record: Json, live: t.Mapping[str, Json]) -> Json:
    kept = {name: record[name] for name in MEMBERS}
    return {**kept, "differences": state.differences(record["state"], live)}
