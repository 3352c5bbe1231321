# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of a listener: conditions, actions and transforms, under the module's options.

A rule is known by its priority, and changed as a whole: conditions and actions at once, so that no request meets half
of it. Only a forward to several target groups, the desired one among them, keeps its weights: Amazon ECS shifts them
there (blue/green, linear, canary), and resetting them would send all requests to a group without tasks.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ..._core import rule_actions as actions
from ..._core import rule_conditions as conditions
from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import Sets
from ..._core.shapes import Shape, check_options
from ..._core.types import Json

SETS: Sets = {"rules": ("priority",)}
# What a rule has in AWS's spelling.
SPELLED = ("conditions", "actions", "transforms")
# What is known of a rule beside its settings: its ARN, whether weights that ECS has shifted are kept, and whether they
# were found.
MARKS = ("rule_arn", "keeps_weights", "has_kept")


def desired(given: t.Sequence[t.Mapping[str, t.Any]], shape: Shape) -> list[Json]:
    """The rules that were requested, checked, by priority."""
    found: list[str] = []
    wanted = [_desired(f"rules[{number}].", rule, shape, found) for number, rule in enumerate(given)]
    found += [f"rules: {problem}" for problem in _priority_problems(wanted)]
    fail(found)
    return sorted(wanted, key=lambda rule: int(rule["priority"]))


def fail(problems: list[str]) -> None:
    if problems:
        raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})


def _desired(place: str, rule: t.Mapping[str, t.Any], shape: Shape, found: list[str]) -> Json:
    """One rule; what is wrong with it is added to `found`."""
    try:
        checked = check_options(shape, {name: rule.get(name) for name in SPELLED}, members=SPELLED)
    except SlipwayError as error:
        found += [f"{place}{problem}" for problem in error.details["problems"]]
        return {"priority": rule["priority"], "hosts": [], "paths": []}
    spelled: Json = {name: checked.get(name) or [] for name in SPELLED}
    arn = rule.get("target_group_arn")
    wrong = [
        *conditions.problems(spelled["conditions"]),
        *actions.problems(spelled["actions"], arn),
        *actions.transform_problems(spelled["transforms"]),
        *_option_problems(rule),
    ]
    if wrong:
        found += [f"{place}{problem}" for problem in wrong]
        return {"priority": rule["priority"], "hosts": [], "paths": []}
    simple = conditions.joined({"hosts": rule.get("hosts"), "paths": rule.get("paths")})
    forward = [{"Type": actions.FORWARD, "TargetGroupArn": arn, "Order": len(spelled["actions"]) + 1}] if arn else []
    built = {
        "priority": rule["priority"],
        **conditions.split([*simple, *spelled["conditions"]]),
        **actions.split([*_numbered(spelled["actions"]), *forward]),
        **_transforms(spelled["transforms"]),
        **(_pair(rule) if arn else {}),
        **({"renew_client_secret": True} if rule.get("renew_client_secret") else {}),
        **({"keeps_weights": True} if arn else {}),
    }
    found += [f"{place}{problem}" for problem in conditions.value_problems(built)]
    return built


def _numbered(given: list[Json]) -> list[Json]:
    """Actions in their order, in which they were listed where it is not given."""
    ordered = sorted(given, key=lambda action: int(action.get("Order") or 0))
    return [{**action, "Order": number} for number, action in enumerate(ordered, 1)]


def _option_problems(rule: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Options that require others."""
    uses_oidc = any(action.get("Type") == actions.OIDC for action in rule.get("actions") or ())
    if rule.get("alternate_target_group_arn") and not rule.get("target_group_arn"):
        yield "alternate_target_group_arn: requires target_group_arn, got none."
    if rule.get("client_secret") and not uses_oidc:
        yield f"client_secret: expected an action {actions.OIDC} that uses it, got none."
    if rule.get("renew_client_secret") and not rule.get("client_secret"):
        yield "renew_client_secret: requires client_secret, got none."


def _transforms(given: t.Iterable[Json]) -> Json:
    found = sorted(given, key=lambda transform: str(transform["Type"]))
    return {"transforms": found} if found else {}


def _pair(rule: t.Mapping[str, t.Any]) -> Json:
    """All requests for the target group, none for the alternate one yet."""
    alternate = rule.get("alternate_target_group_arn")
    if not alternate:
        return {}
    pair = [{"target_group_arn": rule["target_group_arn"], "weight": 100}, {"target_group_arn": alternate, "weight": 0}]
    return {"target_groups": sorted(pair, key=lambda group: str(group["target_group_arn"]))}


def _priority_problems(rules: t.Sequence[Json]) -> t.Iterator[str]:
    counted = Counter(rule["priority"] for rule in rules)
    yield from (f"expected one rule with priority {one}, got {count}." for one, count in counted.items() if count > 1)


def from_api(answers: t.Iterable[Json]) -> list[Json]:
    """The current rules by priority, without the default one."""
    found = [_rule(answer) for answer in answers if not answer.get("IsDefault")]
    return sorted(found, key=lambda rule: int(rule["priority"]))


def _rule(answer: Json) -> Json:
    return {
        "priority": int(answer["Priority"]),
        **conditions.split(answer.get("Conditions") or ()),
        **actions.split(answer.get("Actions") or []),
        **_transforms(answer.get("Transforms") or ()),
        "rule_arn": answer["RuleArn"],
    }


def keep_shifted(wanted: list[Json], current: list[Json]) -> list[Json]:
    """`wanted`, with the weights of those rules that forward to several target groups, the desired one among them."""
    there = {rule["priority"]: rule for rule in current}
    return [_kept(rule, there.get(rule["priority"], {})) for rule in wanted]


def _kept(rule: Json, current: Json) -> Json:
    groups = [group["target_group_arn"] for group in current.get("target_groups", ())]
    wanted = [group["target_group_arn"] for group in rule.get("target_groups", ())] or [rule.get("target_group_arn")]
    if not rule.get("keeps_weights") or len(groups) < 2 or not set(wanted) <= set(groups):
        return rule
    sticky = {"stickiness": current["stickiness"]} if "stickiness" in current else {}
    return {**rule, "target_groups": current["target_groups"], **sticky, "has_kept": True}


def settings(rule: Json) -> Json:
    """What makes two rules the same: of a forward to several target groups, these."""
    without = {*MARKS, *(["target_group_arn"] if "target_groups" in rule else [])}
    return {name: value for name, value in rule.items() if name not in without}


def to_result(rule: Json) -> Json:
    return {name: value for name, value in rule.items() if name not in {*MARKS, "renew_client_secret"}}


def refuse_missing_secrets(wanted: list[Json], current: list[Json], secrets: t.Collection[int]) -> None:
    """Fail where AWS needs a client's secret that nobody gave; `secrets` are the priorities of rules with one."""
    there = {rule["priority"]: rule for rule in current}
    lacking = [
        rule for rule in wanted if needs_secret(rule, there.get(rule["priority"])) and rule["priority"] not in secrets
    ]
    fail(
        [
            f"rules, priority {rule['priority']}, client_secret: expected the secret of the client"
            f" {(actions.client_of(rule) or ('', ''))[1]}, which AWS does not have yet, got none."
            for rule in lacking
        ]
    )


def needs_secret(rule: Json, current: Json | None) -> bool:
    client = actions.client_of(rule)
    return client is not None and (client != actions.client_of(current) or bool(rule.get("renew_client_secret")))


def request(rule: Json, current: Json | None = None, secret: str | None = None) -> Json:
    """A rule as AWS takes it; of an existing one, without the weights that are kept."""
    own = actions.with_secret(actions.joined(rule), secret if needs_secret(rule, current) else None)
    keeps = bool(rule.get("has_kept")) and rule.get("actions") == (current or {}).get("actions")
    resets = "transforms" in (current or {}) and "transforms" not in rule
    return {
        "Conditions": conditions.joined(rule),
        **({} if keeps else {"Actions": own}),
        **({"Transforms": rule["transforms"]} if "transforms" in rule else {}),
        **({"ResetTransforms": True} if resets else {}),
    }


def default_from_api(answers: t.Iterable[Json]) -> Json:
    """Where the default rule of a listener forwards to, as a rule has it; empty if it does something else."""
    for answer in answers:
        if answer.get("IsDefault"):
            found = actions.split(answer.get("Actions") or [])
            is_plain = "actions" not in found and ("stickiness" not in found or "target_groups" in found)
            return found if is_plain else {}
    return {}


def default_of(given: t.Mapping[str, t.Any] | None, current: Json) -> Json:
    """The desired default action; an existing one that forwards to both target groups is kept with its weights."""
    if not given:
        return current
    rule = {"target_group_arn": given["target_group_arn"], **_pair(given), "keeps_weights": True}
    return settings(_kept(rule, current))
