# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target groups and listener rules of services, as ecs_load_balancer_target_groups. Pure.

The role sets the same rules on each of its listeners, one rule for a target group, and forwards all of its requests.
Target groups that are used otherwise are named by ARN, and stay as they are.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ..._core.target_groups import settings_of
from ..._core.types import Json
from .notes import Note, Notes

HOST, PATH = "host-header", "path-pattern"
_CONFIGURATIONS = {HOST: "HostHeaderConfig", PATH: "PathPatternConfig"}
_OPTIONS = {HOST: "hosts", PATH: "paths"}
# What the role sets of a target group, beside its settings.
_FIXED = {"protocol": "Protocol", "port": "Port", "target_type": "TargetType"}
_PROTOCOLS = ("HTTP", "HTTPS")
_SETTINGS = (
    "health_check_protocol",
    "health_check_path",
    "health_check_codes",
    "health_check_interval",
    "health_check_timeout",
    "healthy_threshold",
    "unhealthy_threshold",
    "deregistration_delay",
)


class Balancing(t.NamedTuple):
    """`variables` are those of the role, `names` of the target groups by ARN, as services refer to them."""

    variables: Json
    names: dict[str, str]
    notes: Notes


class Answers(t.NamedTuple):
    """`groups` have `Attributes`, listeners have `Rules`, and balancers have `Listeners`."""

    groups: t.Sequence[Json]
    balancers: t.Sequence[Json]


def elements(found: Answers) -> Balancing:
    """The load balancer that most target groups are behind, its listeners with rules for them, and these groups."""
    used = Counter(arn for group in found.groups for arn in group.get("LoadBalancerArns") or ())
    known = [one for one in found.balancers if one.get("Type", "application") == "application"]
    balancer = max(known, key=lambda one: (used[one["LoadBalancerArn"]], one["LoadBalancerArn"]), default=None)
    rules = _rules(balancer or {}, {group["TargetGroupArn"] for group in found.groups})
    listeners = _listeners(rules)
    written, notes, names = [], Notes(), dict[str, str]()
    for group in sorted(found.groups, key=lambda one: str(one["TargetGroupName"])):
        item, reason = _group(group, balancer, rules, listeners)
        if reason:
            notes.append(_note(group, reason))
        else:
            written.append(item)
            names[str(group["TargetGroupArn"])] = str(item["name"])
    # The first one is that of the requests which no rule takes.
    written.sort(key=lambda item: "priority" in item)
    variables: Json = {"ecs_load_balancer_target_groups": written}
    if balancer and written:
        variables |= {
            "ecs_load_balancer_arn": balancer["LoadBalancerArn"],
            "ecs_load_balancer_listener_arns": listeners,
        }
    return Balancing(variables, names, notes)


def _note(group: Json, reason: str) -> Note:
    return Note(
        f"target_groups.{group['TargetGroupName']}",
        f"It cannot be expressed because {reason}.",
        "The service names it by its ARN. Its settings and rules stay as they are, and runs leave them alone.",
    )


class _Rule(t.NamedTuple):
    listener: str
    group: str
    settings: Json
    problem: str


def _rules(balancer: Json, groups: t.Collection[str]) -> list[_Rule]:
    """The rules that forward to one of the groups."""
    found = []
    for listener in balancer.get("Listeners") or ():
        for rule in listener.get("Rules") or ():
            targets = targets_of(rule.get("Actions") or [])
            problem = _problem(rule, targets)
            found += [
                _Rule(listener["ListenerArn"], arn, {} if rule.get("IsDefault") else _settings(rule), problem)
                for arn in targets
                if arn in groups
            ]
    return found


def targets_of(actions: t.Sequence[Json]) -> list[str]:
    found = [str(action["TargetGroupArn"]) for action in actions if action.get("TargetGroupArn")]
    configs = [action.get("ForwardConfig") or {} for action in actions]
    found += [str(one["TargetGroupArn"]) for config in configs for one in config.get("TargetGroups") or ()]
    return list(dict.fromkeys(found))


def _problem(rule: Json, targets: t.Sequence[str]) -> str:
    """What of the rule the role has no variable for."""
    actions, what = rule.get("Actions") or [], f"the rule {rule.get('Priority')}"
    if len(actions) != 1:
        return f"{what} has several actions"
    if len(targets) > 1:
        return f"{what} forwards to several target groups"
    if ((actions[0].get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}).get("Enabled"):
        return f"{what} is sticky"
    if rule.get("Transforms"):
        return f"{what} has transforms"
    for condition in rule.get("Conditions") or ():
        if condition["Field"] not in _OPTIONS:
            return f"{what} has the condition {condition['Field']}"
        if (condition.get(_CONFIGURATIONS[condition["Field"]]) or {}).get("RegexValues"):
            return f"{what} has a regular expression"
    return ""


def _settings(rule: Json) -> Json:
    found: Json = {"priority": int(rule["Priority"])}
    for condition in rule.get("Conditions") or ():
        option = _OPTIONS.get(condition["Field"])
        values = (condition.get(_CONFIGURATIONS.get(condition["Field"], "")) or condition).get("Values") or []
        if option and values:
            found[option] = sorted(values)
    return found


def _listeners(rules: t.Sequence[_Rule]) -> list[str]:
    """The listeners with the same rules as the one that has most. The role sets all rules on each of its listeners."""
    by_listener: dict[str, list[Json]] = {}
    for rule in rules:
        if rule.settings and not rule.problem:
            by_listener.setdefault(rule.listener, []).append({**rule.settings, "group": rule.group})
    if not by_listener:
        return sorted({rule.listener for rule in rules})
    most = max(by_listener.values(), key=len)
    return sorted(arn for arn, some in by_listener.items() if _sorted(some) == _sorted(most))


def _sorted(rules: t.Sequence[Json]) -> list[Json]:
    return sorted(rules, key=lambda rule: int(rule["priority"]))


def _group(group: Json, balancer: Json | None, rules: t.Sequence[_Rule], listeners: list[str]) -> tuple[Json, str]:
    arn, settings = group["TargetGroupArn"], settings_of(group, group["Attributes"])
    own = [rule for rule in rules if rule.group == arn]
    conditional = [rule for rule in own if rule.settings]
    reason = _group_reason(group, balancer) or next((rule.problem for rule in own if rule.problem), "")
    if not reason and conditional:
        reason = _rules_reason(conditional, listeners)
    if not reason and conditional and len(own) > len(conditional):
        reason = "a listener forwards to it by default, and a rule, too"
    return {
        "name": group["TargetGroupName"],
        "target_group_name": group["TargetGroupName"],
        **{option: group[member] for option, member in _FIXED.items() if group.get(member) is not None},
        **(conditional[0].settings if conditional else {}),
        **{name: settings[name] for name in _SETTINGS if settings.get(name) is not None},
    }, reason


def _group_reason(group: Json, balancer: Json | None) -> str:
    arns = group.get("LoadBalancerArns") or []
    if not arns:
        return "no load balancer uses it"
    if balancer is None or balancer["LoadBalancerArn"] not in arns:
        return "it is behind another load balancer than the project's"
    if group.get("Protocol") not in _PROTOCOLS:
        return f"its protocol is {group.get('Protocol')}"
    return ""


def _rules_reason(rules: t.Sequence[_Rule], listeners: t.Sequence[str]) -> str:
    if [rule.listener for rule in sorted(rules, key=lambda one: one.listener)] != list(listeners):
        return "its rules are not one on each listener of the project"
    if any(rule.settings != rules[0].settings for rule in rules):
        return "its rules differ between listeners"
    return ""
