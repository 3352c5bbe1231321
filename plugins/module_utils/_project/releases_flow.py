# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the history of a project's releases beside the project."""

from __future__ import annotations

import dataclasses

from .._core.errors import SlipwayError
from .._core.history import Entry, outcome_of
from .._core.history_api import read_history
from .._core.types import Client, Json
from .releases import last_releases


def entries_of(ssm: Client, project: str) -> list[Entry]:
    """The releases, oldest first, each with the outcome that the history shows."""
    history = read_history(ssm, project)
    outcomes = [outcome_of(entry, history.entries, history.now) for entry in history.entries]
    return [
        entry._replace(record=dataclasses.replace(entry.record, outcome=outcome))
        for entry, outcome in zip(history.entries, outcomes, strict=True)
    ]


def with_releases(ssm: Client, project: str, read: Json) -> Json:
    """The project with the last release of each service. Without the permission, that is one more unknown."""
    try:
        return {**read, "releases": last_releases(entries_of(ssm, project))}
    except SlipwayError as error:
        unread = {"kind": "release", "tag": "", "role": "", "action": "ssm:GetParametersByPath"}
        unknown = [*read["unknown"], {**unread, "code": error.code, "message": error.msg}]
        return {**read, "releases": {}, "unknown": unknown}
