# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_capacity_provider_info does: read capacity providers."""

from __future__ import annotations

from ..._core.types import Connection, Result
from . import api, model


def run(connection: Connection) -> Result:
    """Reads the named capacity providers."""
    ecs, params = connection.client("ecs"), connection.params
    seen = [api.describe_capacity_provider(ecs, name, params["cluster"]) for name in params["names"]]
    return {
        "changed": False,
        "capacity_providers": [model.from_api(one) for one in seen if one and not model.is_deleting(one)],
    }
