# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who changed a resource and when, from the events of AWS CloudTrail. Pure."""

from __future__ import annotations

import datetime
import typing as t

from ..._core.errors import READS
from ..._core.types import Json

# The newest ones: a resource can have hundreds.
MOST = 3


def names(resource: Json, arn: str) -> list[str]:
    """What an event may call a resource: APIs have its id, its name or its ARN."""
    identity = resource["id"]
    given = [identity, *([arn] if arn else []), resource["name"]]
    return list(dict.fromkeys(given))


def start(recorded_at: t.Any) -> datetime.datetime | None:
    """The time of a record."""
    try:
        moment = datetime.datetime.fromisoformat(str(recorded_at).replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def changes(events: t.Iterable[Json]) -> list[Json]:
    """The newest events that changed something."""
    writes = [one for one in events if not _reads(one)]
    newest = sorted(writes, key=lambda one: str(one.get("EventTime")), reverse=True)
    return [
        {"at": _text(one.get("EventTime")), "by": one.get("Username") or "", "event": one["EventName"]}
        for one in newest[:MOST]
    ]


def _reads(event: Json) -> bool:
    # Some APIs have no ReadOnly.
    return event.get("ReadOnly") == "true" or str(event["EventName"]).startswith(READS)


def _text(moment: t.Any) -> str:
    if not isinstance(moment, datetime.datetime):
        return str(moment or "")
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
