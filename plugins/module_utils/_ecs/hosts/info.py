# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_container_info does: read the containers that run."""

from __future__ import annotations

from ..._core.types import Connection, Result
from . import flow, model


def run(connection: Connection) -> Result:
    """The containers that run, as the inventory lists them."""
    ecs, params = connection.client("ecs"), connection.params
    region = str(ecs.meta.region_name)
    clients = {region: flow.Clients(ecs, connection.client("ecr"))}
    found = flow.Reader(clients, [params["cluster"]], params["services"] or []).read()
    hosts = model.hosts(found.tasks, found.images, False, params["containers"] or [])
    containers = [{"name": name, **variables} for name, variables in hosts.items()]
    return {"changed": False, "containers": containers, "warnings": found.warnings}
