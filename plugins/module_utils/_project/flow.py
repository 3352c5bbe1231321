# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a project owns: whatever carries its tag, across all APIs that the roles use."""

from __future__ import annotations

import concurrent.futures
import typing as t

from .._core.error_codes import INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.types import Connection, Json, Result
from . import api, details_flow, model
from .kinds.base_api import Account
from .obsolete import flow as obsolete_flow
from .record import info as record_info


def resources(client: t.Callable[[str], t.Any], project: str) -> list[Json]:
    """All resources of the project, in the order in which they are deleted."""
    # Clients are created one after the other: creating them is not thread-safe, using them is.
    account = Account({service: client(service) for service in api.SERVICES}, project)
    region = account.clients["ec2"].meta.region_name
    kinds = [kind for kind in api.KINDS if not kind.detailed]
    with concurrent.futures.ThreadPoolExecutor(len(api.SERVICES)) as pool:
        found = list(pool.map(lambda kind: api.read(kind, account), kinds))
    owned = [[one for one in some if model.is_owned(one.tags, project, region)] for some in found]
    return [entry for _kind, _one, entry in details_flow.entries(kinds, owned)]


def run(connection: Connection) -> Result:
    """All resources of a project, in full if requested, or those of them that no variable asks for."""
    params = connection.params
    if params["keep"] is not None:
        if params["details"]:
            raise SlipwayError(
                INVALID_OPTION, "details: expected false together with keep, got true. Remove one of them."
            )
        return obsolete_flow.run(connection)
    if params["details"]:
        return record_info.read(connection)
    return {"changed": False, "resources": resources(connection.client, params["project"])}
