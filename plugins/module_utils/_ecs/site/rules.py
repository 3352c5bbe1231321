# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listener rules that forward to target groups, under the options of ecs_load_balancer_rules. Pure.

A rule is written in the form in which elb_listener_rules compares it, and only if that module takes it.
"""

from __future__ import annotations

import typing as t

from ..._core import rule_actions as actions
from ..._core import rule_conditions as conditions
from ..._core.types import Json


class Rule(t.NamedTuple):
    """`options` are empty for the default action of a listener; `problem` says what has no option."""

    listener: str
    group: str
    options: Json
    problem: str


def of_balancer(balancer: Json, groups: t.Collection[str]) -> list[Rule]:
    """The rules that forward to one of the groups."""
    found = []
    for listener in balancer.get("Listeners") or ():
        for rule in listener.get("Rules") or ():
            targets = targets_of(rule.get("Actions") or [])
            own = [arn for arn in targets if arn in groups]
            if own:
                options = {} if rule.get("IsDefault") else _options(rule)
                problem = _problem(rule, options, targets)
                found += [Rule(listener["ListenerArn"], arn, options, problem) for arn in own]
    return found


def targets_of(given: t.Sequence[Json]) -> list[str]:
    """The target groups that actions forward to."""
    found = [str(action["TargetGroupArn"]) for action in given if action.get("TargetGroupArn")]
    configs = [action.get("ForwardConfig") or {} for action in given]
    found += [str(one["TargetGroupArn"]) for config in configs for one in config.get("TargetGroups") or ()]
    return list(dict.fromkeys(found))


def _options(rule: Json) -> Json:
    """Its priority, conditions, the actions before it forwards, and its transforms."""
    others = actions.split(rule.get("Actions") or []).get("actions")
    found = {
        "priority": int(rule["Priority"]),
        **conditions.split(rule.get("Conditions") or ()),
        "actions": others,
        "transforms": sorted(rule.get("Transforms") or (), key=lambda one: str(one["Type"])),
    }
    return {name: value for name, value in found.items() if value}


def _problem(rule: Json, options: Json, targets: t.Sequence[str]) -> str:
    what = f"the rule {rule.get('Priority')}"
    if len(targets) > 1:
        return f"{what} forwards to several target groups"
    if not options:
        # The default action belongs to those who own the listener.
        return ""
    forward = actions.split(rule["Actions"])
    if "stickiness" in forward:
        return f"{what} uses stickiness"
    if "target_group_arn" not in forward:
        return f"{what} forwards no requests"
    wrong = next(_refused(options, targets[0]), "").rstrip(".")
    return f"the role does not support {what} ({wrong})" if wrong else ""


def _refused(options: Json, arn: str) -> t.Iterator[str]:
    """What elb_listener_rules would refuse."""
    given: dict[str, list[Json]] = {name: options.get(name) or [] for name in ("conditions", "actions", "transforms")}
    for name, known in (("actions", actions.CONFIGURATIONS), ("transforms", actions.TRANSFORMS)):
        kinds = [str(one["Type"]) for one in given[name] if one["Type"] not in known]
        if kinds:
            yield f"{name}: expected one of {', '.join(known)}, got {kinds[0]}"
            return
    yield from conditions.problems(given["conditions"])
    yield from actions.problems(given["actions"], arn)
    yield from actions.transform_problems(given["transforms"])
    yield from conditions.value_problems({"hosts": [], "paths": [], **options})


def listeners(rules: t.Sequence[Rule]) -> list[str]:
    """The listeners with the same rules as the one that has most. The role sets all rules on each of its listeners."""
    by_listener: dict[str, list[Json]] = {}
    for rule in rules:
        if rule.options and not rule.problem:
            by_listener.setdefault(rule.listener, []).append({**rule.options, "group": rule.group})
    if not by_listener:
        return sorted({rule.listener for rule in rules})
    most = max(by_listener.values(), key=len)
    return sorted(arn for arn, some in by_listener.items() if by_priority(some) == by_priority(most))


def by_priority(options: t.Iterable[Json]) -> list[Json]:
    return sorted(options, key=lambda one: int(one["priority"]))


def of_group(rules: t.Sequence[Rule], chosen: t.Sequence[str]) -> tuple[list[Json], str]:
    """The rules of a group by priority, which are the same on each chosen listener, or why they cannot be written."""
    problem = next((rule.problem for rule in rules if rule.problem), "")
    own: dict[str, list[Json]] = {}
    for rule in rules:
        if rule.options:
            own.setdefault(rule.listener, []).append(rule.options)
    if problem or not own:
        return [], problem
    if sorted(own) != sorted(chosen):
        return [], "its rules are not exactly on the project's listeners"
    first, *others = [by_priority(some) for some in own.values()]
    return (first, "") if all(some == first for some in others) else ([], "its rules differ between listeners")
