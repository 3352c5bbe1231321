# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A private DNS namespace and the services in it, whose names lead to the tasks that ECS registers. No calls."""

from __future__ import annotations

import re
import typing as t

from .._core.error_codes import INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.plan import UNKNOWN
from .._core.tags import Tags, from_list, to_capital_list
from .._core.types import Json

# What a new namespace has that was not requested.
NEW: Json = {"id": UNKNOWN, "arn": UNKNOWN, "tags": {}}
# So many seconds a client may continue to call a task that was replaced.
TTL = 10
# Of a name of DNS.
LONGEST_NAME = 253
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAMESPACE = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SERVICE = re.compile(_LABEL)
_RULE = "lowercase letters, digits, hyphens and underscores"


def validate(name: str, services: t.Sequence[str]) -> None:
    """Fail with names that DNS does not allow."""
    problems = []
    if not _NAMESPACE.fullmatch(name) or len(name) > LONGEST_NAME:
        problems.append(f"name: expected a DNS name of {_RULE}, got {name!r}.")
    problems += [
        f"services: expected a label of a DNS name, of {_RULE}, got {one!r}."
        for one in services
        if not _SERVICE.fullmatch(one)
    ]
    problems += [
        f"services: expected at most {LONGEST_NAME} characters with the name of the namespace, got {one}.{name}."
        for one in services
        if _SERVICE.fullmatch(one) and len(f"{one}.{name}") > LONGEST_NAME >= len(name)
    ]
    twice = sorted({one for one in services if services.count(one) > 1})
    problems += [f"services: expected each name once, got {one!r} {services.count(one)} times." for one in twice]
    if problems:
        raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})


def service_request(name: str, namespace_id: str, tags: Tags) -> Json:
    """A service whose name answers with the addresses of its tasks, as ECS wants it for tasks with an address each.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
    """
    records = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": TTL}]}
    return {
        "Name": name,
        "NamespaceId": namespace_id,
        "DnsConfig": records,
        # ECS reports the health of tasks; unhealthy ones are omitted.
        "HealthCheckCustomConfig": {"FailureThreshold": 1},
        "Tags": to_capital_list(tags),
    }


def from_api(answer: Json) -> Json:
    """A namespace with the ARNs of its services by name, from AWS's answer, its `Services` and `Tags`."""
    return {
        "name": answer["Name"],
        "id": answer["Id"],
        "arn": answer["Arn"],
        "services": {one["Name"]: one["Arn"] for one in sorted(answer["Services"], key=lambda one: str(one["Name"]))},
        "tags": from_list(answer["Tags"]),
    }


def desired_services(current: Json | None, names: t.Iterable[str], purge: bool) -> Json:
    """ARNs by name; those of new services are unknown. Without `purge`, others are kept."""
    existing = current["services"] if current else {}
    return {name: existing.get(name, UNKNOWN) for name in sorted({*names, *(() if purge else existing)})}
