# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release reports to people: its lines of progress, its table, its failures. No calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..._core.error_codes import CHECKPOINTS_LEFT, LOCK_LOST, MULTIPLE_ERRORS, ROLLBACK_FAILED
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.types import Result
from ..rollout.deployments import primary
from ..rollout.verdict import sentence
from ..service.members import Options
from .deploy_tasks import DeployTask
from .in_progress import runs_of
from .result import result_of, service_after, short_result
from .state import Release, ServiceRelease
from .table import Row, counted, table

NOTHING_CHANGED = "Nothing was changed."
# How to continue after an interrupted release.
RESUME = "To resume, rerun the same command."
ROLL_BACK = "To roll back, run the playbook slipway.aws.rollback, or ecs_release with rollback=true."
# What to do after another run has taken over, which a rerun or a rollback would disturb.
FOLLOW = (
    "Wait until the other release has ended (see the playbook slipway.aws.history). Then check what the services run"
    " (slipway.aws.status), and rerun if you still need this release."
)
_KEPT = {
    "complete": "Nothing to roll back, the release is complete; its checkpoints are removed",
    "stable": (
        "Nothing to roll back, the release is complete: all of its services run their targets and are stable. To"
        " remove its checkpoints, rerun it; to roll it back anyway, set force=true. Services"
    ),
}


def summary(release: Release) -> str:
    """What the release is about to do."""
    services = release.services
    create = sum(service.plan.action == "create" for service in services)
    update = sum(service.changed for service in services) - create
    counts = {"to create": create, "to update": update, "unchanged": len(services) - create - update}
    changes = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    line = f"Release of {counted(len(services), 'service')} to cluster {last(release.cluster)}: {changes}"
    resumed = [service for service in services if service.checkpoint]
    runs = ", ".join(sorted({str(run) for run in runs_of(resumed)})) or "an earlier release"
    return f"{line}. Resumes {runs} ({counted(len(resumed), 'service')})" if resumed else line


def rollback_summary(release: Release) -> str:
    """What a rollback is about to do with each release that left checkpoints."""
    if not release.services:
        cluster = release.cluster
        return f"Nothing to roll back in cluster {cluster}: no service has a checkpoint of an unfinished release."
    lines = []
    for state, text in _KEPT.items():
        names = [service.name for service in release.services if service.kept == state]
        if names:
            lines.append(f"{text}: {', '.join(names)}")
    return "\n".join(lines)


def ended(release: Release, errors: list[SlipwayError]) -> Result:
    """The result of a release or of its rollback; fails with everything that belongs to a failure."""
    for line in _outcome_lines(release.services):
        release.progress.say(line)
    result = result_of(release)
    if not errors and any(service.rollback and service.rollback.in_progress for service in release.services):
        errors = [error for _what, error in release.other_errors]
    if errors:
        raise _failed(errors, release, result)
    if release.other_errors:
        raise _checkpoints_left(release, result)
    return result


def stopped(cause: SlipwayError, release: Release) -> SlipwayError:
    """The failure of a release that `cause` has stopped: the state of its services, and how to continue."""
    lost = cause.code == LOCK_LOST
    if not release.touched:
        text = " ".join([sentence(cause.msg), NOTHING_CHANGED, *([FOLLOW] if lost else [])])
        release.progress.say(text)
        return SlipwayError(cause.code, text, cause.details)
    rollouts = [(service.rollback or service.rollout) for service in release.services]
    going = [f"{one.name} ({one.reported or one.state})" for one in rollouts if one and one.in_progress]
    done = [service.name for service in release.services if service.state in ("created", "updated", "rolled_back")]
    failures = {one.name: one.rollout.error for one in release.services if one.rollout and one.rollout.error}
    errors = {name: error for name, error in failures.items() if error is not cause}
    lines = [
        f"{sentence(cause.msg)} ECS continues the started deployments; this run no longer monitors them.",
        f"In progress: {', '.join(going) or 'none'}. Done: {', '.join(done) or 'none'}.",
        *[f"{task} continues: {last(task.result['task_arn'])}." for task in _running_tasks(release)],
        *([f"Failed before: {', '.join(errors)}.", *(error.msg for error in errors.values())] if errors else []),
        FOLLOW if lost else f"{RESUME} {ROLL_BACK}",
    ]
    release.progress.say("\n".join(lines))
    names = {"failed_services": [*failures]} if failures else {}
    return SlipwayError(cause.code, " ".join(lines), {**cause.details, **result_of(release), **names})


def _running_tasks(release: Release) -> list[DeployTask]:
    """Tasks that are not known to have ended."""
    return [task for task in release.tasks if task.state == "in_progress" and task.result.get("status") != "STOPPED"]


def _outcome_lines(services: Sequence[ServiceRelease]) -> list[str]:
    """The table of all services that were rolled out or changed."""
    rows = []
    for service in services:
        if not service.rollout and not service.rollback and not service.changed:
            continue
        after = service_after(service)
        seconds = sum(rollout.seconds for rollout in (service.rollout, service.rollback) if rollout)
        before, now = last((service.current or {}).get("task_definition")), last(after.get("task_definition"))
        rows.append(Row(service.name, _outcome(service), before, now, _running(after), seconds))
    return table(rows)


def _outcome(service: ServiceRelease) -> str:
    state = service.state.replace("_", " ")
    return f"failed, {state}" if service.rollback and service.rollout and service.rollout.error else state


def _running(service: Options) -> str:
    """Running tasks of the current deployment and the desired number; apart from them those that are stopping."""
    if not service:
        return ""
    desired, total = int(service.get("desired_count") or 0), int(service.get("running_count") or 0)
    own = int((primary(service) or {}).get("runningCount", total))
    running = own if service.get("scheduling_strategy") == "DAEMON" else min(own, desired)
    stopping = total - running
    return f"{running}/{desired}" + (f", {stopping} stopping" if stopping > 0 else "")


def _failed(errors: Sequence[SlipwayError], release: Release, result: Result) -> SlipwayError:
    """The failure of a release: which services failed and why, and what happened to the others."""
    services = release.services
    lost = {one.name: one.rollback.error for one in services if one.rollback and one.rollback.error}
    names = [service.name for service in services if service.rollout and service.rollout.error] or [*lost]
    what = f"{', '.join(names)} of {counted(len(services), 'service')}" if names else ", ".join(release.failed_steps)
    lines = [f"The release failed: {what}. {_fate(services, lost)}"]
    lines += [error.msg for error in errors]
    lines += [f"During the rollback: {error.msg}" for error in lost.values() if error not in errors]
    lines += [f"Also failed: {what}: {error.msg}" for what, error in _other_errors(release)]
    codes = {ROLLBACK_FAILED} if lost else {error.code for error in errors}
    code = codes.pop() if len(codes) == 1 else MULTIPLE_ERRORS
    return SlipwayError(code, "\n".join(lines), {**short_result(result), "failed_services": names})


def _fate(services: Sequence[ServiceRelease], lost: Collection[str]) -> str:
    going = [service.name for service in services if service.rollback and service.rollback.in_progress]
    if lost or going:
        texts = [f"Not rolled back: {', '.join(lost)}."] if lost else []
        texts += [f"Still rolling back, no longer monitored: {', '.join(going)}."] if going else []
        return " ".join([*texts, RESUME, ROLL_BACK])
    back = [service.name for service in services if service.rollback and not service.is_new]
    deleted = [service.name for service in services if service.rollback and service.is_new]
    texts = [f"Rolled back: {', '.join(back)}."] if back else []
    texts += [f"Deleted, because the release created them: {', '.join(deleted)}."] if deleted else []
    if texts:
        return " ".join(texts)
    kept = [service.name for service in services if service.state in ("created", "updated")]
    return f"Kept as released: {', '.join(kept)}." if kept else "No other service was changed."


def _checkpoints_left(release: Release, result: Result) -> SlipwayError:
    """The failure of a release that is complete except for its checkpoints."""
    rolled_back = any(service.rollback for service in release.services)
    lines = [
        "All services were rolled back, but some checkpoints could not be removed."
        if rolled_back
        else f"The release is complete: all of {counted(len(release.services), 'service')}."
    ]
    lines += [f"Expected to remove its checkpoints, {what}: {error.msg}" for what, error in _other_errors(release)]
    lines += ["Resolve this, then rerun the same command. It removes the checkpoints and changes nothing else."]
    return SlipwayError(CHECKPOINTS_LEFT, "\n".join(lines), short_result(result))


def _other_errors(release: Release) -> list[tuple[str, SlipwayError]]:
    """The other errors, each reason once with everything that it concerns."""
    reasons: dict[str, tuple[list[str], SlipwayError]] = {}
    left = {service.name for service in release.services if service.checkpoint_left}
    for what, error in release.other_errors:
        text = f"the checkpoint of {what} is left" if what in left else what
        reasons.setdefault(error.msg.partition("(")[0], ([], error))[0].append(text)
    return [(", ".join(sorted(names)), error) for names, error in reasons.values()]
