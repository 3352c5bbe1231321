# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_release does: plan all, register all, bring all to their goals, or take all back."""

from __future__ import annotations

import functools
import signal
import typing as t
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

from .._core import tags as tagging
from .._core.errors import INVALID_OPTION, SlipwayError
from .._core.module import CONNECTIONS, Connection, Result
from .._core.plan import remove
from .._core.progress import Progress
from .._core.waiting import leave_stopping_to_main_thread
from . import api, service_api, service_flow
from . import task_definition_flow as definitions
from .fleet import Fleet, Service, Ship, Unwatched
from .release import Before, before_of, counted, mark, marks, reversed_order, short, way_back
from .release_plan import NOTHING, Definition, Part, gather, parts_of, plan_part, plan_parts, read_parts, read_services
from .release_result import INTERRUPTED, ROLLBACK_FAILED, failed, outcome_lines, result_of, summary, unfinished
from .rollout import is_steady
from .service import ServicePlan, Shapes, Wish, current_options, plan_service, present
from .watching import Cloud, Observer

SERVICE_GONE = "service_gone"


@dataclass
class Release:
    """A release under way."""

    cloud: Cloud
    cluster: str
    shapes: Shapes
    pool: Executor
    progress: Progress
    fleet: Fleet
    timeout: float
    parts: list[Part]

    @property
    def ecs(self) -> t.Any:
        return self.cloud.ecs

    def say(self, part: Part, text: str) -> None:
        self.fleet.say(part.name, text)


def run_flow(connection: Connection) -> Result:
    """The flow of ecs_release."""
    params = connection.params
    if not 1 <= params["parallel"] <= CONNECTIONS:
        raise SlipwayError(INVALID_OPTION, f"parallel: expected 1 to {CONNECTIONS}, got {params['parallel']}.")
    if not params["services"] and not params["undo"]:
        raise SlipwayError(INVALID_OPTION, "services: expected one service or more, got none.")
    cloud = Cloud(connection.client)
    shapes = service_flow.request_shapes(cloud.ecs)
    parts = parts_of(connection, cloud.ecs, shapes)
    progress = Progress(params["progress"])
    pool = ThreadPoolExecutor(params["parallel"], initializer=leave_stopping_to_main_thread)
    timeout = float(params["wait_timeout"])
    fleet = Fleet(cloud, params["cluster"], pool, progress, timeout)
    release = Release(cloud, params["cluster"], shapes, pool, progress, fleet, timeout, parts)
    # Those who stop a run should be told where they stand, whichever way they stop it.
    stopped = signal.signal(signal.SIGTERM, _stop)
    try:
        return _undo_unfinished(release, connection) if params["undo"] else _release(release, connection)
    except KeyboardInterrupt:
        stop = SlipwayError(INTERRUPTED, "Interrupted.")
        raise unfinished(stop, release.parts, progress, release.cluster) from None
    except Unwatched as error:
        raise unfinished(error.cause, release.parts, progress, release.cluster) from error
    finally:
        signal.signal(signal.SIGTERM, stopped)
        pool.shutdown(wait=False, cancel_futures=True)


def _stop(_number: int, _frame: t.Any) -> t.NoReturn:
    raise KeyboardInterrupt(INTERRUPTED)


def _release(release: Release, connection: Connection) -> Result:
    parts, check_mode = release.parts, connection.check_mode
    read_parts(release.pool, release.cloud, release.cluster, parts, check_mode)
    plan_parts(release.pool, release.cloud, parts, release.shapes, check_mode)
    if check_mode:
        _register(release, check_mode=True)
        return result_of(release.cluster, parts, release.progress, check_mode=True)
    release.progress.say(summary(release.cluster, parts))
    _register(release, check_mode=False)
    for part in parts:
        part.ship = _forward(release, part)
    release.fleet.run([part.ship for part in parts if part.ship], halt=connection.params["on_failure"] == "rollback")
    errors = [part.ship.error for part in parts if part.ship and part.ship.error]
    if errors and connection.params["on_failure"] == "rollback":
        _take_back(release, [part for part in parts if part.before])
    else:
        _forget(release, parts)
    for line in outcome_lines(parts):
        release.progress.say(line)
    result = result_of(release.cluster, parts, release.progress)
    if errors:
        raise failed(errors, parts, result)
    return result


def _register(release: Release, check_mode: bool) -> None:
    """Register what differs: all revisions, or none when AWS refuses one. Then plan with their ARNs."""
    unique = {id(part.definition): part.definition for part in release.parts if part.definition}
    changed = [definition for definition in unique.values() if definition.draft.plan.changed]
    new = [definition for definition in changed if definition.current is None or definition.draft.is_new]

    def register(definition: Definition) -> None:
        done = definitions.apply(
            release.ecs, definition.wish.name, definition.current, definition.draft, check_mode=check_mode
        )
        definition.view = done["task_definition"]

    def told(definition: Definition) -> str:
        return f"task_definition {definition.wish.name}"

    try:
        gather(release.pool, register, new, told)
        gather(release.pool, register, [one for one in changed if one not in new], told)
    except SlipwayError:
        arns = [definition.arn for definition in new if definition.view]
        gather(release.pool, functools.partial(api.deregister_task_definition, release.ecs), arns, str)
        raise
    for definition in unique.values():
        if not definition.view and definition.current:
            definition.view = definitions.view(definition.current)
    for part in release.parts:
        plan_part(part, release.shapes)


def _forward(release: Release, part: Part) -> Ship | None:
    """How a part gets to its goal; None where it is there already."""
    if not part.plan.changed and is_steady(part.service or {}):
        return None
    observer = Observer(release.cloud, release.cluster, part.name)
    if part.definition:
        # Known already, as far as a watch asks for it.
        observer.task_definition = {"containerDefinitions": part.definition.view["container_definitions"]}
    return Ship(part.name, observer, functools.partial(_start, release, part, observer), part.after)


def _start(release: Release, part: Part, observer: Observer) -> Service | None:
    """Note what is there, then make the calls of the plan; the service to watch."""
    service = part.service if part.current is not None else None
    if not part.plan.changed:
        service_flow.aim(observer, service, t.cast(Service, service))
        return service
    planned = part.plan
    target = str(part.wish.options.get("task_definition") or (part.current or {}).get("task_definition", ""))
    if service is None:
        if (part.service or {}).get("status") == "DRAINING":
            service_flow.await_inactive(release.cloud, release.cluster, part.name, release.timeout)
        part.before = Before(None, target)
        noted = [*planned.request.get("tags", ()), *tagging.to_list(mark(part.before))]
        planned = replace(planned, request={**planned.request, "tags": noted})
    else:
        observer.read_known()
        part.before = before_of(part.current or {}, planned.plan, target, part.before)
        api.tag_resource(release.ecs, service["serviceArn"], tagging.to_list(mark(part.before)))
    request = _request(release, part.name, part.wish)
    part.answer = service_flow.apply(release.cloud, request, service, planned)
    release.say(part, _way(service, part.answer))
    service_flow.aim(observer, service, part.answer)
    return part.answer


def _way(before: Service | None, after: Service) -> str:
    was, now = short((before or {}).get("taskDefinition")), short(after.get("taskDefinition"))
    if before is None:
        return f"made, runs {now}"
    return f"{was} -> {now}, started" if was != now else f"{now}, its settings change"


def _request(release: Release, name: str, wish: Wish) -> service_flow.Request:
    return service_flow.Request(release.cluster, name, wish, None, True, release.timeout, False)


def _take_back(release: Release, parts: Sequence[Part]) -> None:
    """Bring back what was there before, of each part that this release or an unfinished one has changed."""
    if not parts:
        return
    release.progress.say(f"Taking back {counted(len(parts), 'service')}: {', '.join(part.name for part in parts)}")
    found = read_services(release.pool, release.cloud, release.cluster, [part.name for part in parts], False)
    order = reversed_order({part.name: part.after for part in parts})
    for part in parts:
        observer = Observer(release.cloud, release.cluster, part.name)
        start = functools.partial(_start_back, release, part, observer, found.get(part.name))
        part.back = Ship(part.name, observer, start, order[part.name])
    backs = [part.back for part in parts if part.back]
    release.fleet.run(backs, halt=False)
    for back in backs:
        if back.state == "waiting":
            others = ", ".join(other.name for other in backs if other.name in back.after and other.state != "arrived")
            told = f"Service {back.name}: left as it is, for what comes after it was not brought back: {others}."
            back.state, back.error = "failed", SlipwayError(ROLLBACK_FAILED, told)
    _forget(release, [part for part in parts if part.back and part.back.state == "arrived"])


def _start_back(release: Release, part: Part, observer: Observer, service: Service | None) -> Service | None:
    """Make the calls that lead back; the service to watch, None where nothing is left to wait for."""
    before = part.before
    if before is None or (before.options is None and not present(service)):
        return None
    if service is None or not present(service):
        raise SlipwayError(SERVICE_GONE, "It was deleted meanwhile, so it cannot be brought back.")
    if before.options is None:
        service_api.delete_service(release.ecs, release.cluster, part.name, force=True)
        release.say(part, "deleted, there was none before")
        service_flow.await_inactive(release.cloud, release.cluster, part.name, release.timeout)
        return None
    wish = way_back(before)
    planned = plan_service(current_options(service), wish, release.shapes)
    if not planned.changed and is_steady(service):
        return None
    observer.read_known()
    answer = service_flow.apply(release.cloud, _request(release, part.name, wish), service, planned)
    release.say(part, f"back to {short(answer.get('taskDefinition'))}")
    service_flow.aim(observer, service, answer)
    return answer


def _forget(release: Release, parts: Sequence[Part]) -> None:
    """Remove the notes: the release has ended for these parts."""

    def forget(part: Part) -> None:
        # Where a service could not be made, `service` may be a deleted one of the same name.
        known = part.answer or (part.service if part.current is not None else None) or {}
        arn = str(known.get("serviceArn", ""))
        noted = {**(mark(part.before) if part.before else {}), **((part.current or {}).get("tags") or {})}
        deleted = part.back and part.before and part.before.options is None
        if arn and not deleted:
            api.untag_resource(release.ecs, arn, sorted(marks(noted)))

    gather(release.pool, forget, [part for part in parts if part.before], lambda part: f"services, {part.name}")


def _undo_unfinished(release: Release, connection: Connection) -> Result:
    """Take back what a release left unfinished, of the services named or of all in the cluster."""
    if not release.parts:
        arns = api.list_services(release.ecs, release.cluster)
        release.parts[:] = [Part(arn.rpartition("/")[2], frozenset(), Wish({})) for arn in arns]
    read_parts(release.pool, release.cloud, release.cluster, release.parts, connection.check_mode)
    for part in release.parts:
        part.plan = _plan_back(part, release.shapes)
    parts = [part for part in release.parts if part.before]
    if not connection.check_mode:
        _take_back(release, parts)
        for line in outcome_lines(parts):
            release.progress.say(line)
    result = result_of(release.cluster, parts, release.progress, check_mode=connection.check_mode)
    errors = [part.back.error for part in parts if part.back and part.back.error]
    if errors:
        raise failed(errors, parts, result)
    return result


def _plan_back(part: Part, shapes: Shapes) -> ServicePlan:
    """What undoing an unfinished release would change."""
    if part.before is None or part.current is None:
        return NOTHING
    if part.before.options is None:
        gone = remove({"service_name": part.name, "status": (part.service or {}).get("status")})
        return ServicePlan(gone, "update", {}, {}, [])
    return plan_service(part.current, way_back(part.before), shapes)
