# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the history of a project's releases."""

from __future__ import annotations

from ..._core.history_api import read_history
from ..._core.types import Connection, Result
from .result import result_of


def run(connection: Connection) -> Result:
    """The flow of project_history."""
    project = connection.params["project"]
    history = read_history(connection.client("ssm"), project)
    return {"changed": False, "history": result_of(project, history.entries, history.problems, history.now)}
