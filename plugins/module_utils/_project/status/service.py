# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One service: what it runs, since when, how healthy, and what needs attention. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._core.names import last
from ..._core.types import Json
from . import release as releases
from .health import DEGRADED, UNHEALTHY, health
from .images import images
from .project import Project, timestamp
from .release import last_release, primary
from .scaling import scaling
from .urls import urls

FAILING, DEPLOYING, STABLE, STOPPED, DELETING = "failing", "deploying", "stable", "stopped", "deleting"
# Outcomes of a release that need attention, and the sentence for each of it.
OUTCOMES = {
    releases.FAILED: "{} failed",
    releases.ROLLING_BACK: "{} failed, ECS is rolling back",
    releases.ROLLED_BACK: "{} failed and was rolled back",
    releases.ROLLBACK_FAILED: "{} and its rollback failed",
    releases.STOPPED: "{} was stopped",
    releases.INTERRUPTED: "{} was interrupted: rerun it, or run the playbook slipway.aws.rollback",
    releases.UNFINISHED: "{} was not completed: rerun it, or run the playbook slipway.aws.rollback",
}
# What ECS reports of a service that cannot start tasks.
TROUBLE = ("unable to", "failed", "unhealthy", "insufficient")
# In whole words, as events and reasons are long.
LONGEST = 200


def service_status(project: Project, resource: Json) -> Json:
    """The status of a service, as the module documents it."""
    service, tasks = resource["details"], resource["details"].get("tasks")
    current = primary(service)
    definition = str(current.get("taskDefinition") or service.get("taskDefinition") or "")
    counts = _counts(service, current)
    found = {
        "name": resource["name"],
        "cluster": last(service.get("clusterArn")),
        "arn": resource["id"],
        "task_definition": last(definition) or None,
        "newest_task_definition": _newest(project, definition),
        "images": images(project, definition, tasks),
        "tasks": counts,
        "health": health(project, service, tasks),
        "deployed_at": timestamp(current.get("createdAt")),
        "deployed_seconds_ago": project.age(current.get("createdAt")),
        "release": last_release(project, service, resource.get("tags") or {}),
        "urls": urls(project, service),
        "scaling": scaling(service),
    }
    problems = [_shortened(text) for text in _problems(service, found)]
    return {"state": _state(service, found, problems), "problems": problems, **found}


def _counts(service: Json, current: Json) -> Json:
    """Numbers of tasks. A daemon has as many as the cluster has hosts, which only its deployment says."""
    is_daemon = service.get("schedulingStrategy") == "DAEMON"
    return {
        "desired": int((current if is_daemon else service).get("desiredCount") or 0),
        "running": int(service.get("runningCount") or 0),
        "pending": int(service.get("pendingCount") or 0),
        "failed": int(current.get("failedTasks") or 0),
    }


def _newest(project: Project, definition: str) -> str | None:
    """The newest revision of the family, if the service runs another one."""
    newest = project.newest.get(last(definition).partition(":")[0])
    return newest if newest != last(definition) else None


def _state(service: Json, found: Json, problems: Sequence[str]) -> str:
    if service.get("status") not in ("ACTIVE", None):
        return DELETING
    if _is_in_progress(found) and not found["tasks"]["failed"]:
        return DEPLOYING
    if problems and not _only_of_the_past(found):
        return FAILING
    return STABLE if found["tasks"]["desired"] or found["tasks"]["running"] else STOPPED


def _is_in_progress(found: Json) -> bool:
    return found["release"]["outcome"] in (releases.IN_PROGRESS, releases.ROLLING_BACK)


def _only_of_the_past(found: Json) -> bool:
    """Whether the tasks are all there and healthy, whatever happened to the last release."""
    counts = found["tasks"]
    is_complete = counts["running"] >= counts["desired"] and not counts["failed"]
    return is_complete and found["health"]["state"] not in (DEGRADED, UNHEALTHY)


def _problems(service: Json, found: Json) -> Iterator[str]:
    counts, outcome = found["tasks"], found["release"]["outcome"]
    in_progress = _is_in_progress(found)
    if outcome in OUTCOMES:
        reason = found["release"]["reason"].strip().rstrip(".") or found["release"]["code"]
        yield f"{OUTCOMES[outcome].format(_released(found['release']))}{f': {reason}' if reason else ''}."
    if counts["failed"]:
        yield f"{_counted(counts['failed'], 'task')} of the current deployment failed."
    if counts["running"] < counts["desired"] and not in_progress:
        yield f"{counts['running']} of {counts['desired']} tasks are running."
    if found["health"]["state"] in (DEGRADED, UNHEALTHY) and not (in_progress and not counts["failed"]):
        reasons = "; ".join(found["health"]["reasons"])
        yield f"Health checks fail{f': {reasons}' if reasons else ''}."
    if counts["running"] < counts["desired"] and (trouble := _trouble(service)):
        yield f"ECS: {trouble}"


def _released(release: Json) -> str:
    if release["number"] is not None:
        return f"Release {release['number']}"
    is_release = release["outcome"] in (releases.INTERRUPTED, releases.UNFINISHED)
    return "The last release" if is_release else "The last deployment"


def _trouble(service: Json) -> str:
    """The newest event of the service, if it says why tasks do not start."""
    events = service.get("events") or [{}]
    newest = str(events[0].get("message") or "")
    return newest if any(word in newest for word in TROUBLE) else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST].rpartition(' ')[0]}…"
