# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last release of a service and its outcome, by its checkpoint and by what ECS says of its deployments. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from ..._core.names import last
from ..._core.tags import CHECKPOINT_RUN_TAG, CHECKPOINT_TAG
from ..._core.types import Json
from .project import Project, moment_of, timestamp

SUCCEEDED, IN_PROGRESS, ROLLING_BACK = "succeeded", "in_progress", "rolling_back"
ROLLED_BACK, ROLLBACK_FAILED, FAILED, STOPPED = "rolled_back", "rollback_failed", "failed", "stopped"
# Of a release whose checkpoint is still on the service: it was interrupted, or killed.
INTERRUPTED, UNFINISHED = "interrupted", "unfinished"
UNKNOWN = "unknown"
UNENDED = (IN_PROGRESS, INTERRUPTED, UNFINISHED)
# The record is written a moment after the last deployment, by another clock.
LATER = datetime.timedelta(minutes=1)
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
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
ANNOUNCEMENT = re.compile(r"rolling back to deployment(?:Id)? (ecs-svc/\w+)")
FAILURE = re.compile(r"deployment failed: (.*)")
OF_DEPLOYMENT = {"COMPLETED": SUCCEEDED, "IN_PROGRESS": IN_PROGRESS, "FAILED": FAILED}


def last_release(project: Project, service: Json, tags: Mapping[str, str]) -> Json:
    """The outcome with its reason, when it began and ended, and who released where history or checkpoint say so."""
    current = primary(service)
    found = _of_aws(service, current)
    run = checkpoint_run(tags)
    outcome = _of_checkpoint(project, run) if run is not None else ""
    recorded = _recorded(project, service, current)
    if not outcome and found["outcome"] in (SUCCEEDED, UNKNOWN):
        # ECS does not know why a release was rolled back whose deployments all succeeded.
        outcome = recorded.get("outcome") or ""
    known = {"id": recorded.get("id"), "by": recorded.get("by"), **(run or {})}
    return {
        "number": recorded.get("number"),
        "action": recorded.get("action"),
        "to": recorded.get("to"),
        "code": recorded.get("code") or None,
        "outcome": outcome or found["outcome"],
        "reason": found["reason"],
        "started_at": timestamp(found["started"] or current.get("createdAt")),
        "ended_at": None if outcome in UNENDED else timestamp(found["ended"]),
        "id": known["id"],
        "by": known["by"],
    }


def _recorded(project: Project, service: Json, current: Json) -> Json:
    """The last release in the history; empty if something else has deployed since."""
    found = project.recorded_release(last(service.get("clusterArn")), str(service.get("serviceName"))) or {}
    ended, deployed = moment_of(found.get("ended")), moment_of(current.get("createdAt"))
    return {} if ended and deployed and deployed - ended > LATER else found


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
        reason = "" if outcome in (SUCCEEDED, IN_PROGRESS) else reason
        return _found(outcome, reason, followed.get("startedAt") or followed.get("createdAt"), ended)
    outcome = OF_DEPLOYMENT.get(str(current.get("rolloutState")), UNKNOWN)
    ended = current.get("updatedAt") if outcome in (SUCCEEDED, FAILED) else None
    if (failed := _rolled_back(service, current)) is not None:
        outcome = {SUCCEEDED: ROLLED_BACK, IN_PROGRESS: ROLLING_BACK, FAILED: ROLLBACK_FAILED}.get(outcome, outcome)
        return _found(outcome, failed.get("rolloutStateReason"), failed.get("createdAt"), ended)
    return _found(outcome, current.get("rolloutStateReason") if outcome == FAILED else "", None, ended)


def _rolled_back(service: Json, current: Json) -> Json | None:
    """The deployment that failed, and that ECS has replaced with the current one; None if there is none.

    ECS lists it for a while, and announces the rollback in its reason and in the events of the service.
    """
    born = moment_of(current.get("createdAt"))
    for one in service.get("deployments") or ():
        if one.get("rolloutState") == "FAILED" and one is not current:
            created = moment_of(one.get("createdAt"))
            is_later = bool(born and created and created > born)
            if is_later or _announced(one.get("rolloutStateReason")) == current.get("id"):
                return dict(one)
    for place, event in enumerate(events := service.get("events") or []):
        if _announced(event.get("message")) == current.get("id"):
            failures = (FAILURE.search(str(one.get("message"))) for one in events[place:])
            reason = next((found[1] for found in failures if found), "")
            return {"rolloutStateReason": reason, "createdAt": None}
    return None


def _announced(text: object) -> str:
    """The ID of the deployment to which ECS says that it rolls back."""
    found = ANNOUNCEMENT.search(str(text or ""))
    return found[1] if found else "none"


def _found(outcome: str, reason: object, started: object, ended: object) -> Json:
    return {"outcome": outcome, "reason": str(reason or ""), "started": started, "ended": ended}
