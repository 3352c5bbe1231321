# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about the tasks of a service, from answers of ECS. No calls."""

from __future__ import annotations

from ..._core.names import last
from ..._core.types import Json
from .deployments import Deployment

_STOP_CODES_OF_FAILURE = frozenset({"TaskFailedToStart", "EssentialContainerExited"})


# The stop code of a task that somebody has stopped, this collection included.
STOPPED_BY_REQUEST = "UserInitiated"


def task_id(task: Json) -> str:
    return last(task.get("taskArn"))


def is_running(task: Json) -> bool:
    return bool(task.get("lastStatus") == "RUNNING")


def is_unhealthy(task: Json) -> bool:
    """Whether the health check of an essential container fails, and ECS has not stopped the task yet."""
    return task.get("healthStatus") == "UNHEALTHY" and not task_failed(task)


def has_health_check(task_definition: Json) -> bool:
    """Whether ECS checks the health of tasks: an essential container has a health check."""
    containers = task_definition.get("containerDefinitions") or ()
    return any(item.get("healthCheck") and item.get("essential", True) for item in containers)


def task_failed(task: Json) -> bool:
    """Whether the task failed, rather than being scaled in or replaced."""
    if "STOPPED" not in (task.get("lastStatus"), task.get("desiredStatus")):
        return False
    if task.get("stopCode") in _STOP_CODES_OF_FAILURE:
        return True
    return failed_health_check(task)


def failed_health_check(task: Json) -> bool:
    """Whether ECS stopped the task because its container or its target is unhealthy."""
    return "health check" in str(task.get("stoppedReason", "")).lower()


def belongs_to(task: Json, deployment: Deployment) -> bool:
    """Whether the deployment started the task. ECS writes its ID into `startedBy`."""
    started_by = str(task.get("startedBy", ""))
    if started_by.startswith("ecs-svc/"):
        return started_by == deployment.id
    if task.get("taskDefinitionArn") != deployment.task_definition:
        return False
    born, since = task.get("createdAt"), deployment.created_at
    return not (born and since) or bool(born >= since)


def addresses(task: Json) -> set[str]:
    """The private addresses of a task."""
    found = {
        interface.get("privateIpv4Address")
        for container in task.get("containers") or ()
        for interface in container.get("networkInterfaces") or ()
    }
    found |= {
        detail.get("value")
        for attachment in task.get("attachments") or ()
        for detail in attachment.get("details") or ()
        if detail.get("name") == "privateIPv4Address"
    }
    return {address for address in found if address}
