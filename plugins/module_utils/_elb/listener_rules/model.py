# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a listener: which hosts and paths go to which target group.

A rule is known by its priority, and changed as a whole: conditions and action at once, so that no request meets half
of it. Only a forward to several target groups, the desired one among them, keeps its action: Amazon ECS shifts the
weights there (blue/green, linear, canary), and resetting them would send all requests to a group without tasks.
"""

from __future__ import annotations

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


def asked(given: t.Sequence[t.Mapping[str, t.Any]]) -> list[Json]:
    """The rules that were asked for, checked, by priority."""
    wanted = [
        {
            "priority": rule["priority"],
            "hosts": sorted({host.lower() for host in rule.get("hosts") or ()}),
            "paths": sorted(set(rule.get("paths") or ())),
            "target_group_arn": rule["target_group_arn"],
        }
        for rule in given
    ]
    problems = [problem for rule in wanted for problem in _problems(rule)]
    counted = Counter(rule["priority"] for rule in wanted)
    problems += [f"priority {priority} is given {count} times" for priority, count in counted.items() if count > 1]
    if problems:
        raise SlipwayError(INVALID_OPTION, f"rules: {'; '.join(problems)}.", {"problems": problems})
    return sorted(wanted, key=lambda rule: rule["priority"])


def _problems(rule: Json) -> list[str]:
    values = len(rule["hosts"]) + len(rule["paths"])
    problems = []
    if rule["priority"] not in PRIORITIES:
        problems.append(f"priority {rule['priority']} is not between {PRIORITIES[0]} and {PRIORITIES[-1]}")
    if not 0 < values <= MOST_VALUES:
        problems.append(f"priority {rule['priority']} has {values} hosts and paths, 1 to {MOST_VALUES} are right")
    return problems


def from_aws(answers: t.Iterable[Json]) -> list[Json]:
    """The rules that are there, by priority, but the default one. What no rule of ours has is under `other`."""
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
    return [
        {**rule, "target_groups": weights[rule["priority"]]}
        if rule["target_group_arn"] in [group["target_group_arn"] for group in weights.get(rule["priority"], ())]
        else rule
        for rule in desired
    ]


def settings(rule: Json) -> Json:
    """What makes two rules the same: of a forward to several target groups, these."""
    without = {"rule_arn", *(["target_group_arn"] if "target_groups" in rule else [])}
    return {name: value for name, value in rule.items() if name not in without}


def request(rule: Json, current: Json | None = None) -> Json:
    """Conditions and action of a rule, as AWS takes them; of one that is there, without what is kept."""
    values = {HOST: rule["hosts"], PATH: rule["paths"]}
    conditions = [
        {"Field": field, CONFIGURATIONS[field]: {"Values": given}} for field, given in values.items() if given
    ]
    action = {"Type": "forward", "TargetGroupArn": rule["target_group_arn"]}
    return {
        "Conditions": conditions,
        **({} if "target_groups" in rule else {"Actions": [action]}),
        **({"ResetTransforms": True} if "transforms" in (current or {}).get("other", ()) else {}),
    }
