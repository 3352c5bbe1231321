# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired service: the options of the module, validated."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.shapes import check_options
from ..arguments import SERVICE_MEMBERS
from ..limits import problems_of, refuse
from .limits import service_problems
from .members import Options
from .model import DesiredService, Shapes

# Members of the request that are not options with the same meaning.
_NOT_OPTIONS = ("cluster", "service_name", "client_token", "task_definition", "tags")


def desired_of(params: t.Mapping[str, t.Any], shapes: Shapes, check_mode: bool) -> DesiredService:
    """The desired service of validated options."""
    checked, wrong = problems_of(
        lambda: check_options(
            shapes.create, params, skip=_NOT_OPTIONS, members=SERVICE_MEMBERS, allow_unknown=check_mode
        )
    )
    given = {name: params.get(name) for name in SERVICE_MEMBERS}
    refuse(wrong + service_problems(params["name"], given if checked is None else checked))
    options = {**(checked or {}), "task_definition": params["task_definition"], "tags": params["tags"]}
    return DesiredService(
        {name: value for name, value in options.items() if value is not None},
        purge_tags=params["purge_tags"],
        force_new_deployment=params["force_new_deployment"],
        recreate=params.get("recreate", False),
    )


def require_task_definition(desired: DesiredService, current: Options | None, name: str) -> None:
    """Fail if a new service has no task definition."""
    is_external = desired.options.get("deployment_controller", {}).get("type") == "EXTERNAL"
    if current is None and not desired.options.get("task_definition") and not is_external:
        raise SlipwayError(
            INVALID_OPTION, f"task_definition: expected a task definition to create the service {name}, got none."
        )
