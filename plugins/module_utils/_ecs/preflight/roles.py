# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles of tasks and services: they exist, trust ECS, and may do what the task definition requires. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..._core.names import home_of, last
from ..._core.plan import UNKNOWN as NOT_KNOWN
from .checklist import FAIL, OK, Checklist, Reference, Service, Unread, listed
from .permissions import EXECUTION, TASK, Need, needs
from .trust import judge

TASKS, ECS = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"
ALLOWED, DENIED = "allowed", ("explicitDeny", "implicitDeny")
# As users write them.
MEMBERS = {EXECUTION: "executionRoleArn", TASK: "taskRoleArn"}


class RoleUse(t.NamedTuple):
    """A role that a service names."""

    place: str
    arn: str
    principal: str


def check(checklist: Checklist, service: Service) -> None:
    for use in _uses(service):
        _check_role(checklist, use)
    for role, member in MEMBERS.items():
        required = [_shown(checklist, one) for one in needs(service, checklist.account.home) if one.role == role]
        _check_permissions(checklist, service, role, member, required)


def _shown(checklist: Checklist, need: Need) -> Need:
    """Without the name of a parameter that does not exist: it may be the secret itself."""
    known = checklist.desired.manages("parameter", need.bare) or (
        need.bare and checklist.account.known("parameter", need.bare)
    )
    return need if known or not need.bare else need._replace(resource="", purpose="a parameter")


def _uses(service: Service) -> Iterator[RoleUse]:
    for role, member in MEMBERS.items():
        if arn := str(service.definition.get(role) or ""):
            yield RoleUse(service.at(f"task_definition.{member}"), arn, TASKS)
    for number, item in enumerate(service.options.get("load_balancers") or ()):
        advanced = item.get("advancedConfiguration") or {}
        if arn := str(advanced.get("roleArn") or ""):
            yield RoleUse(service.at(f"load_balancers[{number}].advancedConfiguration.roleArn"), arn, ECS)
    for number, item in enumerate(service.options.get("volume_configurations") or ()):
        if arn := str((item.get("managedEBSVolume") or {}).get("roleArn") or ""):
            yield RoleUse(service.at(f"volume_configurations[{number}].managedEBSVolume.roleArn"), arn, ECS)
    hooks = (service.options.get("deployment_configuration") or {}).get("lifecycleHooks") or ()
    for number, item in enumerate(hooks):
        if arn := str(item.get("roleArn") or ""):
            yield RoleUse(service.at(f"deployment_configuration.lifecycleHooks[{number}].roleArn"), arn, ECS)


def _check_role(checklist: Checklist, use: RoleUse) -> None:
    home, name = home_of(use.arn), last(use.arn)
    own = checklist.account.home
    if use.arn == NOT_KNOWN:
        return
    if home and home.account != own.account:
        checklist.fail(
            "role",
            use.place,
            f"expected a role in account {own.account}, got {use.arn}. Use a role in the cluster's account.",
        )
        return
    remedy = "Create the role, or correct the name."
    found = checklist.find(Reference("role", use.place, "IAM role", name, remedy))
    if found is None:
        return
    verdict = judge(found.get("AssumeRolePolicyDocument"), use.principal, own)
    if verdict.trusted:
        checklist.ok("trust", use.place, f"IAM role {name} trusts {use.principal}")
        return
    if verdict.trusted is None:
        checklist.unread("trust", use.place, f"whether {name} trusts {use.principal}", Unread("", f"{verdict.reason}."))
        return
    checklist.fail(
        "trust",
        use.place,
        f"expected a role that {use.principal} can assume, got {name} with {verdict.reason}. Allow sts:AssumeRole"
        f" for the service {use.principal} in the role's trust policy.",
    )


def _check_permissions(checklist: Checklist, service: Service, role: str, member: str, required: list[Need]) -> None:
    place = service.at(f"task_definition.{member}")
    arn = str(service.definition.get(role) or "")
    if arn == NOT_KNOWN or checklist.desired.manages("IAM role", last(arn)) or not required:
        return
    if not arn:
        _without_role(checklist, service, place, role, required)
        return
    found = checklist.account.known("IAM role", last(arn))
    if not isinstance(found, dict):
        return
    by_resource: dict[str, list[Need]] = {}
    for need in (one for one in required if one.resource):
        by_resource.setdefault(need.resource, []).append(need)
    for resource, some in by_resource.items():
        actions = sorted({action for need in some for action in need.actions})
        decisions = checklist.account.read("permissions", str(found["Arn"]), resource, *actions)
        if isinstance(decisions, Unread):
            checklist.unread("permissions", place, f"whether {last(arn)} can use {some[0].purpose}", decisions)
            continue
        refused = sorted(action for action in actions if decisions.get(action) in DENIED)
        text = f"{last(arn)} can use {some[0].purpose}"
        if refused:
            checklist.fail(
                "permissions",
                place,
                f"expected a role that can use {some[0].purpose}, got {last(arn)} without {listed(refused)}"
                f" on {resource}. Allow that in a policy of the role.",
            )
        elif all(decisions.get(action) == ALLOWED for action in actions):
            checklist.add("permissions", place, OK, text)
        else:
            unread = Unread("", "conditions in its policies depend on the request.")
            checklist.unread("permissions", place, f"whether {text}", unread)


def _without_role(checklist: Checklist, service: Service, place: str, role: str, required: list[Need]) -> None:
    """On Fargate a task has no other credentials; on EC2, secrets and private registries need the role, too."""
    purposes = [need for need in required if role == TASK or _requires_role(service, need)]
    if purposes:
        checklist.add(
            "role",
            place,
            FAIL,
            f"{place}: expected a role, because the task uses {listed(sorted({need.purpose for need in purposes}))},"
            " got"
            " none. Set it to a role with these permissions.",
        )


def _requires_role(service: Service, need: Need) -> bool:
    is_fargate = "FARGATE" in (service.definition.get("requires_compatibilities") or ())
    return is_fargate or need.actions[0].split(":")[0] in ("secretsmanager", "ssm")
