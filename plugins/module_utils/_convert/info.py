# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module project_conversion_info does: convert the description of a project that another tool reads."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.types import Json
from .community_aws import flow as community_aws_flow
from .compose import flow as compose_flow
from .copilot import flow as copilot_flow
from .ecspresso import flow as ecspresso_flow

# Each takes the module's options, and returns the description that the module inventory_files writes.
ORIGINS: Mapping[str, t.Callable[[Json], Json]] = {
    "compose": compose_flow.run,
    "copilot": copilot_flow.run,
    "ecspresso": ecspresso_flow.run,
}


def run(params: Json, _check_mode: bool) -> Json:
    # Playbooks stay playbooks: there is no inventory to describe.
    if params["origin"] == "community_aws":
        return {"changed": False, **community_aws_flow.run(params)}
    site = ORIGINS[params["origin"]](params)
    return {"changed": False, "site": site, "notes": site["notes"]}
