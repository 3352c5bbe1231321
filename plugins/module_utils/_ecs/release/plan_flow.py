# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all services of a release and plan their changes, before anything is changed."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Sequence
from concurrent.futures import Executor

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.plan import UNKNOWN
from ..cloud import Cloud
from ..limits import refuse
from ..service import api as service_api
from ..service.limits import relation_problems
from ..service.members import Options
from ..service.model import Shapes, exists, plan_service, refuse_blocked
from ..service.options import require_task_definition
from ..service.read_flow import options_of, resolve_task_definition
from ..target_group import flow as target_groups_flow
from ..target_group.model import used_by
from ..task_definition import api as definition_api
from ..task_definition import flow as definitions
from ..task_definition.model import DesiredTaskDefinition, parse_name
from .checkpoint import unmark
from .gather import gather
from .state import Definition, Part


def read_services(
    pool: Executor, cloud: Cloud, cluster: str, names: Sequence[str], check_mode: bool
) -> dict[str, Options]:
    """The services that exist, with their tags, ten in a call."""

    def read(batch: list[str]) -> list[Options]:
        return service_api.describe_services(cloud.ecs, cluster, batch, include=["TAGS"])

    try:
        answers = list(pool.map(read, batches(names, service_api.SERVICES_BATCH)))
    except SlipwayError as error:
        # In check mode the cluster may be yet to be made.
        if error.code == NOT_FOUND and check_mode:
            return {}
        raise
    return {service["serviceName"]: service for service in itertools.chain.from_iterable(answers)}


def read_parts(pool: Executor, cloud: Cloud, cluster: str, parts: Sequence[Part], check_mode: bool) -> None:
    """Fill in what is there now, and what an unfinished release has noted."""
    found = read_services(pool, cloud, cluster, [part.name for part in parts], check_mode)
    for part in parts:
        part.service = service = found.get(part.name)
        if not exists(service) or (service or {}).get("status") == "DRAINING":
            continue
        part.current = options_of(cloud, service, part.desired)
        part.before = unmark((part.current or {}).get("tags") or {})
        if part.before and not part.before.fits(str((service or {}).get("taskDefinition", ""))):
            part.before = None
        part.unfinished = part.before is not None


def plan_parts(pool: Executor, cloud: Cloud, parts: Sequence[Part], shapes: Shapes, check_mode: bool) -> None:
    """Plan every part; nothing is touched. What cannot be carried out is refused, all of it at once."""
    _plan_definitions(pool, cloud, parts)
    # Begun before the plans that wait for them, so that none waits for ever; each is read once.
    running = {str((part.current or {}).get("task_definition", "")) for part in parts}
    found = {
        name: pool.submit(
            resolve_task_definition,
            cloud,
            name,
            next((arn for arn in running if arn.endswith(f"/{name}")), ""),
            check_mode,
        )
        for name in {_reference(part) for part in parts} - {""}
    }

    def plan(part: Part) -> None:
        name = _reference(part)
        if name:
            part.desired.options["task_definition"] = found[name].result()
        plan_part(part, shapes)

    gather(pool, plan, parts, lambda part: f"services, {part.name}")


def plan_target_groups(pool: Executor, cloud: Cloud, parts: Sequence[Part], asked: dict[str, Options]) -> None:
    """Plan the settings of target groups, each with the services that use it."""
    # In check mode, those that are yet to be created; they will have these settings.
    wanted = {arn: settings for arn, settings in asked.items() if arn != UNKNOWN}
    if not wanted:
        return
    groups = target_groups_flow.plan(cloud, wanted, pool)
    used = {part.name: used_by(part.desired.options) or used_by(part.current or {}) for part in parts}
    target_groups_flow.require(wanted, groups, set().union(*used.values()))
    for part in parts:
        part.groups = [group for group in groups if group.arn in used[part.name]]


def _reference(part: Part) -> str:
    """The name of a task definition that is not the release's own."""
    return "" if part.definition else str(part.desired.options.get("task_definition") or "")


def plan_part(part: Part, shapes: Shapes) -> None:
    """Plan one part, with the task definition as far as it is known."""
    if part.definition:
        part.desired.options["task_definition"] = part.definition.arn
    if part.current is None and part.initial_count is not None:
        part.desired.options.setdefault("desired_count", part.initial_count)
    require_task_definition(part.desired, part.current, part.name)
    if part.definition:
        refuse(list(relation_problems(part.desired.options, part.definition.draft.request)))
    part.plan = plan_service(part.current, part.desired, shapes)
    refuse_blocked(part.plan, part.name)


def _plan_definitions(pool: Executor, cloud: Cloud, parts: Sequence[Part]) -> None:
    """One definition a family, however many services run it."""
    desired: dict[str, DesiredTaskDefinition] = {}
    running: dict[str, list[str]] = {}
    for part in parts:
        if not part.asked:
            continue
        family = part.asked.name.family
        if desired.setdefault(family, part.asked) != part.asked:
            problem = f"services, {part.name}: the family {family} is defined in another way by another service."
            raise SlipwayError(INVALID_OPTION, problem, {"problems": [problem]})
        running.setdefault(family, []).append(str((part.current or {}).get("task_definition", "")))

    def choose(desired: DesiredTaskDefinition) -> dict[str, Definition]:
        return _definitions(cloud.ecs, desired, running[desired.name.family])

    found = gather(pool, choose, desired.values(), lambda desired: f"task_definition {desired.name}")
    planned = dict(zip(desired, found, strict=True))
    for part in parts:
        if part.asked:
            known = planned[part.asked.name.family]
            part.definition = known.get(str((part.current or {}).get("task_definition", "")), known[""])


def _definitions(ecs: t.Any, desired: DesiredTaskDefinition, running: Sequence[str]) -> dict[str, Definition]:
    """The wish beside each revision that runs and is as asked, by ARN; and, by "", what all other services are to run:
    the newest if it is as asked, else another that is, else a new one.

    They differ after a release that was taken back: then the newest is the one that failed.
    """
    newest = definitions.find(ecs, desired.name)
    planned = Definition(desired, newest, definitions.draft_revision(ecs, desired, newest))
    if newest is None or desired.name.revision is not None:
        return {"": planned}
    kept = {} if planned.draft.is_new else {str(newest["arn"]): planned}
    others = {arn for arn in running if arn != newest["arn"] and f"/{desired.name.family}:" in arn}
    for arn in sorted(others, key=definition_api.revision_of, reverse=True):
        runs = definitions.find(ecs, parse_name(arn))
        if runs and not (drafted := definitions.draft_revision(ecs, desired, runs)).is_new:
            kept[arn] = Definition(desired, runs, drafted)
    return {**kept, "": next(iter(kept.values()), planned)}
