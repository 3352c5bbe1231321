# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a release, as data. No calls."""

from __future__ import annotations

from ..._core.types import Result
from ..service.members import Options
from ..service.model import predicted, to_result, with_tags
from ..target_group.model import changed, diff_of
from .checkpoint import checkpoint_keys
from .state import Release, ServiceRelease

_OMITTED_ON_FAILURE = ("service", "task_definition")


def result_of(release: Release, *, check_mode: bool = False) -> Result:
    """The result of the module; in check mode with the predicted services under the same keys."""
    services = {service.name: _service(service, check_mode) for service in release.services}
    return {
        "changed": any(result["changed"] for result in services.values()),
        "diff": [diff for service in release.services if (diff := _diff(service))],
        "cluster": release.cluster,
        "services": services,
        "progress": release.progress.lines,
        **_steps(release, check_mode),
        # Services may share a task definition, and so its warnings.
        "warnings": list(dict.fromkeys([text for one in release.services for text in one.warnings] + release.warnings)),
        **({"release_number": release.number} if release.number is not None else {}),
        **({"target": release.target} if release.target is not None else {}),
    }


def _steps(release: Release, check_mode: bool) -> Result:
    """The tasks and checks of the release, if it has any."""
    found: dict[str, list[Result]] = {}
    for task in release.tasks:
        found.setdefault(f"{task.when}_tasks", []).append(task.to_result())
    if release.checks:
        found["verify"] = [check.to_result() for check in release.checks]
    if check_mode and not release.changes:
        return {name: [{**one, "state": "not_needed"} for one in steps] for name, steps in found.items()}
    return found


def short_result(result: Result) -> Result:
    """The result of a failed task, which people read, without what they do not need."""
    services = {
        name: {key: value for key, value in service.items() if key not in _OMITTED_ON_FAILURE}
        for name, service in result["services"].items()
    }
    return {**result, "services": services}


def service_after(service: ServiceRelease) -> Options:
    """The service as AWS returned it last, without events, which may be long; empty if it was deleted."""
    rollouts = [rollout.answer for rollout in (service.rollback, service.rollout) if rollout and rollout.answer]
    answer = next(iter(rollouts), service.answer or service.found) or {}
    if service.rollback and service.rollback.state == "stable" and service.is_new:
        return {}
    if service.rollback:
        answer = {**answer, "tags": (service.found or {}).get("tags")}
    else:
        answer = with_tags(answer, service.found, service.plan)
    return _plain(to_result(answer))


def _service(service: ServiceRelease, check_mode: bool) -> Result:
    after = _predicted(service) if check_mode else service_after(service)
    rollouts = [rollout for rollout in (service.rollout, service.rollback) if rollout]
    errors = [rollout.error for rollout in rollouts if rollout.error]
    return {
        "state": service.state,
        "changed": _was_changed(service, check_mode),
        "before": _essence(to_result(service.found)) if service.current is not None and service.found else {},
        "after": _essence(after),
        "diff": _diff(service),
        "deployment": service.rollout.deployment if service.rollout and not check_mode else "",
        "seconds": round(sum(rollout.seconds for rollout in rollouts), 1),
        "service": after,
        **({"task_definition": service.definition.result} if service.definition else {}),
        **({"unfinished": True} if service.unfinished else {}),
        **({"checkpoint_left": True} if service.checkpoint_left or service.kept == "stable" else {}),
        **(errors[0].result() if errors else {}),
    }


def _was_changed(service: ServiceRelease, check_mode: bool) -> bool:
    """Whether anything was changed, or in check mode would be, even if it was rolled back later."""
    if check_mode or service.rollback:
        return service.changed
    return service.changed and service.state != "not_started"


def _diff(service: ServiceRelease) -> Result:
    """What differs, of the task definition and of the service; empty if nothing does."""
    before, after = dict(service.plan.plan.before), dict(service.plan.plan.after)
    if service.definition and service.definition.draft.plan.changed:
        own = service.definition.draft.plan
        before["definition"], after["definition"] = own.before, own.after
    if changed(service.groups):
        before["target_groups"], after["target_groups"] = diff_of(service.groups)
    if not before and not after:
        return {}
    return {"before_header": service.name, "after_header": service.name, "before": before, "after": after}


def _predicted(service: ServiceRelease) -> Options:
    existing = service.found if service.current is not None else None
    return _plain(predicted(existing, service.plan, service.name))


def _plain(service: Options) -> Options:
    """The service without events and checkpoint."""
    tags = service.get("tags") or {}
    hidden = checkpoint_keys(tags)
    kept = {name: value for name, value in service.items() if name != "events"}
    return {**kept, "tags": {key: text for key, text in tags.items() if key not in hidden}}


def _essence(service: Options) -> Result:
    return {
        name: service[name]
        for name in ("task_definition", "desired_count", "running_count")
        if service.get(name) is not None
    }
