# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares a project with the records of its last runs, and finds who changed what differs."""

from __future__ import annotations

import datetime

from ..._core.error_codes import NO_RECORD
from ..._core.errors import SlipwayError
from ..._core.types import Client, Connection, Json, Result
from .. import releases_flow
from ..record import info
from ..releases import last_releases
from . import api, events, model

# Resources to look up, as CloudTrail answers two requests a second.
LOOKUPS = 20


def run(connection: Connection) -> Result:
    read = info.read(connection)
    _require_records(read, connection.params["project"])
    found = model.live(read)
    drift = model.drift(read["records"], read["problems"], found)
    notes = add_rollbacks(connection, drift["resources"])
    notes += add_events(connection, drift["resources"], found) if connection.params["events"] else []
    about = {
        "project": connection.params["project"],
        "account": read["caller"]["account"],
        "region": read["region"],
        "read_at": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    code = model.EXIT_CODES[drift["result"]]
    return {"changed": False, "drift": {**about, **drift, "notes": notes}, "exit_code": code}


def _require_records(read: Json, project: str) -> None:
    if read["records"] or read["problems"]:
        return
    unread = next((one for one in read["unknown"] if one["kind"] == model.RECORD), None)
    if unread:
        raise SlipwayError(unread["code"], f"The records of the project {project} cannot be read: {unread['message']}")
    raise SlipwayError(
        NO_RECORD,
        f"Drift of the project {project}: expected the record of a run in {read['region']}, got none. Run site.yml,"
        " which records what it converges; if it ran, check slipway_project and slipway_region.",
    )


def add_rollbacks(connection: Connection, resources: list[Json]) -> list[str]:
    """Adds which services were rolled back on purpose. Where that cannot be read, a note says so."""
    services = model.other_revisions(resources)
    if not services:
        return []
    try:
        entries = releases_flow.entries_of(connection.client("ssm"), connection.params["project"])
    except SlipwayError as error:
        return [f"Whether services were rolled back is unknown, because the history cannot be read: {error.msg}"]
    model.mark_rolled_back(services, last_releases(entries, lasting=True))
    return []


def add_events(connection: Connection, resources: list[Json], found: model.Live) -> list[str]:
    """Adds who changed each resource, and when. Where that cannot be read, a note says so once."""
    if not resources:
        return []
    cloudtrail = connection.client("cloudtrail")
    for number, one in enumerate(resources):
        if number == LOOKUPS:
            return [f"Who changed a resource was only read for the first {LOOKUPS}."]
        arn = str(found.resources.get(f"{one['kind']} {one['id']}", {}).get("arn") or "")
        try:
            one["events"] = _events(cloudtrail, events.names(one, arn), one["recorded_at"])
        except SlipwayError as error:
            return [f"Who changed the resources is unknown, because CloudTrail cannot be read: {error.msg}"]
    return []


def _events(cloudtrail: Client, names: list[str], recorded_at: str | None) -> list[Json]:
    """By the first name that CloudTrail knows."""
    start = events.start(recorded_at)
    answers = (events.changes(api.events(cloudtrail, name, start)) for name in names)
    return next((answer for answer in answers if answer), [])
