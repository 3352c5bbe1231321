# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service as options, and the plan that leads from the current service to the desired one: the requests to send."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._core import tags as tagging
from ..._core.error_codes import CODE_DEPLOY, IMMUTABLE
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan, compare, normalise
from ..._core.shapes import Shape, to_members, to_options
from ..._core.types import Json
from ..rollout.deployments import primary
from .aws_values import keep_aws_values
from .defaults import DEFAULTS, fill, rebalancing
from .members import AT_THE_DEPLOYMENT, SETS, UPDATABLE, Options

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/migrate-code-deploy-to-ecs-blue-green.html
MOVE = (
    "AWS CodeDeploy deploys it. To move it to ECS blue/green deployments, turn off whatever starts deployments in"
    " CodeDeploy, then set together deployment_controller.type=ECS, deployment_configuration.strategy=BLUE_GREEN with"
    " bakeTimeInMinutes, and load_balancers with advancedConfiguration: the alternate target group, the production"
    " listener rule and the role of ECS."
)


@dataclass(frozen=True)
class ServicePlan:
    """The comparison, and the calls that it takes. `blocked` names what AWS cannot change in place."""

    plan: Plan
    action: t.Literal["none", "create", "update", "recreate"]
    request: Options
    put_tags: dict[str, str]
    remove_tags: list[str]
    blocked: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.action != "none"


@dataclass(frozen=True)
class DesiredService:
    """The desired options, and how far to go for them."""

    options: Options
    purge_tags: bool = True
    force_new_deployment: bool = False
    recreate: bool = False


@dataclass(frozen=True)
class Shapes:
    """botocore's shapes of the two requests."""

    create: Shape
    update: Shape


def exists(service: t.Mapping[str, t.Any] | None) -> bool:
    """False for a missing service, and for a deleted one that AWS still returns (INACTIVE)."""
    return bool(service) and (service or {}).get("status") != "INACTIVE"


def to_result(service: t.Mapping[str, t.Any]) -> Options:
    """AWS's answer as modules return it: option names, tags as a dict, the ten latest events."""
    result = to_options(service)
    result["tags"] = tagging.from_list(service.get("tags"))
    result["events"] = list(service.get("events") or ())[:10]
    return result


def from_api(service: Json, monitoring: t.Any = None) -> Options:
    """The options of an existing service, with the defaults where AWS returns nothing."""
    shapes = dict(service)
    first = primary(service) or {}
    for member in AT_THE_DEPLOYMENT:
        if first.get(member) and not shapes.get(member):
            shapes[member] = first[member]
    options = {name: value for name, value in to_options(shapes).items() if value is not None and value != ""}
    options["tags"] = tagging.from_list(service.get("tags"))
    options["role"] = options.pop("role_arn", None)
    options["monitoring"] = monitoring
    return {**DEFAULTS, **options}


def plan_service(current: Options | None, desired: DesiredService, shapes: Shapes) -> ServicePlan:
    """Plan how to get from `current` (None: no service) to the desired service."""
    if current is None:
        return _creation(desired.options, shapes.create)
    options = keep_aws_values(desired.options, current)
    options["tags"] = tagging.desired(current["tags"], desired.options.get("tags"), desired.purge_tags)
    filled_current = fill(current, current["scheduling_strategy"])
    filled = fill(options, str(options.get("scheduling_strategy") or current["scheduling_strategy"]))
    plan = compare(normalise(filled_current, SETS), normalise(filled, SETS), SETS)
    blocked = _blocked(plan, current, shapes.update)
    if blocked and desired.recreate:
        return _recreation(plan, current, options, shapes.create, blocked)
    request = _update_request(plan, options, filled, filled_current, shapes.update)
    if desired.force_new_deployment:
        plan = Plan(plan.before, {**plan.after, "force_new_deployment": True}, plan.predicted)
    if desired.force_new_deployment or "capacity_provider_strategy" in plan.members:
        # AWS moves a service between providers only with a new deployment.
        request["forceNewDeployment"] = True
    put, remove = tagging.changes(current["tags"], options["tags"]) if options["tags"] is not None else ({}, [])
    return ServicePlan(plan, "update" if plan.changed else "none", request, put, remove, blocked)


def refuse_blocked(planned: ServicePlan, name: str) -> None:
    """Fail when the plan needs what AWS cannot do."""
    if not planned.blocked or planned.action == "recreate":
        return
    names = ", ".join(planned.blocked)
    details = {"immutable": list(planned.blocked), "diff": planned.plan.diff}
    if (planned.plan.predicted.get("deployment_controller") or {}).get("type") == "CODE_DEPLOY":
        raise SlipwayError(CODE_DEPLOY, f"AWS cannot change {names} of service {name} in place. {MOVE}", details)
    advice = ""
    if "launch_type" in planned.blocked:
        advice = " To move it to other capacity in place, use capacity_provider_strategy instead of launch_type."
    raise SlipwayError(
        IMMUTABLE,
        f"AWS cannot change {names} of the existing service {name} in place. Keep the current value, or set"
        f" recreate=true of ecs_service to delete and re-create the service, which interrupts it.{advice}",
        details,
    )


def _creation(desired: Options, shape: Shape) -> ServicePlan:
    options = {name: value for name, value in desired.items() if value is not None}
    if options.get("scheduling_strategy", "REPLICA") == "REPLICA":
        options.setdefault("desired_count", 1)
    plan = compare(None, normalise(options, SETS), SETS)
    new = {"availability_zone_rebalancing": rebalancing(options), "service_arn": UNKNOWN}
    predicted = {**DEFAULTS, **new, **plan.predicted}
    return ServicePlan(Plan(plan.before, plan.after, predicted), "create", _members(shape, options), {}, [])


def _recreation(plan: Plan, current: Options, options: Options, shape: Shape, blocked: tuple[str, ...]) -> ServicePlan:
    """Create the service again with its current options and the desired ones."""
    kept = {name: value for name, value in current.items() if value not in (None, [], {})}
    if "aws-service-role/" in str(kept.get("role")):
        kept.pop("role")
    if kept.get("service_connect_configuration") == {"enabled": False}:
        kept.pop("service_connect_configuration")
    request = {**kept, **{name: value for name, value in options.items() if value is not None}}
    if request.get("capacity_provider_strategy"):
        request.pop("launch_type", None)
    else:
        request.pop("capacity_provider_strategy", None)
    if request.get("scheduling_strategy") == "DAEMON":
        request.pop("desired_count", None)
    return ServicePlan(plan, "recreate", _members(shape, request), {}, [], blocked)


def _members(shape: Shape, options: Options) -> Options:
    members = to_members(shape, options)
    if "tags" in members:
        members["tags"] = tagging.to_list(options["tags"])
    return members


def _update_request(plan: Plan, options: Options, filled: Options, current: Options, shape: Shape) -> Options:
    changed = {
        name: _with_resets(options[name], filled[name], current.get(name))
        for name in plan.members
        if options.get(name) is not None
    }
    return to_members(shape, changed)


def _with_resets(desired: t.Any, filled: t.Any, current: t.Any) -> t.Any:
    """What is desired, and of the omitted members only those defaults that the service does not have yet."""
    if not (isinstance(desired, dict) and isinstance(filled, dict)):
        return desired
    current = current if isinstance(current, dict) else {}
    return {
        name: _with_resets(desired[name], value, current.get(name)) if name in desired else value
        for name, value in filled.items()
        if name in desired or value != current.get(name)
    }


def _blocked(plan: Plan, current: Options, update_shape: Shape) -> tuple[str, ...]:
    updatable = {*to_options(update_shape.members), "tags"}
    names = {name for name in plan.members if name not in updatable}
    if current.get("capacity_provider_strategy"):
        # An empty strategy switches back to the launch type.
        names.discard("launch_type")
    controller = str(current["deployment_controller"].get("type"))
    if controller in UPDATABLE and "deployment_controller" not in plan.members:
        names |= plan.members - UPDATABLE[controller]
    return tuple(sorted(names))


def with_tags(service: t.Mapping[str, t.Any], before: Options | None, planned: ServicePlan) -> Options:
    """AWS answers a change without tags."""
    tags = planned.plan.predicted.get("tags")
    if tags is None:
        tags = tagging.from_list((before or {}).get("tags"))
    return {**service, "tags": tagging.to_list(tags)}


def predicted(service: Options | None, planned: ServicePlan, name: str) -> Options:
    """The service as a real run would leave it, under the keys that AWS uses."""
    after = {**(to_result(service) if service else {}), **planned.plan.predicted}
    after.pop("role", None)
    return {**after, "service_name": name, "status": "ACTIVE"}
