# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of a project: what runs where, from one read of the account. Pure."""

from __future__ import annotations

import datetime

from ..._core.types import Json
from .project import Project, timestamp
from .resources import resources
from .schedules import schedules
from .service import DEPLOYING, FAILING, service_status

# Of the format that programs read.
VERSION = 1


def status(name: str, read: Json, now: datetime.datetime, endpoint: str = "") -> Json:
    """The status, as the module documents it. Services that need attention come first."""
    project = Project(read, now, endpoint)
    services = sorted((service_status(project, one) for one in project.of("service")), key=_order)
    others, scheduled = resources(project), schedules(project)
    return {
        "version": VERSION,
        "project": name,
        "region": read.get("region"),
        "account": (read.get("caller") or {}).get("account"),
        "read_at": timestamp(now),
        "summary": {
            "services": len(services),
            "needing_attention": sum(bool(one["problems"]) for one in services)
            + sum(bool(one["problems"]) for one in scheduled)
            + sum(one["needs_attention"] for one in others),
            "deploying": sum(one["state"] == DEPLOYING for one in services),
            "resources": len(read["resources"]),
            "unknown": len(project.unknown),
        },
        "services": services,
        "schedules": scheduled,
        "resources": others,
        "unknown": [
            {member: one.get(member) for member in ("kind", "role", "action", "code", "message")}
            for one in project.unknown
        ],
    }


def _order(service: Json) -> tuple[int, str, str]:
    rank = 0 if service["state"] == FAILING else 1 if service["problems"] else 2 if service["state"] == DEPLOYING else 3
    return rank, str(service["cluster"]), str(service["name"])
