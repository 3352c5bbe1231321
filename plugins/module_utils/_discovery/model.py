# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A private DNS namespace and the services in it, whose names lead to the tasks that ECS registers. No calls."""

from __future__ import annotations

import re
import typing as t

from .._core.error_codes import INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.plan import UNKNOWN, Plan, Sets
from .._core.types import Json

SETS: Sets = {"services": ()}
# So many seconds a client may go on asking a task that was replaced.
TTL = 10
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAMESPACE = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SERVICE = re.compile(_LABEL)


def check(name: str, services: t.Sequence[str]) -> None:
    """Refuse what is no name in DNS."""
    problems = [] if _NAMESPACE.fullmatch(name) and len(name) <= 253 else [f"name: '{name}' is no DNS name"]
    problems += [f"services: '{one}' is no label of a DNS name" for one in services if not _SERVICE.fullmatch(one)]
    problems += [f"services: '{one}' is given twice" for one in sorted(set(services)) if services.count(one) > 1]
    if problems:
        told = "; ".join(problems)
        raise SlipwayError(INVALID_OPTION, f"{told}. Lower case letters, digits, hyphens and underscores are right.")


def service_request(name: str, namespace_id: str) -> Json:
    """A service whose name answers with the addresses of its tasks, as ECS wants it for tasks with an address each.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
    """
    records = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": TTL}]}
    return {
        "Name": name,
        "NamespaceId": namespace_id,
        "DnsConfig": records,
        # ECS tells how its tasks are; those that are not well are left out.
        "HealthCheckCustomConfig": {"FailureThreshold": 1},
    }


def shown(name: str, answer: Json | None, services: t.Mapping[str, str], tags: t.Mapping[str, str]) -> Json:
    """The namespace as the module returns it: ARNs of `services` by name."""
    found = answer or {}
    return {
        "name": name,
        "id": found.get("Id", UNKNOWN),
        "arn": found.get("Arn", UNKNOWN),
        "services": dict(sorted(services.items())),
        "tags": dict(tags),
    }


def predicted(name: str, answer: Json | None, services: t.Mapping[str, str], planned: Plan) -> Json:
    """The namespace as it will be."""
    arns = {one: services.get(one, UNKNOWN) for one in planned.predicted.get("services") or ()}
    return shown(name, answer, arns, planned.predicted.get("tags") or {})
