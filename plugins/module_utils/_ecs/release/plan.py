# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all services of a release and plan each, before anything is touched."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION, MULTIPLE_ERRORS, NOT_FOUND, RELEASE_IN_PROGRESS
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.paging import batches
from ..._core.plan import UNKNOWN, Plan
from ..._core.progress import Progress
from ..._core.target_groups import ARGUMENTS as SETTINGS
from ..._core.types import Connection, Json
from ..arguments import SERVICE, TASK_DEFINITION, TASK_DEFINITION_RULES
from ..cloud import Cloud
from ..limits import problems_of, refuse
from ..rollout.deployments import is_stable
from ..service import api as service_api
from ..service.limits import relation_problems
from ..service.members import Options
from ..service.model import DesiredService, ServicePlan, Shapes, exists, plan_service, refuse_blocked
from ..service.options import desired_of, require_task_definition
from ..service.read_flow import options_of, resolve_task_definition
from ..target_group import flow as target_groups_flow
from ..target_group.model import TargetGroup, changed, used_by
from ..task_definition import api as definition_api
from ..task_definition import flow as definitions
from ..task_definition.model import DesiredTaskDefinition, Draft, parse_name
from ..task_definition.problems import definition_problems
from .checkpoint import Run
from .model import Before, unmark, wrong_order
from .rollouts import RolloutGroup, ServiceRollout

ITEM: dict[str, dict[str, t.Any]] = {
    **SERVICE,
    "name": {"type": "str", "required": True, "aliases": ["service", "service_name"]},
    "after": {"type": "list", "elements": "str", "default": []},
    "initial_count": {"type": "int"},
    "task_definition": {"type": "raw"},
}


NOTHING = ServicePlan(Plan({}, {}, {}), "none", {}, {}, [])

A = t.TypeVar("A")
B = t.TypeVar("B")


@dataclass
class Definition:
    """The task definition that one or more services of the release are to run."""

    desired: DesiredTaskDefinition
    current: Json | None
    draft: Draft
    # The revision as the modules return it; until it is registered, what is known of it.
    view: Json = field(default_factory=dict)

    @property
    def arn(self) -> str:
        if self.view:
            return str(self.view["arn"])
        return UNKNOWN if self.current is None or self.draft.is_new else str(self.current["arn"])


@dataclass
class Part:
    """One service of the release: what is asked, what is there, what is planned, and how it went."""

    name: str
    after: frozenset[str]
    desired: DesiredService
    asked: DesiredTaskDefinition | None = None
    # Tasks that the service starts with, if it is made.
    initial_count: int | None = None
    definition: Definition | None = None
    service: Options | None = None
    current: Options | None = None
    plan: ServicePlan = NOTHING
    # What an unfinished release noted on the service, or this one.
    before: Before | None = None
    unfinished: bool = False
    rollout: ServiceRollout | None = None
    back: ServiceRollout | None = None
    # The service as AWS answered last.
    answer: Options | None = None
    # That which this run has created, by what no other of its name shares: ARN and time.
    made: tuple[str, str] | None = None
    # Set where its release had reached its goals before: why it is left alone.
    kept: str = ""
    checkpoint_left: bool = False
    # Whether CreateService was sent and not refused: what it creates may be shown a moment later.
    asked_to_create: bool = False
    # Those of its target groups whose settings belong to the release.
    groups: list[TargetGroup] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        definition = bool(self.definition and self.definition.draft.plan.changed)
        return self.plan.changed or definition or bool(changed(self.groups))


@dataclass
class Release:
    """A release under way."""

    cloud: Cloud
    cluster: str
    shapes: Shapes
    pool: Executor
    progress: Progress
    rollout_group: RolloutGroup
    timeout: float
    parts: list[Part]
    run: Run = field(default_factory=lambda: Run(""))
    # Whether anything may have been changed.
    touched: bool = False
    # What went wrong besides, each with what it concerns. It never takes the place of a failure.
    trouble: list[tuple[str, SlipwayError]] = field(default_factory=list)

    @property
    def ecs(self) -> t.Any:
        return self.cloud.ecs

    def say(self, part: Part, text: str) -> None:
        self.rollout_group.say(part.name, text)


def identity(service: Options) -> tuple[str, str] | None:
    """What no two services share, even if one is created after the other was deleted; None where AWS does not say."""
    created = service.get("createdAt")
    return (str(service.get("serviceArn", "")), str(created)) if created else None


def by_run(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """The parts with a checkpoint, by the id of the release that wrote it."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        if part.before:
            found.setdefault(part.before.run.id if part.before.run else "", []).append(part)
    return found


def has_arrived(parts: Sequence[Part]) -> bool:
    """True when the account itself shows that the release of these checkpoints reached its goal on every service."""
    runs = [part.before.run for part in parts if part.before and part.before.run]
    if not runs or len(parts) < max(1, *(run.services for run in runs)):
        return False
    # Settings of target groups do not show whether tasks are healthy with them.
    if any(part.before.groups for part in parts if part.before):
        return False
    return all(
        is_stable(part.service or {}) and (part.service or {}).get("taskDefinition") == part.before.target
        for part in parts
        if part.before
    )


def refuse_other_release(parts: Sequence[Part], own: str, now: str) -> None:
    """Fail where another release is under way on these services, as far as the account can tell."""
    for name, others in by_run(parts).items():
        runs = [part.before.run for part in others if part.before and part.before.run]
        if name in ("", own) or any(run.state for run in runs) or now >= max(run.until for run in runs):
            continue
        same = all(part.before and part.desired.options.get("task_definition") == part.before.target for part in others)
        if same or has_arrived(others):
            continue
        run = max(runs, key=lambda run: run.until)
        to = ", ".join(f"{part.name} (to {last(part.before.target)})" for part in others if part.before)
        raise SlipwayError(
            RELEASE_IN_PROGRESS,
            f"Another release is in progress: {run.told}. It changes {to} and may take until {run.until}. Nothing was"
            " changed. Wait until it ends. If it was killed, rerun the same command to resume it, run the playbook"
            " slipway.aws.undo to roll it back, or set force=true (the role: ecs_app_force) to replace it.",
            {"release": {"id": run.id, "started": run.started, "until": run.until, "by": run.by}},
        )


def gather(pool: Executor, call: Callable[[A], B], items: Iterable[A], told: Callable[[A], str]) -> list[B]:
    """Call for each of `items` side by side. All failures are told in one, with the code that they share."""
    futures = [(item, pool.submit(call, item)) for item in items]
    answers, errors = [], []
    for item, future in futures:
        try:
            answers.append(future.result())
        except SlipwayError as error:
            errors.append((told(item), error))
    raise_all(errors)
    return answers


def raise_all(errors: Sequence[tuple[str, SlipwayError]]) -> None:
    """Fail with all `errors` at once, each with what it concerns."""
    if not errors:
        return
    codes = {error.code for _what, error in errors}
    code = codes.pop() if len(codes) == 1 else MULTIPLE_ERRORS
    problems = [f"{what}: {error.msg}" for what, error in errors]
    details = errors[0][1].details if len(errors) == 1 else {}
    if code in (INVALID_OPTION, MULTIPLE_ERRORS):
        details = {**details, "problems": problems}
    raise SlipwayError(code, "\n".join(problems), details)


def parts_of(connection: Connection, ecs: t.Any, shapes: Shapes) -> list[Part]:
    """The parts of the release, their options checked; everything that is wrong with them is told at once."""
    errors: list[tuple[str, SlipwayError]] = []
    parts: list[Part] = []
    for number, given in enumerate(connection.params["services"] or (), 1):
        what = f"services, {given.get('name') or number}"
        try:
            parts.append(_part(given, ecs, shapes, connection.check_mode))
        except SlipwayError as error:
            errors.append((what, error))
    raise_all(errors)
    names = [part.name for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"services, {name}: the name is there more than once." for name in twice]
    problems += wrong_order({part.name: part.after for part in parts})
    if problems:
        raise SlipwayError(INVALID_OPTION, "\n".join(problems), {"problems": problems})
    return parts


def _part(given: dict[str, t.Any], ecs: t.Any, shapes: Shapes, check_mode: bool) -> Part:
    params = _checked(given, ITEM, {})
    params["tags"] = tagging.checked(params["tags"])
    definition = params["task_definition"]
    problems: list[str] = []
    asked = None
    if isinstance(definition, dict):
        asked, problems = problems_of(lambda: _asked(definition, ecs, check_mode))
        definition = None
    params["task_definition"] = None if definition is None else str(definition)
    desired, wrong = problems_of(lambda: desired_of(params, shapes, check_mode))
    problems += wrong
    if asked and asked.document is not None:
        whole = {**asked.document, **asked.options}
        problems += definition_problems(whole)
        problems += relation_problems(desired.options if desired else {}, whole)
    count = params["initial_count"]
    if count is not None and count < 0:
        problems.append(f"initial_count: expected 0 or more, got {count}.")
    refuse(problems)
    return Part(params["name"], frozenset(params["after"]), t.cast(DesiredService, desired), asked, count)


def _asked(definition: dict[str, t.Any], ecs: t.Any, check_mode: bool) -> DesiredTaskDefinition:
    checked = _checked(definition, TASK_DEFINITION, TASK_DEFINITION_RULES)
    checked["tags"] = tagging.checked(checked["tags"], "task_definition.tags")
    return definitions.desired_of(ecs, checked, check_mode)


def _checked(given: dict[str, t.Any], spec: dict[str, t.Any], rules: dict[str, t.Any]) -> dict[str, t.Any]:
    """Options as Ansible checks those of a module: names, types, choices."""
    checked = ArgumentSpecValidator(spec, **rules).validate(given)
    if checked.error_messages:
        raise SlipwayError(INVALID_OPTION, " ".join(f"{message}." for message in checked.error_messages))
    return dict(checked.validated_parameters)


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


def target_groups_of(connection: Connection) -> dict[str, Options]:
    """The settings of target groups that are asked for, by ARN, checked."""
    asked: dict[str, Options] = {}
    for arn, given in (connection.params["target_groups"] or {}).items():
        try:
            checked = _checked(given, SETTINGS, {})
        except SlipwayError as error:
            raise SlipwayError(error.code, f"target_groups, {arn}: {error.msg}", error.details) from error
        asked[arn] = {name: value for name, value in checked.items() if value is not None}
    return asked


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
