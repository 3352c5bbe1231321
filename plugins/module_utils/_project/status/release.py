# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last release of a service and its outcome, by its checkpoint and by what ECS says of its deployments. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..._core.tags import CHECKPOINT_RUN_TAG, CHECKPOINT_TAG
from ..._core.types import Json
from .project import Project, moment_of, timestamp

SUCCEEDED, IN_PROGRESS, ROLLING_BACK = "succeeded", "in_progress", "rolling_back"
ROLLED_BACK, ROLLBACK_FAILED, FAILED, STOPPED = "rolled_back", "rollback_failed", "failed", "stopped"
# Of a release whose checkpoint is still on the service: it was interrupted, or killed.
INTERRUPTED, UNFINISHED = "interrupted", "unfinished"
UNKNOWN = "unknown"
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
OF_SERVICE_DEPLOYMENT = {
    "PENDING": IN_PROGRESS,
    "IN_PROGRESS": IN_PROGRESS,
    "STOP_REQUESTED": IN_PROGRESS,
    "SUCCESSFUL": SUCCEEDED,
    "STOPPED": STOPPED,
    "ROLLBACK_REQUESTED": ROLLING_BACK,
    "ROLLBACK_IN_PROGRESS": ROLLING_BACK,
    "ROLLBACK_SUCCESSFUL": ROLLED_BACK,
    "ROLLBACK_FAILED": ROLLBACK_FAILED,
}
OF_DEPLOYMENT = {"COMPLETED": SUCCEEDED, "IN_PROGRESS": IN_PROGRESS, "FAILED": FAILED}


def last_release(project: Project, service: Json, tags: Mapping[str, str]) -> Json:
    """The outcome with its reason, when it began and ended, and who released where a checkpoint says so."""
    current = primary(service)
    found = _of_aws(service, current)
    run = checkpoint_run(tags)
    outcome = _of_checkpoint(project, run) if run is not None else ""
    return {
        "outcome": outcome or found["outcome"],
        "reason": found["reason"],
        "started_at": timestamp(found["started"] or current.get("createdAt")),
        "ended_at": None if outcome else timestamp(found["ended"]),
        "id": (run or {}).get("id"),
        "by": (run or {}).get("by"),
    }


def primary(service: Json) -> Json:
    """The deployment that the service should run; of controllers other than ECS, the task set."""
    deployments = [*(service.get("deployments") or ()), *(service.get("taskSets") or ())]
    return next((one for one in deployments if one.get("status") == "PRIMARY"), {})


def checkpoint_run(tags: Mapping[str, str]) -> dict[str, str] | None:
    """What the checkpoint of an unfinished release says of it; None if there is none."""
    if not any(key.startswith(CHECKPOINT_TAG) for key in tags):
        return None
    return dict(word.partition("=")[::2] for word in tags.get(CHECKPOINT_RUN_TAG, "").split())


def _of_checkpoint(project: Project, run: dict[str, str]) -> str:
    """The outcome by the checkpoint; empty if the release is complete, and only its checkpoint is left."""
    if run.get("state") == "complete":
        return ""
    until = moment_of(run.get("until"))
    if run.get("state") == INTERRUPTED or until is None:
        return INTERRUPTED if run.get("state") else UNFINISHED
    return IN_PROGRESS if project.now < until else UNFINISHED


def _of_aws(service: Json, current: Json) -> Json:
    followed = service.get("serviceDeployment") or {}
    if followed.get("status") in OF_SERVICE_DEPLOYMENT:
        reason = followed.get("statusReason") or (followed.get("rollback") or {}).get("reason") or ""
        ended = followed.get("finishedAt") or followed.get("stoppedAt")
        outcome = OF_SERVICE_DEPLOYMENT[followed["status"]]
        return _found(outcome, reason, followed.get("startedAt") or followed.get("createdAt"), ended)
    failed = next((one for one in service.get("deployments") or () if one.get("rolloutState") == "FAILED"), None)
    outcome = OF_DEPLOYMENT.get(str(current.get("rolloutState")), UNKNOWN)
    if failed is not None and failed is not current:
        outcome = {SUCCEEDED: ROLLED_BACK, IN_PROGRESS: ROLLING_BACK, FAILED: ROLLBACK_FAILED}.get(outcome, outcome)
        return _found(outcome, failed.get("rolloutStateReason"), failed.get("createdAt"), current.get("updatedAt"))
    ended = current.get("updatedAt") if outcome in (SUCCEEDED, FAILED) else None
    return _found(outcome, "" if outcome == SUCCEEDED else current.get("rolloutStateReason"), None, ended)


def _found(outcome: str, reason: object, started: object, ended: object) -> Json:
    return {"outcome": outcome, "reason": str(reason or ""), "started": started, "ended": ended}
