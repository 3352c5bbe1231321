# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the records of roles that ran in full, from one more read of the project, and deletes records."""

from __future__ import annotations

import datetime
import typing as t

from ..._core.errors import SlipwayError
from ..._core.names import notes_paths, record_path
from ..._core.tags import PROJECT, Tags, as_text
from ..._core.types import Client, Connection, Json, Result
from .. import details_flow, state
from . import api, model

UNWRITTEN = "The next run runs these roles in full."


def run(connection: Connection) -> Result:
    """Records are the collection's own notes: writing them is no change of the site."""
    if connection.params["state"] == "absent":
        return _delete(connection)
    if connection.check_mode or not connection.params["roles"]:
        return {"changed": False, "records": {}}
    try:
        return _record(connection)
    except SlipwayError as error:
        # The site itself has converged.
        roles = ", ".join(state.role_key(one["role"], one["group"]) for one in connection.params["roles"])
        warning = f"The records of {roles} could not be written: {error.msg.rstrip('.')}. {UNWRITTEN}"
        return {"changed": False, "records": {}, "warnings": [warning]}


def _record(connection: Connection) -> Result:
    params = connection.params
    read = details_flow.run(connection.client, params["project"])
    scope = scope_of(connection, read)
    live = state.by_role(read["resources"])
    known = {
        "collection": params["collection"],
        "at": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "by": read["caller"]["arn"],
    }
    unread = {role for entry in state.incomplete(read["unknown"]) for role in entry["roles"]}
    records = []
    for given in params["roles"]:
        role = model.Run(**given)
        if role.role in unread:
            role = role._replace(unproven="a part of its resources could not be read")
        records.append(model.new(role, scope, live.get(role.key, {}), known))
    _write(connection.client("ssm"), scope.project, records, {**as_text(params["tags"]), PROJECT: scope.project})
    unproven = {state.role_key(one["role"], one["group"]): one["unproven"] for one in records}
    return {"changed": False, "records": unproven}


def scope_of(connection: Connection, read: Json) -> model.Scope:
    endpoint = str(connection.params.get("endpoint_url") or "")
    return model.Scope(connection.params["project"], str(read["caller"]["account"]), str(read["region"]), endpoint)


def _write(ssm: Client, project: str, records: t.Sequence[Json], tags: Tags) -> None:
    path = record_path(project)
    existing = set(api.read(ssm, path))
    for record in records:
        _write_one(ssm, path, record, existing, tags)


def _write_one(ssm: Client, path: str, record: Json, existing: t.Collection[str], tags: Tags) -> None:
    """The first chunk is written last: until then, the digests say that the record is incomplete."""
    folder = path + model.folder_of(record["role"], record["group"])
    values = {f"{folder}/{number}": value for number, value in enumerate(model.chunks(record))}
    for name, value in reversed(values.items()):
        api.write(ssm, name, value, None if name in existing else tags)
    api.delete(ssm, sorted(name for name in existing if name.startswith(f"{folder}/") and name not in values))


def _delete(connection: Connection) -> Result:
    ssm = connection.client("ssm")
    paths = notes_paths(connection.params["project"])
    names = sorted(name for path in paths for name in api.read(ssm, path))
    if names and not connection.check_mode:
        api.delete(ssm, names)
    return {"changed": False, "records": {}}
