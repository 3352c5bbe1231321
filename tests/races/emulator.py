# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MiniStack with the patches of the local cloud, without containers: tasks and deployments end as their images and
commands say. Its argument is how many seconds a deployment takes.

An image of the version `missing` does not exist. The command of a task is its name and how it ends: an exit code, or
`hang`.
"""

from __future__ import annotations

import runpy
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/local_cloud/files"))

MISSING = ":missing"
PULL = "CannotPullContainerError: manifest unknown"
TASK_SECONDS = 0.4
# A minute of a deployment's settings, in seconds.
MINUTE = 0.6


def later(seconds: float, act: Any) -> None:
    """Do this in the same account and region."""
    from ministack.core.responses import get_account_id, get_region, request_scope

    account, region = get_account_id(), get_region()

    def run() -> None:
        with request_scope(account, region):
            act()

    timer = threading.Timer(seconds, run)
    timer.daemon = True
    timer.start()


def deployments(ecs: ModuleType, seconds: float) -> None:
    """Deployments take a while, and fail with an image that does not exist."""
    complete = ecs._complete_service_deployment

    def begin(cluster: str, key: str, expected_deployment_id: str | None = None) -> None:
        primary = ecs._primary_deployment(ecs._services[key])
        if not primary or primary["rolloutState"] != "IN_PROGRESS":
            return
        expected = expected_deployment_id or primary["id"]
        later(seconds, lambda: finish(cluster, key, primary, expected))

    def finish(cluster: str, key: str, primary: Any, expected: str) -> None:
        definition = ecs._task_defs[ecs._resolve_td_key(primary["taskDefinition"])]
        if any(one["image"].endswith(MISSING) for one in definition["containerDefinitions"]):
            primary.update(rolloutState="FAILED", rolloutStateReason="ECS deployment circuit breaker: tasks failed.")
        elif key in ecs._services:
            complete(cluster, key, expected_deployment_id=expected)

    setattr(ecs, "_complete_service_deployment", begin)  # noqa: B010  # a module that mypy does not know


def tasks(ecs: ModuleType) -> None:
    """Tasks end as their commands say."""
    import emulator_patches  # type: ignore[import-not-found]

    @emulator_patches.wrap(ecs, "_run_task")  # type: ignore[untyped-decorator]
    def run(original: Any, data: dict[str, Any]) -> Any:
        before = set(ecs._tasks)
        answer = original(data)
        overrides = (data.get("overrides") or {}).get("containerOverrides") or [{}]
        command = overrides[0].get("command") or []
        for arn in set(ecs._tasks) - before if len(command) > 1 else ():
            end_of(ecs._tasks[arn], command[1])
        return answer

    def end_of(task: Any, how: str) -> None:
        if any(one["image"].endswith(MISSING) for one in task["containers"]):
            for one in task["containers"]:
                one["reason"] = PULL
            later(TASK_SECONDS, lambda: ecs._mark_task_stopped(task["taskArn"], task, PULL, "TaskFailedToStart"))
        elif how != "hang":
            reason = ("Essential container in task exited", "EssentialContainerExited")
            arguments = (task["taskArn"], task, *reason)
            later(TASK_SECONDS, lambda: ecs._mark_task_stopped(*arguments, exit_code=int(how)))

    @emulator_patches.wrap(ecs, "_mark_task_stopped")  # type: ignore[untyped-decorator]
    def stopped(original: Any, arn: str, task: Any, reason: str, code: str, exit_code: int | None = None) -> Any:
        """A container that is stopped is killed at last."""
        return original(arn, task, reason, code, 137 if code == "UserInitiated" else exit_code)


def main() -> None:
    seconds = float(sys.argv[1])
    import client_tokens  # type: ignore[import-not-found]
    import emulator_patches
    import service_deployments  # type: ignore[import-not-found]
    import traffic_shift  # type: ignore[import-not-found]
    import traffic_stages  # type: ignore[import-not-found]
    import weighted_forward  # type: ignore[import-not-found]
    from ministack.services import alb, cloudwatch, ecs

    deployments(ecs, seconds)
    tasks(ecs)
    emulator_patches.missing(alb, ecs)
    weighted_forward.weighted_forward(alb)
    service_deployments.service_deployments(ecs)
    traffic_stages.STAGE_SECONDS = traffic_shift.TICK_SECONDS = 0.05
    traffic_shift.traffic_shift(ecs, alb, cloudwatch, MINUTE)
    client_tokens.client_tokens(ecs)
    sys.argv = sys.argv[:1]
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
