# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all services of a release and plan their changes, before anything is changed."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Sequence

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.plan import UNKNOWN
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
from .checkpoint import from_tags
from .gather import gather
from .owners import check_owners
from .rollouts import RunningRelease
from .state import Definition, ServiceRelease


def find_services(release: RunningRelease, names: Sequence[str], check_mode: bool) -> dict[str, Options]:
    """The services that exist, with their tags, read ten at a time."""

    def read(batch: list[str]) -> list[Options]:
        return service_api.describe_services(release.ecs, release.cluster, batch, include=["TAGS"])

    try:
        answers = list(release.pool.map(read, batches(names, service_api.SERVICES_BATCH)))
    except SlipwayError as error:
        # In check mode the cluster may not exist yet.
        if error.code == NOT_FOUND and check_mode:
            return {}
        raise
    return {answer["serviceName"]: answer for answer in itertools.chain.from_iterable(answers)}


def read_services(release: RunningRelease, services: Sequence[ServiceRelease], check_mode: bool) -> None:
    """Read the current services, with the checkpoints of an unfinished release."""
    found = find_services(release, [service.name for service in services], check_mode)
    for service in services:
        service.found = answer = found.get(service.name)
        if not exists(answer) or (answer or {}).get("status") == "DRAINING":
            continue
        service.current = options_of(release.cloud, answer, service.desired)
        service.checkpoint = from_tags((service.current or {}).get("tags") or {})
        if service.checkpoint and not service.checkpoint.fits(str((answer or {}).get("taskDefinition", ""))):
            service.checkpoint = None
        service.unfinished = service.checkpoint is not None
    check_owners(services, check_mode)


def plan_services(release: RunningRelease, check_mode: bool) -> None:
    """Plan all services. Changes nothing. What AWS would reject fails now, with all services at once."""
    services = release.services
    _plan_definitions(release)
    # Submitted before the plans that wait for them, so that none waits forever. Each is read once.
    running = {str((service.current or {}).get("task_definition", "")) for service in services}
    found = {
        name: release.pool.submit(
            resolve_task_definition,
            release.cloud,
            name,
            next((arn for arn in running if arn.endswith(f"/{name}")), ""),
            check_mode,
        )
        for name in {_reference(service) for service in services} - {""}
    }

    def plan(service: ServiceRelease) -> None:
        name = _reference(service)
        if name:
            service.desired.options["task_definition"] = found[name].result()
        plan_service_release(service, release.shapes)

    gather(release.pool, plan, services, lambda service: f"services, {service.name}")


def plan_target_groups(release: RunningRelease, settings: dict[str, Options]) -> None:
    """Plan the settings of target groups, each with the services that use it."""
    services = release.services
    # In check mode a target group may not exist yet. It is going to have these settings.
    known = {arn: desired for arn, desired in settings.items() if arn != UNKNOWN}
    if not known:
        return
    groups = target_groups_flow.read_changes(release.cloud, known, release.pool)
    used = {service.name: used_by(service.desired.options) or used_by(service.current or {}) for service in services}
    target_groups_flow.require(known, groups, set().union(*used.values()))
    for service in services:
        service.groups = [group for group in groups if group.arn in used[service.name]]


def _reference(service: ServiceRelease) -> str:
    """The name of a task definition that the release does not define itself."""
    return "" if service.definition else str(service.desired.options.get("task_definition") or "")


def plan_service_release(service: ServiceRelease, shapes: Shapes) -> None:
    """Plan one service, with its task definition as far as it is known."""
    if service.definition:
        service.desired.options["task_definition"] = service.definition.arn
    if service.current is None and service.initial_count is not None:
        service.desired.options.setdefault("desired_count", service.initial_count)
    require_task_definition(service.desired, service.current, service.name)
    if service.definition:
        refuse(list(relation_problems(service.desired.options, service.definition.draft.request)))
    service.plan = plan_service(service.current, service.desired, shapes)
    refuse_blocked(service.plan, service.name)


def _plan_definitions(release: RunningRelease) -> None:
    """Plan one task definition for each family, however many services run it."""
    desired: dict[str, DesiredTaskDefinition] = {}
    running: dict[str, list[str]] = {}
    for service in release.services:
        if not service.desired_definition:
            continue
        family = service.desired_definition.name.family
        if desired.setdefault(family, service.desired_definition) != service.desired_definition:
            problem = f"services, {service.name}: expected one definition of the family {family}, got another one."
            raise SlipwayError(INVALID_OPTION, problem, {"problems": [problem]})
        running.setdefault(family, []).append(str((service.current or {}).get("task_definition", "")))

    def choose(desired: DesiredTaskDefinition) -> dict[str, Definition]:
        return _definitions(release.ecs, desired, running[desired.name.family])

    found = gather(release.pool, choose, desired.values(), lambda desired: f"task_definition {desired.name}")
    planned = dict(zip(desired, found, strict=True))
    for service in release.services:
        if service.desired_definition:
            known = planned[service.desired_definition.name.family]
            service.definition = known.get(str((service.current or {}).get("task_definition", "")), known[""])


def _definitions(ecs: t.Any, desired: DesiredTaskDefinition, running: Sequence[str]) -> dict[str, Definition]:
    """Each running revision that matches, by ARN; and under "" the one for all other services: the newest matching one,
    or else a new one.

    They differ after a rollback, when the newest revision is the one that failed.
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
