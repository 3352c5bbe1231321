# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: policy_documents
short_description: Write IAM policy documents from the list of what the playbooks may do
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes the C(files/permissions.yml) of the role P(slipway.aws.deployer#role) and returns one IAM policy document for
    each tag of the site, C(destroy) for the teardown, C(plan) with all that only reads, and C(all) with everything.
positional: _input, values, variants
options:
  _input:
    description: What C(files/permissions.yml) holds.
    type: dict
    required: true
  values:
    description:
      - What takes the place of C(<project>), C(<cluster>), C(<region>), C(<account>) and C(<partition>), and lists for
        C(<repositories>), C(<shared_repositories>), C(<buckets>), C(<records>), C(<names>) and C(<instance_policies>).
      - C(boundary) is the ARN of the permissions boundary that roles carry, or empty.
    type: dict
    required: true
  variants:
    description: Which variants are in use. Statements of others are left out.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: What a deployer may do to the load balancer
  ansible.builtin.debug:
    msg: "{{ (permissions | slipway.aws.policy_documents(values, ['https'])).load_balancer }}"
"""

RETURN = r"""
_value:
  description: Policy documents by name.
  type: dict
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils.policy_guards import CONDITION_OF, guarded, kept

Json = dict[str, Any]
Values = Mapping[str, str | list[str]]
# Their calls carry no region, or another one.
GLOBAL_SERVICES = {"iam", "route53", "s3"}
READS = re.compile(r"\w[\w-]*:(Describe|List|Get(?!AuthorizationToken)|BatchGet)")
# Names and settings, but nothing that somebody may want to hide.
METADATA = re.compile(
    r"\w[\w-]*:(Describe|List|BatchGet|Get(?!AuthorizationToken|LogEvents|Parameter|SecretValue|Object))"
)
PLACEHOLDER = re.compile(r"<(\w+)>")
# The variant of what is only needed, and only safe, where roles have a permissions boundary.
BOUNDARY = "boundary"


def _texts(text: str, values: Values) -> list[str]:
    """The text with its placeholders replaced: one for each value of a list."""
    if not (match := PLACEHOLDER.search(text)):
        return [text]
    given = values[match[1]]
    options = [given] if isinstance(given, str) else given
    return [done for one in options for done in _texts(text.replace(match[0], one), values)]


def _filled(value: Any, values: Values) -> Any:
    """The value with its placeholders replaced, however deep it is."""
    if isinstance(value, dict):
        return {_filled(key, values): _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [text for item in value for text in (_texts(item, values) if isinstance(item, str) else [item])]
    return _texts(value, values)[0] if isinstance(value, str) else value


def _arn(short: str) -> str:
    """`ec2:vpc/*` as an ARN of this account."""
    if short == "*" or short.startswith("arn:"):
        return short
    service, resource = short.split(":", 1)
    return f"arn:<partition>:{service}:{'' if service in GLOBAL_SERVICES else '<region>'}:<account>:{resource}"


def _conditions(permission: Json, resources: list[str]) -> Json:
    conditions = {operator: dict(keys) for operator, keys in permission.get("conditions", {}).items()}
    equals: dict[str, str] = {}
    if resources == ["*"] and not GLOBAL_SERVICES & {action.split(":")[0] for action in permission["actions"]}:
        equals["aws:RequestedRegion"] = "<region>"
    if "if" in permission:
        equals[CONDITION_OF[permission["if"]]] = "<project>"
    if equals:
        conditions["StringEquals"] = equals | conditions.get("StringEquals", {})
    return conditions


def _statement(permission: Json, values: Values) -> Json | None:
    """One statement as IAM takes it; none where a list of what it is about is empty."""
    resources = sorted(map(_arn, permission.get("resources", ["*"])))
    statement: Json = {"Sid": permission["sid"], "Effect": "Allow", "Action": sorted(permission["actions"])}
    statement |= {"Resource": resources}
    if conditions := _conditions(permission, resources):
        statement["Condition"] = conditions
    filled: Json = _filled(statement, values)
    listed = [filled["Resource"], *(value for keys in filled.get("Condition", {}).values() for value in keys.values())]
    return filled if all(listed) else None


def _gathered(statements: list[Json]) -> list[Json]:
    """The statements, of which those that read what they name are one: policies have a limited length."""
    reads = [
        one
        for one in statements
        if "Condition" not in one and "*" not in one["Resource"] and all(map(METADATA.match, one["Action"]))
    ]
    if not reads:
        return statements
    listed = {key: sorted({item for one in reads for item in one[key]}) for key in ("Action", "Resource")}
    rest = [one for one in statements if one not in reads]
    return [{"Sid": "LookAtNamed", "Effect": "Allow", **listed}, *rest]


def _merged(statements: list[Json], by_name: bool = True) -> Json:
    """A document in which statements that differ in their actions alone are one."""
    found: dict[str, Json] = {}
    for statement in statements:
        rest = {key: value for key, value in statement.items() if key != "Action" and (by_name or key != "Sid")}
        same = found.setdefault(repr(rest), {**statement, "Action": []})
        same["Action"] = sorted({*same["Action"], *statement["Action"]})
    return {"Version": "2012-10-17", "Statement": list(found.values())}


def _named(prefix: str, statement: Json) -> Json:
    return {**statement, "Sid": "".join(word.capitalize() for word in prefix.split("_")) + statement["Sid"]}


def policy_documents(permissions: Json, values: Values, variants: list[str] | None = None) -> dict[str, Json]:
    boundary = str(values.get(BOUNDARY) or "")
    used = {None, *(variants or [])} - {BOUNDARY} | ({BOUNDARY} if boundary else set())

    def statements(listed: list[Json]) -> list[Json]:
        wanted = [part for one in listed if one.get("variant") in used for part in guarded(one, boundary)]
        allowed = [done for one in wanted if (done := _statement(one, values))]
        return allowed + kept([action for one in allowed for action in one["Action"]])

    parts = {
        name: statements([*(one for look in part["needs"] for one in permissions["looks"][look]), *part["may"]])
        for name, part in permissions["documents"].items()
        if part.get("variant") in used
    }
    everything = [_named(name, statement) for name, part in parts.items() for statement in part]
    reads = [
        {**one, "Action": actions} for one in everything if (actions := [a for a in one["Action"] if READS.match(a)])
    ]
    return {
        **{name: _merged(_gathered(part)) for name, part in parts.items()},
        "plan": _merged(_gathered(reads), by_name=False),
        "all": _merged(everything, by_name=False),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Json]]]:
        return {"policy_documents": policy_documents}
