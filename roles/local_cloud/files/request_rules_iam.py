# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM refuses although its model allows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from request_rules import DOCS, REPORTS, Finder, Json, State, rule

QUOTAS = f"{DOCS}/IAM/latest/UserGuide/reference_iam-quotas.html"
GRAMMAR = f"{DOCS}/IAM/latest/UserGuide/reference_policies_grammar.html"
MOTO = "https://github.com/getmoto/moto/blob/master/moto/iam/policy_validation.py"
PERMISSIONS = ("CreatePolicy", "CreatePolicyVersion", "PutRolePolicy", "PutUserPolicy")
TRUST = ("CreateRole", "UpdateAssumeRolePolicy")


def iam(*operations: str, error: str, message: str, source: str, wording: str = "") -> Callable[[Finder], Finder]:
    """A rule for operations of IAM."""
    return rule(*(f"iam:{name}" for name in operations), error=error, message=message, source=source, wording=wording)


def text_of(request: Json) -> str:
    """The policy of a request."""
    return str(request.get("AssumeRolePolicyDocument") or request.get("PolicyDocument") or "")


def policy_of(request: Json) -> Any:
    try:
        return json.loads(text_of(request))
    except ValueError:
        return None


def statements(request: Json) -> list[Json]:
    policy = policy_of(request)
    found = policy.get("Statement", []) if isinstance(policy, dict) else []
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, dict)]


def size(request: Json) -> int:
    """Characters without white space, as IAM counts them."""
    return len("".join(text_of(request).split()))


@iam(
    *PERMISSIONS,
    *TRUST,
    error="MalformedPolicyDocument",
    message="Syntax errors in policy.",
    source=GRAMMAR,
    wording=MOTO,
)
def policy_syntax(request: Json, _state: State) -> Iterator[Json]:
    """A policy that is not a JSON object."""
    if not isinstance(policy_of(request), dict):
        yield {}


@iam(
    *PERMISSIONS,
    error="MalformedPolicyDocument",
    message="Policy statement must contain actions.",
    source=GRAMMAR,
    wording=MOTO,
)
def policy_actions(request: Json, _state: State) -> Iterator[Json]:
    """A statement without actions."""
    yield from ({} for one in statements(request) if not (one.get("Action") or one.get("NotAction")))


@iam(
    *PERMISSIONS,
    error="MalformedPolicyDocument",
    message="Policy statement must contain resources.",
    source=GRAMMAR,
    wording=MOTO,
)
def policy_resources(request: Json, _state: State) -> Iterator[Json]:
    """A statement without resources."""
    yield from ({} for one in statements(request) if not (one.get("Resource") or one.get("NotResource")))


@iam(
    *PERMISSIONS,
    *TRUST,
    error="MalformedPolicyDocument",
    message="Statement IDs (SID) in a single policy must be unique.",
    source=GRAMMAR,
    wording=MOTO,
)
def statement_ids(request: Json, _state: State) -> Iterator[Json]:
    """Two statements with one ID."""
    names = [one["Sid"] for one in statements(request) if one.get("Sid")]
    if len(names) > len(set(names)):
        yield {}


@iam(
    *TRUST,
    error="MalformedPolicyDocument",
    message="Has prohibited field Resource",
    source=f"{DOCS}/IAM/latest/UserGuide/reference_policies_elements_resource.html",
    wording=MOTO,
)
def trust_resources(request: Json, _state: State) -> Iterator[Json]:
    """A trust policy with resources."""
    yield from ({} for one in statements(request) if "Resource" in one)


@iam(
    *TRUST,
    error="LimitExceeded",
    message="Cannot exceed quota for ACLSizePerRole: 2048",
    source=QUOTAS,
    wording=REPORTS,
)
def trust_size(request: Json, _state: State) -> Iterator[Json]:
    """A trust policy of more than 2048 characters."""
    if size(request) > 2048:
        yield {}


@iam(
    "CreatePolicy",
    "CreatePolicyVersion",
    error="LimitExceeded",
    message="Cannot exceed quota for PolicySize: 6144",
    source=QUOTAS,
    wording=REPORTS,
)
def policy_size(request: Json, _state: State) -> Iterator[Json]:
    """A managed policy of more than 6144 characters."""
    if size(request) > 6144:
        yield {}


@iam(
    "PutRolePolicy",
    error="LimitExceeded",
    message="Maximum policy size of 10240 bytes exceeded for role {name}",
    source=QUOTAS,
    wording=REPORTS,
)
def inline_policies_size(request: Json, state: State) -> Iterator[Json]:
    """Inline policies of a role of together more than 10,240 characters."""
    role = state.get("roles", request["RoleName"]) or {}
    others = [text for name, text in (role.get("InlinePolicies") or {}).items() if name != request.get("PolicyName")]
    if size(request) + sum(len("".join(str(text).split())) for text in others) > 10240:
        yield {"name": request["RoleName"]}


@iam(
    "AttachRolePolicy",
    error="LimitExceeded",
    message="Cannot exceed quota for PoliciesPerRole: 10",
    source=QUOTAS,
    wording=REPORTS,
)
def policies_per_role(request: Json, state: State) -> Iterator[Json]:
    """More than 10 managed policies of a role."""
    attached = (state.get("roles", request["RoleName"]) or {}).get("AttachedPolicies") or []
    if len(attached) >= 10 and request["PolicyArn"] not in str(attached):
        yield {}
