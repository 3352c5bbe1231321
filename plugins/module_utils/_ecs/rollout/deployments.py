# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about the deployments of a service, from answers of ECS. No calls."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from math import ceil

from ..._core.types import Json


@dataclass(frozen=True)
class Deployment:
    """The deployment that a rollout is about: the PRIMARY one right after the call."""

    id: str = ""
    task_definition: str = ""
    created_at: t.Any = None
    service_deployment: str = ""
    # False if the deployment is older than this call, so that its earlier failures do not count.
    fresh: bool = True


def deployment_of(service: Json, *, fresh: bool, service_deployment: str = "") -> Deployment:
    """The PRIMARY deployment of a service."""
    first = primary(service) or {}
    return Deployment(
        id=first.get("id", ""),
        task_definition=str(first.get("taskDefinition") or service.get("taskDefinition", "")),
        created_at=first.get("createdAt"),
        service_deployment=service_deployment,
        fresh=fresh,
    )


def primary(service: Json) -> Json | None:
    return next((item for item in service.get("deployments") or () if item.get("status") == "PRIMARY"), None)


def find_deployment(service: Json, deployment_id: str) -> Json | None:
    return next((item for item in service.get("deployments") or () if item.get("id") == deployment_id), None)


def controller(service: Json) -> str:
    return str((service.get("deploymentController") or {}).get("type") or "ECS")


def is_stable(service: Json) -> bool:
    """Whether the answer alone shows that the service is stable, so that nothing else has to be read."""
    if service.get("pendingCount") or service.get("runningCount", 0) != service.get("desiredCount", 0):
        return False
    if controller(service) != "ECS":
        return True
    deployments = service.get("deployments") or []
    if len(deployments) != 1:
        return False
    return deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED" and not deployments[0].get("failedTasks")


def is_on_track(service: Json, deployment: Deployment, followed: Json | None) -> bool:
    """Whether the deployment is in progress without failures, or has succeeded, so that tasks need not be read."""
    own = find_deployment(service, deployment.id)
    if own is None or own.get("failedTasks"):
        return False
    if followed:
        return followed.get("status") in ("PENDING", "IN_PROGRESS", "SUCCESSFUL")
    return own.get("rolloutState") == "IN_PROGRESS"


def ended_since(service: Json, deployment: Deployment, followed: Json | None) -> bool:
    """Whether the service deployment has failed or was stopped after the service was read."""
    own = find_deployment(service, deployment.id) or {}
    ended = (followed or {}).get("status") in ("STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
    return ended and own.get("rolloutState") == "IN_PROGRESS"


def starts_deployment(before: Json, after: Json) -> bool:
    """Whether the service got a new PRIMARY deployment between two answers."""
    return (primary(before) or {}).get("id") != (primary(after) or {}).get("id")


def breaker_limit(service: Json) -> int:
    """How many failed tasks the circuit breaker of the service tolerates; 0 if it has none.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    breaker = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    if not breaker.get("enable"):
        return 0
    threshold = breaker.get("thresholdConfiguration") or {}
    kind, value = threshold.get("type", "BOUNDED_PERCENT"), int(threshold.get("value", 50))
    if kind == "COUNT":
        return max(1, value)
    share = ceil(value * int(service.get("desiredCount") or 0) / 100)
    return max(1, share) if kind == "UNBOUNDED_PERCENT" else min(200, max(3, share))
