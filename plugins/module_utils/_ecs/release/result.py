# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a release, as data. No calls."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.types import Result
from ..rollout.deployments import primary
from ..service.members import Options
from ..service.model import predicted, to_result, with_tags
from ..target_group.model import changed, diff_of
from ..task_definition.flow import secret_warnings
from .checkpoint import marks
from .state import Part, Release

_LONG = ("service", "task_definition")


def state_of(part: Part) -> str:
    """How a service ended, or stands: one of the words that the module's documentation lists."""
    if part.back:
        return {"arrived": "rolled_back", "failed": "rollback_failed"}.get(part.back.state, "in_progress")
    if part.rollout and part.rollout.error:
        return "failed"
    if part.rollout and part.rollout.state != "arrived":
        return "in_progress" if part.rollout.under_way else "not_started"
    if not part.changed:
        return "unchanged"
    return "created" if part.plan.action == "create" else "updated"


def result_of(release: Release, *, check_mode: bool = False) -> Result:
    """The module's result; in check mode what the services would be, under the same keys."""
    services = {part.name: _service(part, check_mode) for part in release.parts}
    return {
        "changed": any(service["changed"] for service in services.values()),
        "diff": [diff for part in release.parts if (diff := _diff(part))],
        "cluster": release.cluster,
        "services": services,
        "progress": release.progress.lines,
        "warnings": _warnings(release.parts),
    }


def _warnings(parts: Sequence[Part]) -> list[str]:
    """What Ansible shows beside the result; services may share a task definition."""
    return list(dict.fromkeys(text for part in parts if part.asked for text in secret_warnings(part.asked)))


def _service(part: Part, check_mode: bool) -> Result:
    after = _predicted(part) if check_mode else _answer(part)
    errors = [rollout.error for rollout in (part.rollout, part.back) if rollout and rollout.error]
    return {
        "state": state_of(part),
        "changed": _touched(part, check_mode),
        "before": _essence(to_result(part.service)) if part.current is not None and part.service else {},
        "after": _essence(after),
        "diff": _diff(part),
        "deployment": _deployment(part, check_mode),
        "seconds": round(sum(rollout.seconds for rollout in (part.rollout, part.back) if rollout), 1),
        "service": after,
        **({"task_definition": part.definition.view} if part.definition else {}),
        **({"unfinished": True} if part.unfinished else {}),
        **({"checkpoint_left": True} if part.checkpoint_left or part.kept == "arrived" else {}),
        **(errors[0].result() if errors else {}),
    }


def _touched(part: Part, check_mode: bool) -> bool:
    """Whether anything was, or in check mode would be, changed: also where it was taken back later."""
    if check_mode or part.back:
        return part.changed
    return part.changed and state_of(part) != "not_started"


def _diff(part: Part) -> Result:
    """What differs, of the task definition and of the service; empty where nothing does."""
    before, after = dict(part.plan.plan.before), dict(part.plan.plan.after)
    if part.definition and part.definition.draft.plan.changed:
        own = part.definition.draft.plan
        before["definition"], after["definition"] = own.before, own.after
    if changed(part.groups):
        before["target_groups"], after["target_groups"] = diff_of(part.groups)
    if not before and not after:
        return {}
    return {"before_header": part.name, "after_header": part.name, "before": before, "after": after}


def _answer(part: Part) -> Options:
    """The service as AWS described it last, without its events, which may be long."""
    rollouts = [rollout.service for rollout in (part.back, part.rollout) if rollout and rollout.service]
    service = next(iter(rollouts), part.answer or part.service) or {}
    if part.back and part.back.state == "arrived" and _is_new(part):
        return {}
    if not part.back:
        service = with_tags(service, part.service, part.plan)
    else:
        service = {**service, "tags": (part.service or {}).get("tags")}
    return _plain(to_result(service))


def _predicted(part: Part) -> Options:
    existing = part.service if part.current is not None else None
    return _plain(predicted(existing, part.plan, part.name))


def _plain(service: Options) -> Options:
    tags = service.get("tags") or {}
    noted = marks(tags)
    kept = {name: value for name, value in service.items() if name != "events"}
    return {**kept, "tags": {key: text for key, text in tags.items() if key not in noted}}


def _essence(service: Options) -> Result:
    return {
        name: service[name]
        for name in ("task_definition", "desired_count", "running_count")
        if service.get(name) is not None
    }


def _deployment(part: Part, check_mode: bool) -> str:
    """Id of the deployment that the release started or watched."""
    if check_mode or not part.rollout:
        return ""
    deployment = part.rollout.reader.judge.deployment
    return deployment.service_deployment or deployment.id or str((primary(part.answer or {}) or {}).get("id", ""))


def _short_result(result: Result) -> Result:
    """People read what a failed task returns: no more than they need."""
    services = {
        name: {key: value for key, value in service.items() if key not in _LONG}
        for name, service in result["services"].items()
    }
    return {**result, "services": services}


def _is_new(part: Part) -> bool:
    """True when the release, or the unfinished one that it goes on with, has made the service."""
    return part.before is not None and part.before.options is None
