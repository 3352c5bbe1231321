# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a listener: which hosts and paths go to which target group.

A rule is known by its priority, and changed as a whole: conditions and action at once, so that no request meets half
of it. Only a forward to several target groups, the desired one among them, keeps its action: Amazon ECS shifts the
weights there (blue/green, linear, canary), and resetting them would send all requests to a group without tasks.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import Sets
from ..._core.types import Json

SETS: Sets = {"rules": ("priority",)}
HOST = "host-header"
PATH = "path-pattern"
CONFIGURATIONS = {HOST: "HostHeaderConfig", PATH: "PathPatternConfig"}
# AWS's own limits, https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
PRIORITIES = range(1, 50001)
MOST_VALUES = 5
LONGEST_VALUE = 128
_HOST_VALUE = re.compile(r"[A-Za-z0-9.*?-]*\.[A-Za-z]+")
_PATH_VALUE = re.compile(r"[/*?][A-Za-z0-9_.$/~\"'@:+&()!,;=%*?-]*")


def desired(given: t.Sequence[t.Mapping[str, t.Any]]) -> list[Json]:
    """The rules that were requested, checked, by priority."""
    wanted = [
        {
            "priority": rule["priority"],
            "hosts": sorted({host.lower() for host in rule.get("hosts") or ()}),
            "paths": sorted(set(rule.get("paths") or ())),
            "target_group_arn": rule["target_group_arn"],
            **_pair(rule),
        }
        for rule in given
    ]
    found = [
        *(f"rules[{number}].{problem}" for number, rule in enumerate(wanted) for problem in value_problems(rule)),
        *(f"rules: {problem}" for problem in _priority_problems(wanted)),
    ]
    if found:
        raise SlipwayError(INVALID_OPTION, " ".join(found), {"problems": found})
    return sorted(wanted, key=lambda rule: rule["priority"])


def _pair(rule: t.Mapping[str, t.Any]) -> Json:
    """All requests for the target group, none for the alternate one yet."""
    alternate = rule.get("alternate_target_group_arn")
    if not alternate:
        return {}
    pair = [{"target_group_arn": rule["target_group_arn"], "weight": 100}, {"target_group_arn": alternate, "weight": 0}]
    return {"target_groups": sorted(pair, key=lambda group: str(group["target_group_arn"])), "begins": True}


def value_problems(rule: Json) -> t.Iterator[str]:
    """What AWS would refuse of the priority, hosts and paths of one rule; each begins with the member's name."""
    if int(rule["priority"]) not in PRIORITIES:
        yield f"priority: expected {PRIORITIES[0]} to {PRIORITIES[-1]}, got {rule['priority']}."
    for host in rule["hosts"]:
        if not _HOST_VALUE.fullmatch(host) or len(host) > LONGEST_VALUE:
            yield f"hosts: expected names such as api.example.com or *.example.com, got {host!r}."
    for path in rule["paths"]:
        if not _PATH_VALUE.fullmatch(path) or len(path) > LONGEST_VALUE:
            yield f"paths: expected paths such as /api or /api/*, got {path!r}."
    count = len(rule["hosts"]) + len(rule["paths"])
    if not 0 < count <= MOST_VALUES:
        yield f"hosts and paths: expected 1 to {MOST_VALUES} of both together, got {count}."


def _priority_problems(rules: t.Sequence[Json]) -> t.Iterator[str]:
    counted = Counter(rule["priority"] for rule in rules)
    yield from (f"expected one rule with priority {one}, got {count}." for one, count in counted.items() if count > 1)


def from_api(answers: t.Iterable[Json]) -> list[Json]:
    """The current rules by priority, without the default one. What no rule of ours has is under `other`."""
    found = [_rule(answer) for answer in answers if not answer.get("IsDefault")]
    return sorted(found, key=lambda rule: int(rule["priority"]))


def _rule(answer: Json) -> Json:
    conditions = answer.get("Conditions") or []
    values = {condition["Field"]: _values(condition) for condition in conditions}
    groups, other = _forward(answer.get("Actions") or [])
    other += [field for field in values if field not in CONFIGURATIONS]
    other += [f"{condition['Field']} regex" for condition in conditions if _configuration(condition).get("RegexValues")]
    other += [f"{field} twice" for field in values if [one["Field"] for one in conditions].count(field) > 1]
    other += ["transforms"] if answer.get("Transforms") else []
    return {
        "priority": int(answer["Priority"]),
        "hosts": sorted(host.lower() for host in values.get(HOST, ())),
        "paths": sorted(values.get(PATH, ())),
        "target_group_arn": groups[0]["target_group_arn"] if len(groups) == 1 else "",
        **({"target_groups": groups} if len(groups) > 1 else {}),
        "rule_arn": answer["RuleArn"],
        **({"other": sorted(other)} if other else {}),
    }


def _configuration(condition: Json) -> Json:
    return dict(condition.get(CONFIGURATIONS.get(condition["Field"], "")) or condition)


def _values(condition: Json) -> list[str]:
    return list(_configuration(condition).get("Values") or ())


def _forward(actions: list[Json]) -> tuple[list[Json], list[str]]:
    """The target groups of a single action that forwards, and what a plain forward does not have."""
    if len(actions) != 1 or actions[0].get("Type") != "forward":
        return [], [str(action.get("Type")) for action in actions if action.get("Type") != "forward"]
    config = actions[0].get("ForwardConfig") or {}
    groups = [
        {"target_group_arn": group["TargetGroupArn"], "weight": int(group.get("Weight", 1))}
        for group in config.get("TargetGroups") or [{"TargetGroupArn": actions[0].get("TargetGroupArn", "")}]
    ]
    if len(groups) > 1:
        return sorted(groups, key=lambda group: str(group["target_group_arn"])), []
    sticky = (config.get("TargetGroupStickinessConfig") or {}).get("Enabled")
    return groups, ["stickiness"] * bool(sticky) + ["weight 0"] * (groups[0]["weight"] == 0)


def keep_shifted(desired: list[Json], current: list[Json]) -> list[Json]:
    """`desired`, with the weights of those rules that forward to several target groups, the desired one among them."""
    weights = {rule["priority"]: rule.get("target_groups", []) for rule in current}
    return [_kept(rule, weights.get(rule["priority"], [])) for rule in desired]


def _kept(rule: Json, weights: list[Json]) -> Json:
    groups = [group["target_group_arn"] for group in weights]
    wanted = [group["target_group_arn"] for group in rule.get("target_groups", ())] or [rule["target_group_arn"]]
    if not set(wanted) <= set(groups):
        return rule
    return {**{name: value for name, value in rule.items() if name != "begins"}, "target_groups": weights}


def settings(rule: Json) -> Json:
    """What makes two rules the same: of a forward to several target groups, these."""
    without = {"rule_arn", "begins", *(["target_group_arn"] if "target_groups" in rule else [])}
    return {name: value for name, value in rule.items() if name not in without}


def request(rule: Json, current: Json | None = None) -> Json:
    """Conditions and action of a rule, as AWS takes them; of an existing one, without what is kept."""
    values = {HOST: rule["hosts"], PATH: rule["paths"]}
    conditions = [
        {"Field": field, CONFIGURATIONS[field]: {"Values": given}} for field, given in values.items() if given
    ]
    kept = "target_groups" in rule and "begins" not in rule
    return {
        "Conditions": conditions,
        **({} if kept else {"Actions": [action(rule)]}),
        **({"ResetTransforms": True} if "transforms" in (current or {}).get("other", ()) else {}),
    }


def action(rule: Json) -> Json:
    """How AWS takes the forward of a rule, or of a listener by default."""
    if "target_groups" not in rule:
        return {"Type": "forward", "TargetGroupArn": rule["target_group_arn"]}
    groups = [
        {"TargetGroupArn": group["target_group_arn"], "Weight": group["weight"]} for group in rule["target_groups"]
    ]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def default_from_api(answers: t.Iterable[Json]) -> Json:
    """Where the default rule of a listener forwards to, as a rule has it; empty if it does something else."""
    for answer in answers:
        groups, other = _forward(answer.get("Actions") or []) if answer.get("IsDefault") else ([], ["no default"])
        if groups and not other:
            return {"target_groups": groups} if len(groups) > 1 else {"target_group_arn": groups[0]["target_group_arn"]}
    return {}


def default_of(given: t.Mapping[str, t.Any] | None, current: Json) -> Json:
    """The desired default action; an existing one that forwards to both target groups is kept with its weights."""
    if not given:
        return current
    rule = _kept({"target_group_arn": given["target_group_arn"], **_pair(given)}, current.get("target_groups", []))
    return settings(rule)
