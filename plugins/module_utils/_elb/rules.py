# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a listener: which hosts and paths go to which target group.

A rule is known by its priority, and changed as a whole: conditions and action at once, so that no request meets half
of it.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from .._core.errors import INVALID_OPTION, SlipwayError
from .._core.plan import Sets

Json = dict[str, t.Any]

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
    groups = _target_groups(answer.get("Actions") or [])
    rule = {
        "priority": int(answer["Priority"]),
        "hosts": sorted(host.lower() for host in values.get(HOST, ())),
        "paths": sorted(values.get(PATH, ())),
        "target_group_arn": groups[0] if len(groups) == 1 else "",
        "rule_arn": answer["RuleArn"],
    }
    other = sorted(field for field in values if field not in CONFIGURATIONS)
    return {**rule, "other": other} if other else rule


def _values(condition: Json) -> list[str]:
    configuration = condition.get(CONFIGURATIONS.get(condition["Field"], ""))
    return list((configuration or condition).get("Values") or ())


def _target_groups(actions: list[Json]) -> list[str]:
    """The target groups of a single action that forwards; none for any other."""
    if len(actions) != 1 or actions[0].get("Type") != "forward":
        return []
    weighted = (actions[0].get("ForwardConfig") or {}).get("TargetGroups") or ()
    return [group["TargetGroupArn"] for group in weighted] or [actions[0].get("TargetGroupArn", "")]


def settings(rule: Json) -> Json:
    """What makes two rules the same."""
    return {name: value for name, value in rule.items() if name != "rule_arn"}


def request(rule: Json) -> Json:
    """Conditions and action of a rule, as AWS takes them."""
    values = {HOST: rule["hosts"], PATH: rule["paths"]}
    return {
        "Conditions": [
            {"Field": field, CONFIGURATIONS[field]: {"Values": given}} for field, given in values.items() if given
        ],
        "Actions": [{"Type": "forward", "TargetGroupArn": rule["target_group_arn"]}],
    }
