# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose rules are whose on a listener that several owners share. Rules are as `model.from_api` returns them."""

from __future__ import annotations

import typing as t

from ..._core import tags
from ..._core.error_codes import CONFLICT, INVALID_OPTION, NOT_ADOPTED
from ..._core.errors import SlipwayError
from ..._core.types import Json
from .model import settings

TagsOf = t.Mapping[str, tags.Tags]


def checked(given: t.Mapping[t.Any, t.Any] | None) -> tags.Tags:
    """The tags that mark a rule as ours; none where all rules are."""
    if given is not None and not given:
        problem = "owner_tags: expected at least one tag, got none. Omit it if you own all rules of the listener."
        raise SlipwayError(INVALID_OPTION, problem, {"problems": [problem]})
    return tags.checked(given, "owner_tags") or {}


def ours(rules: list[Json], tags_of: TagsOf, owner: tags.Tags) -> list[Json]:
    return [rule for rule in rules if tags.carries(tags_of.get(rule["rule_arn"], {}), owner)]


def not_adopted(wanted: list[Json], others: list[Json], tags_of: TagsOf) -> list[Json]:
    """The rules of nobody that are as desired already. Fails where a desired priority is taken by another rule."""
    there = {rule["priority"]: rule for rule in others}
    taken = [(rule, there[rule["priority"]]) for rule in wanted if rule["priority"] in there]
    found = [old for new, old in taken if _is_unowned(old, tags_of) and settings(old) == settings(new)]
    if problems := [_problem(old, tags_of) for _new, old in taken if old not in found]:
        advice = "Choose free priorities. Nothing was changed."
        raise SlipwayError(CONFLICT, " ".join([*problems, advice]), {"problems": problems})
    return found


def _is_unowned(rule: Json, tags_of: TagsOf) -> bool:
    return tags.PROJECT not in tags_of.get(rule["rule_arn"], {})


def _problem(rule: Json, tags_of: TagsOf) -> str:
    owner = tags_of.get(rule["rule_arn"], {}).get(tags.PROJECT)
    whose = f"of project {owner}" if owner else "without owner_tags"
    return f"rules, priority {rule['priority']}: expected a free priority, got the rule {rule['rule_arn']} {whose}."


def not_adopted_text(rules: list[Json]) -> str:
    listed = ", ".join(f"{rule['rule_arn']} (priority {rule['priority']})" for rule in rules)
    return (
        f"rules: expected the tag {tags.PROJECT}, got rules without it: {listed}. To tag them, run playbooks/adopt.yml."
    )


def refuse_not_adopted(rules: list[Json]) -> None:
    raise SlipwayError(NOT_ADOPTED, not_adopted_text(rules), {"not_adopted": [rule["rule_arn"] for rule in rules]})
