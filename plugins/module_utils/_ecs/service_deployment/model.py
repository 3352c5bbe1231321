# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service deployment: where it is, whether it waits for somebody, and what stopping or continuing it means. No calls.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

from ..._core.names import last
from ..._core.types import Json

RUNNING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
STOPPABLE = frozenset({"PENDING", "IN_PROGRESS"})
ROLL_BACK, ABORT, CONTINUE = "ROLLBACK", "ABORT", "CONTINUE"
PAUSE_MINUTES = 1440
# AWS's own values, https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
CANARY_MINUTES, LINEAR_MINUTES, LINEAR_PERCENT = 10, 6, 10.0


def is_running(deployment: Json) -> bool:
    return deployment.get("status") in RUNNING


def pauses(deployment: Json) -> list[Json]:
    """The lifecycle hooks that wait for ContinueServiceDeployment; none once the deployment is stopped."""
    if deployment.get("status") not in STOPPABLE:
        return []
    return [hook for hook in deployment.get("lifecycleHookDetails") or () if hook.get("status") == "AWAITING_ACTION"]


def pauses_again(deployment: Json, before: Json) -> bool:
    """Whether a deployment is paused elsewhere than before: a read may still show the pause that was continued."""

    def places(found: Json) -> set[tuple[str, str]]:
        return {(str(found.get("lifecycleStage")), str(hook.get("hookId"))) for hook in pauses(found)}

    return bool(places(deployment) - places(before))


def service_of(deployment: Json) -> str:
    return last(deployment.get("serviceArn"))


def pause_line(deployment: Json) -> str:
    """Where a deployment is paused, until when, and how to continue; empty if it is not."""
    waiting = pauses(deployment)
    if not waiting:
        return ""
    expires, action = waiting[0].get("expiresAt"), str(waiting[0].get("timeoutAction") or ROLL_BACK)
    then = {ROLL_BACK: "ECS rolls it back", CONTINUE: "ECS continues it"}.get(action, action)
    until = f" until {_clock(expires)}, when {then}" if expires else ""
    where = f"paused at {deployment.get('lifecycleStage')}{until}"
    return f"{where}; to continue it (ContinueServiceDeployment), run the playbook slipway.aws.continue"


def _clock(moment: t.Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}".strip() if hasattr(moment, "strftime") else str(moment)


def stage_line(deployment: Json) -> str:
    """The stage of a deployment that shifts traffic, and the share that the new revision gets; empty for others."""
    stage = deployment.get("lifecycleStage")
    if not stage:
        return ""
    target: Json = deployment.get("targetServiceRevision") or {}
    shares = [
        f"{target[member]:g} % of {name} traffic"
        for member, name in (("requestedTestTrafficWeight", "test"), ("requestedProductionTrafficWeight", "production"))
        if target.get(member)
    ]
    return ", ".join([str(stage), *shares])


def shifting_seconds(service: Json) -> float:
    """How long a deployment of this service takes by its own settings: bake times, and pauses until they time out."""
    configuration: Json = service.get("deploymentConfiguration") or {}
    minutes = _number(configuration.get("bakeTimeInMinutes"), 0) + sum(_pause_minutes(configuration))
    strategy = configuration.get("strategy")
    if strategy == "CANARY":
        canary: Json = configuration.get("canaryConfiguration") or {}
        minutes += _number(canary.get("canaryBakeTimeInMinutes"), CANARY_MINUTES)
    elif strategy == "LINEAR":
        linear: Json = configuration.get("linearConfiguration") or {}
        size = _number(linear.get("stepPercent"), LINEAR_PERCENT) or LINEAR_PERCENT
        minutes += (100 // size) * _number(linear.get("stepBakeTimeInMinutes"), LINEAR_MINUTES)
    return 60.0 * minutes


def _pause_minutes(configuration: Json) -> Iterator[float]:
    for hook in configuration.get("lifecycleHooks") or ():
        if hook.get("targetType") == "PAUSE":
            timeout: Json = hook.get("timeoutConfiguration") or {}
            stages = len(hook.get("lifecycleStages") or ()) or 1
            yield stages * _number(timeout.get("timeoutInMinutes"), PAUSE_MINUTES)


def _number(value: t.Any, default: float) -> float:
    return float(default if value is None else value)


def to_result(deployment: Json) -> Json:
    """A service deployment as modules return it."""
    target: Json = deployment.get("targetServiceRevision") or {}
    return {
        "service": service_of(deployment),
        "service_deployment_arn": deployment.get("serviceDeploymentArn", ""),
        "status": deployment.get("status", ""),
        "status_reason": deployment.get("statusReason", ""),
        "lifecycle_stage": deployment.get("lifecycleStage", ""),
        "production_traffic": target.get("requestedProductionTrafficWeight"),
        "test_traffic": target.get("requestedTestTrafficWeight"),
        "paused": pause_line(deployment),
        "hooks": [_hook(hook) for hook in deployment.get("lifecycleHookDetails") or ()],
    }


def _hook(hook: Json) -> Json:
    expires = hook.get("expiresAt")
    return {
        "id": hook.get("hookId", ""),
        "type": hook.get("targetType", ""),
        "status": hook.get("status", ""),
        "timeout_action": hook.get("timeoutAction", ""),
        "expires_at": str(expires.isoformat() if expires and hasattr(expires, "isoformat") else expires or ""),
    }


def plan(deployments: Mapping[str, Json], state: str) -> dict[str, list[str]]:
    """By service, the hooks to act on, or an empty list to stop the deployment; only services with something to do."""
    if state == "stopped":
        return {name: [] for name, found in deployments.items() if found.get("status") in STOPPABLE}
    waiting = {name: [str(hook.get("hookId", "")) for hook in pauses(found)] for name, found in deployments.items()}
    return {name: hooks for name, hooks in waiting.items() if hooks}
