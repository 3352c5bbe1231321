# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a project for its report: the project in full, and its drift from the records."""

from __future__ import annotations

from ..._core.types import Connection, Result
from .. import releases_flow
from ..drift import model
from ..record import info


def run(connection: Connection) -> Result:
    """The drift is None if no role has a record. Records themselves are not returned: the report does not show them."""
    found = info.read(connection)
    found = releases_flow.with_releases(connection.client("ssm"), connection.params["project"], found)
    records, problems = found.pop("records"), found.pop("problems")
    drift = model.drift(records, problems, model.live(found)) if records or problems else None
    return {**found, "changed": False, "drift": drift}
