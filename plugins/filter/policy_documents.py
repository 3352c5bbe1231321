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
    description: What takes the place of C(<project>), C(<cluster>), C(<region>), C(<account>) and C(<partition>).
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
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
TAG = "slipway:project"
CONDITION_OF = {"made": f"aws:RequestTag/{TAG}", "owned": f"aws:ResourceTag/{TAG}"}
# Their calls carry no region, or another one.
GLOBAL_SERVICES = {"iam", "route53", "s3"}
READS = re.compile(r"\w[\w-]*:(Describe|List|Get(?!AuthorizationToken)|BatchGet)")


def _filled(value: Any, values: dict[str, str]) -> Any:
    """The value with its placeholders replaced, however deep it is."""
    if isinstance(value, dict):
        return {_filled(key, values): _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return re.sub(r"<(\w+)>", lambda match: values[match[1]], value) if isinstance(value, str) else value


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


def _statement(permission: Json, values: dict[str, str]) -> Json:
    """One statement as IAM takes it."""
    resources = sorted(map(_arn, permission.get("resources", ["*"])))
    statement: Json = {"Sid": permission["sid"], "Effect": "Allow", "Action": sorted(permission["actions"])}
    statement |= {"Resource": resources}
    if conditions := _conditions(permission, resources):
        statement["Condition"] = conditions
    filled: Json = _filled(statement, values)
    return filled


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


def policy_documents(permissions: Json, values: dict[str, str], variants: list[str] | None = None) -> dict[str, Json]:
    def statements(listed: list[Json]) -> list[Json]:
        wanted = [one for one in listed if one.get("variant") in {None, *(variants or [])}]
        return [_statement(one, values) for one in wanted]

    parts = {
        name: statements([*(one for look in part["needs"] for one in permissions["looks"][look]), *part["may"]])
        for name, part in permissions["documents"].items()
        if part.get("variant") in {None, *(variants or [])}
    }
    everything = [_named(name, statement) for name, part in parts.items() for statement in part]
    reads = [
        {**one, "Action": actions} for one in everything if (actions := [a for a in one["Action"] if READS.match(a)])
    ]
    return {
        **{name: _merged(part) for name, part in parts.items()},
        "plan": _merged(reads, by_name=False),
        "all": _merged(everything, by_name=False),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Json]]]:
        return {"policy_documents": policy_documents}
