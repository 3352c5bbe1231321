# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release tells: its result as data, its lines and table for people, its failures. No calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..._core.error_codes import (
    CHECKPOINTS_LEFT,
    MULTIPLE_ERRORS,
    ROLLBACK_FAILED,
)
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.types import Result
from ..rollout.deployments import primary
from ..service.members import Options
from .result import _answer, _is_new, _short_result, result_of, state_of
from .state import Part, Release
from .table import Row, counted, table

NOTHING_CHANGED = "Nothing was changed."
# How people go on with a release that has not ended.
RESUME = "To resume, rerun the same command."
UNDO = "To roll back, run the playbook slipway.aws.undo, or ecs_release with rollback=true."


def summary(release: Release) -> str:
    """What the release is about to do."""
    parts = release.parts
    create = sum(part.plan.action == "create" for part in parts)
    update = sum(part.changed for part in parts) - create
    told = f"Release of {counted(len(parts), 'service')} to cluster {last(release.cluster) or release.cluster}: "
    counts = {"to create": create, "to change": update, "unchanged": len(parts) - create - update}
    told += ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    resumed = [part for part in parts if part.before]
    runs = {part.before.run.told for part in resumed if part.before and part.before.run}
    what = ", ".join(sorted(runs)) or "an earlier release"
    return f"{told}. Resumes {what} ({counted(len(resumed), 'service')})" if resumed else told


def rollback_summary(release: Release) -> str:
    """What a rollback is about to do with each release that left checkpoints."""
    if not release.parts:
        cluster = release.cluster
        return f"Nothing to roll back in cluster {cluster}: no service has a checkpoint of an unfinished release."
    lines = []
    for state, told in _KEPT.items():
        names = [part.name for part in release.parts if part.kept == state]
        if names:
            lines.append(f"{told}: {', '.join(names)}")
    return "\n".join(lines)


_KEPT = {
    "complete": "Nothing to roll back, the release is complete; its checkpoints are removed",
    "arrived": (
        "Nothing to roll back, the release is complete: all of its services run their targets and are stable. To remove"
        " its checkpoints, rerun it; to roll it back nevertheless, set force=true. Services"
    ),
}


def outcome_lines(parts: Sequence[Part]) -> list[str]:
    """The table of what was on its way; empty when nothing was."""
    rows = []
    for part in parts:
        if not part.rollout and not part.back and not part.changed:
            continue
        after = _answer(part)
        was = last((part.current or {}).get("task_definition"))
        seconds = sum(rollout.seconds for rollout in (part.rollout, part.back) if rollout)
        rows.append(Row(part.name, _outcome(part), was, last(after.get("task_definition")), _running(after), seconds))
    return table(rows)


def _running(service: Options) -> str:
    """Running tasks of what the service is to run now, of those desired; tasks that are to stop apart from them."""
    if not service:
        return ""
    desired, total = int(service.get("desired_count") or 0), int(service.get("running_count") or 0)
    own = int((primary(service) or {}).get("runningCount", total))
    running = min(own, desired)
    if service.get("scheduling_strategy") == "DAEMON":
        running = own
    stopping = total - running
    return f"{running}/{desired}" + (f", {stopping} stopping" if stopping > 0 else "")


def _outcome(part: Part) -> str:
    told = state_of(part).replace("_", " ")
    return f"failed, {told}" if part.back and part.rollout and part.rollout.error else told


def failed(errors: Sequence[SlipwayError], release: Release, result: Result) -> SlipwayError:
    """The failure of a release: which services failed and why, and what became of the others."""
    parts = release.parts
    lost = {part.name: part.back.error for part in parts if part.back and part.back.error}
    names = [part.name for part in parts if part.rollout and part.rollout.error] or [*lost]
    lines = [f"The release failed: {', '.join(names)} of {counted(len(parts), 'service')}. {_fate(parts, lost)}"]
    lines += [error.msg for error in errors]
    lines += [f"On the way back: {error.msg}" for error in lost.values() if error not in errors]
    lines += [f"Besides, {what}: {error.msg}" for what, error in _trouble(release)]
    codes = {ROLLBACK_FAILED} if lost else {error.code for error in errors}
    code = codes.pop() if len(codes) == 1 else MULTIPLE_ERRORS
    return SlipwayError(code, "\n".join(lines), {**_short_result(result), "failed_services": names})


def checkpoints_left(release: Release, result: Result) -> SlipwayError:
    """The failure of a release that did all but end."""
    rolled_back = any(part.back for part in release.parts)
    lines = [
        "All services were rolled back, but the release is not ended."
        if rolled_back
        else f"The release is complete: all of {counted(len(release.parts), 'service')}."
    ]
    lines += [f"Expected to remove its checkpoints, {what}: {error.msg}" for what, error in _trouble(release)]
    lines += ["Rerun the same command when that is mended: it then removes the checkpoints, and changes nothing else."]
    return SlipwayError(CHECKPOINTS_LEFT, "\n".join(lines), _short_result(result))


def _trouble(release: Release) -> list[tuple[str, SlipwayError]]:
    """What went wrong besides, each reason once with all that it concerns."""
    reasons: dict[str, tuple[list[str], SlipwayError]] = {}
    left = {part.name for part in release.parts if part.checkpoint_left}
    for what, error in release.trouble:
        told = f"the checkpoint of {what} is left" if what in left else what
        reasons.setdefault(error.msg.partition("(")[0], ([], error))[0].append(told)
    return [(", ".join(sorted(names)), error) for names, error in reasons.values()]


def _fate(parts: Sequence[Part], lost: Collection[str]) -> str:
    going = [part.name for part in parts if part.back and part.back.under_way]
    if lost or going:
        told = [f"Not brought back to what they ran before: {', '.join(lost)}."] if lost else []
        told += [f"On their way back, not monitored any more: {', '.join(going)}."] if going else []
        return " ".join([*told, RESUME, UNDO])
    back = [part.name for part in parts if part.back and not _is_new(part)]
    gone = [part.name for part in parts if part.back and _is_new(part)]
    told = [f"What ran before runs again: {', '.join(back)}."] if back else []
    told += [f"Deleted, as there was none before: {', '.join(gone)}."] if gone else []
    if told:
        return " ".join(told)
    kept = [part.name for part in parts if state_of(part) in ("created", "updated")]
    return f"Kept as the release wanted them: {', '.join(kept)}." if kept else "No other service was changed."


def unfinished(cause: SlipwayError, release: Release) -> SlipwayError:
    """Where a release stands that `cause` has stopped, and how to go on or back."""
    if not release.touched:
        release.progress.say(f"{cause.msg} {NOTHING_CHANGED}")
        return SlipwayError(cause.code, f"{cause.msg} {NOTHING_CHANGED}", cause.details)
    parts = release.parts
    rollouts = [(part.back or part.rollout) for part in parts]
    going = [
        f"{rollout.name} ({rollout.told or rollout.state})" for rollout in rollouts if rollout and rollout.under_way
    ]
    done = [part.name for part in parts if state_of(part) in ("created", "updated", "rolled_back")]
    errors = {part.name: part.rollout.error for part in parts if part.rollout and part.rollout.error}
    lines = [
        f"{cause.msg} ECS continues the started deployments; this run no longer monitors them.",
        f"On their way: {', '.join(going) or 'none'}. Done: {', '.join(done) or 'none'}.",
        *([f"Failed before: {', '.join(errors)}.", *(error.msg for error in errors.values())] if errors else []),
        f"{RESUME} {UNDO}",
    ]
    release.progress.say("\n".join(lines))
    names = {"failed_services": [*errors]} if errors else {}
    return SlipwayError(cause.code, " ".join(lines), {**cause.details, **result_of(release), **names})


def _ended(release: Release, errors: list[SlipwayError]) -> Result:
    """The result of a release or of its rollback, or its failure with all that belongs to it."""
    for line in outcome_lines(release.parts):
        release.progress.say(line)
    result = result_of(release)
    if not errors and any(part.back and part.back.under_way for part in release.parts):
        errors = [error for _what, error in release.trouble]
    if errors:
        raise failed(errors, release, result)
    if release.trouble:
        raise checkpoints_left(release, result)
    return result
