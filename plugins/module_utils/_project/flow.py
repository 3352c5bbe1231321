# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a project owns: whatever carries its tag, across all APIs that the roles use."""

from __future__ import annotations

import concurrent.futures
import typing as t

from .._core.tags import belongs_to
from .._core.types import Connection, Json, Result
from . import api
from .obsolete import flow as obsolete_flow

# IAM has no regions. A tag says for which region its resources were created.
REGION = "slipway:region"


def resources(client: t.Callable[[str], t.Any], project: str) -> list[Json]:
    """All resources of the project, in the order in which they are deleted."""
    # Clients are created one after the other: creating them is not thread-safe, using them is.
    account = api.Account({service: client(service) for service in api.SERVICES}, project)
    region = account.clients["ec2"].meta.region_name
    with concurrent.futures.ThreadPoolExecutor(len(api.SERVICES)) as pool:
        found = list(pool.map(lambda kind: api.read(kind, account), api.KINDS))
    return [
        {"kind": kind.name, "tag": kind.tag, "id": one.id, "name": one.name, "holds": one.holds, "tags": one.tags}
        for kind, some in zip(api.KINDS, found, strict=True)
        for one in sorted(some, key=lambda one: (one.name, one.id))
        if belongs_to(one.tags, project) and one.tags.get(REGION, region) == region
    ]


def run(connection: Connection) -> Result:
    """All resources of a project, or those of them that no variable asks for."""
    if connection.params["keep"] is not None:
        return obsolete_flow.run(connection)
    return {"changed": False, "resources": resources(connection.client, connection.params["project"])}
