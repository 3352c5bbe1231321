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
    try:
        stored: dict[str, str] | SlipwayError = _stored(connection)
    except SlipwayError as error:
        stored = error
    return _with_records(connection, stored)


def _stored(connection: Connection) -> dict[str, str]:
    return api.read(connection.client("ssm"), record_path(connection.params["project"]))


def _with_records(connection: Connection, stored: dict[str, str] | SlipwayError) -> Json:
    project = details_flow.run(connection.client, connection.params["project"])
    if isinstance(stored, SlipwayError):
        unread = {"kind": "record", "tag": "", "role": "", "action": "ssm:GetParametersByPath"}
        unknown = [*project["unknown"], {**unread, "code": stored.code, "message": stored.msg}]
        return {**project, "unknown": unknown, "records": {}, "problems": {}}
    found = model.read(stored, scope_of(connection, project))
    return {**project, "records": found.records, "problems": found.problems}


def run(connection: Connection) -> Result:
    """What differs from the records. Without the permission to read them, nothing else is requested."""
    try:
        stored = _stored(connection)
    except SlipwayError as error:
        if error.code != ACCESS_DENIED:
            raise
        return {"changed": False, "msg": f"its records: {error.msg}"}
    found = _with_records(connection, stored)
    live = state.by_role(found["resources"])
    return {
        "changed": False,
        "scope": scope_of(connection, found)._asdict(),
        "records": {key: _compared(record, live.get(key, {})) for key, record in found["records"].items()},
        "problems": found["problems"],
        "states": {key: {"digest": state.digest(one), "unstable": model.unstable(one)} for key, one in live.items()},
        "unknown": state.incomplete(found["unknown"]),
    }


def _compared(record: Json, live: t.Mapping[str, Json]) -> Json:
    kept = {name: record[name] for name in MEMBERS}
    return {**kept, "differences": state.differences(record["state"], live)}
