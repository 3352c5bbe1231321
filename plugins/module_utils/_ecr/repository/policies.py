# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two policies of a repository as documents in one normal form, so that equal meaning is equal data.

Repository policies are IAM policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
Lifecycle policies: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html.
"""

from __future__ import annotations

import json
import re
import typing as t

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.types import Json

# The version that AWS assumes where a policy names none.
_OLDEST_VERSION = "2008-10-17"
_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")


def document(option: str, value: t.Any) -> Json:
    """Read an option or AWS's answer: a dictionary, or JSON that says one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise SlipwayError(
                INVALID_OPTION, f"{option}: expected JSON, got: {error}. Use {{}} to remove the policy."
            ) from error
    if not isinstance(value, dict):
        raise SlipwayError(INVALID_OPTION, f"{option}: expected a dictionary, got {json.dumps(value)}.")
    return value


def text(policy: Json) -> str:
    """As AWS gets it."""
    return json.dumps(policy, sort_keys=True, separators=(",", ":"))


def repository_policy(value: t.Any, option: str = "policy") -> Json:
    """A repository policy in normal form: lists where one value would do, sorted where order means nothing."""
    policy = document(option, value)
    if not policy:
        return {}
    statements = [_statement(statement, option) for statement in _listed(policy.get("Statement"))]
    return {**policy, "Version": policy.get("Version") or _OLDEST_VERSION, "Statement": sorted(statements, key=text)}


def lifecycle_policy(value: t.Any, option: str = "lifecycle_policy") -> Json:
    """A lifecycle policy in normal form: rules by their priority, numbers as numbers, tag lists sorted."""
    policy = document(option, value)
    if not policy:
        return {}
    rules = policy.get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise SlipwayError(INVALID_OPTION, f"{option}: expected member 'rules' to be a list of dictionaries.")
    normal = [_rule(rule) for rule in rules]
    return {**policy, "rules": sorted(normal, key=lambda rule: (str(rule.get("rulePriority")).zfill(9), text(rule)))}


def _statement(statement: t.Any, option: str) -> Json:
    if not isinstance(statement, dict):
        raise SlipwayError(INVALID_OPTION, f"{option}: expected each Statement to be a dictionary, got {statement!r}.")
    normal = {name: value for name, value in statement.items() if value not in (None, "")}
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if name in normal:
            normal[name] = _values(normal[name])
    for name in ("Principal", "NotPrincipal"):
        if name in normal:
            normal[name] = _principal(normal[name])
    conditions = normal.get("Condition")
    if isinstance(conditions, dict):
        normal["Condition"] = {
            operator: {key: _values(value) for key, value in (keys or {}).items()}
            for operator, keys in conditions.items()
        }
    return normal


def _principal(principal: t.Any) -> Json:
    """Everybody is C(*) or C({"AWS": "*"}), an account is its number or the ARN of its root: AWS swaps them freely."""
    named = principal if isinstance(principal, dict) else {"AWS": principal}
    return {kind: sorted({_ROOT.sub(r"\1", value) for value in _values(values)}) for kind, values in named.items()}


def _rule(rule: Json) -> Json:
    normal = {name: value for name, value in rule.items() if value not in (None, "")}
    selection = normal.get("selection")
    if isinstance(selection, dict):
        selection = {name: value for name, value in selection.items() if value not in (None, [])}
        for name in ("tagPrefixList", "tagPatternList"):
            if name in selection:
                selection[name] = _values(selection[name])
        normal["selection"] = _numbered(selection, "countNumber")
    return _numbered(normal, "rulePriority")


def _numbered(members: Json, name: str) -> Json:
    value = members.get(name)
    return {**members, name: int(value)} if isinstance(value, str) and value.isdecimal() else members


def _values(value: t.Any) -> list[str]:
    return sorted({str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value)})


def _listed(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
