# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM policies of those who run the site, who gets which, and what is wrong with the variables. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils import deployer_trust
from ansible_collections.slipway.aws.plugins.plugin_utils.policy_guards import (
    CONDITION_OF,
    TAG,
    grants_permissions,
    guarded,
    kept,
    listed,
)

PREFIX = "deployer_"
Values = Mapping[str, str | list[str]]
# How many characters a managed policy may have, white space apart.
LIMIT = 6144
# Their calls carry no region, or another one.
GLOBAL_SERVICES = {"iam", "route53", "s3"}
READS = re.compile(r"\w[\w-]*:(Describe|List|Get(?!AuthorizationToken)|BatchGet)")
# Names and settings, but nothing that someone may want to hide.
METADATA = re.compile(
    r"\w[\w-]*:(Describe|List|BatchGet|Get(?!AuthorizationToken|Download|LogEvents|Object|Parameter|SecretValue))"
)
PLACEHOLDER = re.compile(r"<(\w+)>")
# The document that limits the site's roles, and the variant of what is only needed where they have such a boundary.
BOUNDARY = "boundary"
# The variant that lets deployers create roles without a boundary.
UNBOUNDED = "unbounded_roles"


def _texts(text: str, values: Values) -> list[str]:
    """The text with its placeholders replaced: one for each value of a list."""
    if not (match := PLACEHOLDER.search(text)):
        return [text]
    value = values[match[1]]
    options = [value] if isinstance(value, str) else value
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
    if short.startswith(("*", "arn:", "<")):
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


def _widest(resources: Sequence[str]) -> list[str]:
    """The resources without those that another one covers."""
    return [one for one in resources if not any(one != other and fnmatchcase(one, other) for other in resources)]


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
    listed["Resource"] = _widest(listed["Resource"])
    rest = [one for one in statements if one not in reads]
    return [{"Sid": "ReadNamed", "Effect": "Allow", **listed}, *rest]


def _merged(statements: list[Json], by_name: bool = True) -> Json:
    """A document in which statements that differ in their actions alone are one."""
    found: dict[str, Json] = {}
    for statement in statements:
        rest = {key: value for key, value in statement.items() if key != "Action" and (by_name or key != "Sid")}
        same = found.setdefault(repr(rest), {**statement, "Action": []})
        same["Action"] = sorted({*same["Action"], *statement["Action"]})
    return {"Version": "2012-10-17", "Statement": list(found.values())}


def _united(document: Json) -> Json:
    """The document in which statements that differ in their resources alone are one, whatever they are called."""
    found: dict[str, Json] = {}
    for statement in document["Statement"]:
        rest = {key: value for key, value in statement.items() if key not in {"Sid", "Resource"}}
        same = found.setdefault(repr(rest), {**statement, "Resource": []})
        same["Resource"] = _widest(sorted({*same["Resource"], *statement["Resource"]}))
    return {**document, "Statement": list(found.values())}


def _named(prefix: str, statement: Json) -> Json:
    return {**statement, "Sid": "".join(word.capitalize() for word in prefix.split("_")) + statement["Sid"]}


def _boundary(statements: list[Json], own: Sequence[Json]) -> Json:
    """The most that roles may do: what the site needs, and the site's `own` statements."""
    document = _merged(statements, by_name=False)
    more = [
        {**one, "Sid": f"Own{number}", "Action": listed(one["Action"]), "Resource": listed(one["Resource"])}
        for number, one in enumerate(own, 1)
        if not grants_permissions(one)
    ]
    return {**document, "Statement": [*document["Statement"], *more]}


def policy_documents(
    permissions: Json, values: Values, variants: Sequence[str] = (), own: Sequence[Json] = ()
) -> dict[str, Json]:
    """Each document by its name; `own` are the statements that the site adds to its permissions boundary."""
    boundary = str(values.get(BOUNDARY) or "")
    used = {None, *variants} - {BOUNDARY} | ({BOUNDARY} if boundary else set())
    limit = None if UNBOUNDED in used and not boundary else boundary

    def statements(listed: list[Json]) -> list[Json]:
        desired = [part for one in listed if one.get("variant") in used for part in guarded(one, limit)]
        allowed = [done for one in desired if (done := _statement(one, values))]
        return allowed + kept([action for one in allowed for action in one["Action"]])

    parts = {
        name: statements([*(one for name in part["needs"] for one in permissions["reads"][name]), *part["may"]])
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
        "all": _united(_merged(_gathered(everything), by_name=False)),
        BOUNDARY: _boundary(statements(permissions[BOUNDARY]), own),
    }


def _length(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def _parts(document: Json, limit: int) -> list[Json]:
    """Each statement in the first part that has room for it."""
    parts: list[Json] = []
    for statement in document["Statement"]:
        for part in parts:
            extended = {**part, "Statement": [*part["Statement"], statement]}
            if _length(extended) <= limit:
                part.update(extended)
                break
        else:
            parts.append({**document, "Statement": [statement]})
    return parts


def policy_parts(documents: Mapping[str, Json], limit: int = LIMIT) -> dict[str, Json]:
    return {
        name if number == 1 else f"{name}-{number}": part
        for name, document in documents.items()
        for number, part in enumerate(_parts(document, limit), 1)
    }


# What the role does with them

PROJECT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,31}")
NAME = re.compile(r"[a-zA-Z0-9_+=,.@-]{1,64}")
POLICY = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+")
# All of the site and of its deletion.
ALL = "all"


def settings(variables: Json, permissions: Json, found: Json | None = None) -> Json:
    """What follows from variables and, with the account and the users and roles of these names, from what exists.

    `permissions` is what files/permissions.yml has, `found` what the info modules answer: `caller`, `users`, `roles`.
    """
    v = {name.removeprefix(PREFIX): value for name, value in variables.items()}
    prefix = f"{v['project']}-deployer-"
    known: Json = {
        "tags": tagging.checked({**v["tags"], TAG: v["project"], tagging.ROLE: "deployer"}, f"{PREFIX}tags"),
        "policy_prefix": prefix,
        "credentials": {one["name"]: f"{v['directory']}/{one['name']}.credentials" for one in v["users"]},
        "problems": list(_problems(v, permissions)),
        "warnings": list(_warnings(v)),
    }
    return known if found is None else {**known, **_settings_of_account(v, permissions, found, prefix)}


def _settings_of_account(v: Json, permissions: Json, found: Json, prefix: str) -> Json:
    account, partition = str(found["caller"]["account"]), found["caller"]["arn"].split(":")[1]
    documents = policy_documents(permissions, _values(v, account, partition), v["variants"], v["boundary_statements"])
    policies = policy_parts(documents)
    arns = {name: f"arn:{partition}:iam::{account}:policy/{prefix}{name}" for name in policies}
    holders = [*v["users"], *v["roles"]]
    desired = {document for one in holders for document in _documents_of(one)}
    if holders and v["permissions_boundary"] == arns[BOUNDARY]:
        desired.add(BOUNDARY)
    users, foreign_users = _owned(found["users"], "user_name", v["project"])
    roles, foreign_roles = _owned(found["roles"], "role_name", v["project"])
    # Earlier variants may have left more parts of the longest document.
    earlier = [f"{ALL}-{number}" for number in range(2, 10)]
    return {
        "policies": policies,
        "desired": {name: policy for name, policy in policies.items() if _document(name) in desired},
        "arns": {
            one["name"]: [arn for name, arn in arns.items() if _document(name) in _documents_of(one)] for one in holders
        },
        "trust": {one["name"]: deployer_trust.document(one, account, partition) for one in v["roles"]},
        "users": users,
        "roles": roles,
        "deletable": list(dict.fromkeys([*_document_names(permissions, v["variants"]), *policies, *earlier])),
        "problems": [
            *(
                f"{PREFIX}users and {PREFIX}roles: expected new names, or names with the tag {TAG}={v['project']}, got"
                f" {name} without it. Choose another name, or, if it belongs to this project, tag it."
                for name in [*foreign_users, *foreign_roles]
            ),
            *_boundary_problems(documents[BOUNDARY]),
        ],
    }


def _boundary_problems(boundary: Json) -> Iterator[str]:
    """A role has one boundary, which cannot be written in parts."""
    if (length := _length(boundary)) > LIMIT:
        yield (
            f"{PREFIX}boundary_statements: expected up to {LIMIT} characters in the document {BOUNDARY}, got {length}."
            " Shorten the statements, for example with wildcards in names."
        )


def _warnings(v: Json) -> Iterator[str]:
    if v["permissions_boundary"]:
        return
    if UNBOUNDED in v["variants"]:
        yield (
            f"{PREFIX}variants: with {UNBOUNDED} and without {PREFIX}permissions_boundary, anyone with the document"
            " cluster, hosts or all can become an administrator of the account. Set a permissions boundary."
        )
    else:
        yield (
            f"{PREFIX}permissions_boundary: not set, so the documents do not allow creating roles or giving them"
            f" permissions. Set it to arn:<partition>:iam::<account>:policy/{v['project']}-deployer-boundary, or"
            " have an administrator run the tags docker_instance, cluster and, for flow logs, network."
        )


def _values(v: Json, account: str, partition: str) -> Values:
    """What the site calls its own where AWS knows no tag."""
    project = v["project"]
    # Validation records of AWS begin with an underscore.
    domains = list(dict.fromkeys(domain.lower() for domain in v["domains"]))
    records = [re.sub(r"^([*][.])?", "_*.", domain, count=1) for domain in domains]
    return {
        "project": project,
        "cluster": v["cluster"],
        "region": v["region"],
        "account": account,
        "partition": partition,
        "boundary": v["permissions_boundary"],
        "repositories": v["repositories"] or [f"{project}-*", f"{project}/*"],
        "shared_repositories": v["shared_repositories"],
        "existing_roles": [re.sub("^arn:.*?:role/", "", role) for role in v["existing_roles"]],
        "buckets": v["buckets"],
        "exec_buckets": v["exec_buckets"],
        "file_buckets": v["file_buckets"],
        "hook_functions": v["hook_functions"],
        "vpcs": v["vpcs"] or ["*"],
        "queues": v["queues"],
        "domains": domains,
        "records": list(dict.fromkeys(records)),
        "names": [f"*.{v['namespace'].lower()}"],
        # One without an ARN is AWS's.
        "instance_policies": [
            name if name.startswith("arn:") else f"arn:{partition}:iam::aws:policy/{name}"
            for name in v["instance_policies"]
        ],
    }


def _document(policy: str) -> str:
    """The document that a policy is, or is a part of."""
    return re.sub(r"-[0-9]+$", "", policy)


def _documents_of(holder: Json) -> list[str]:
    documents = holder.get("documents")
    return [ALL] if documents is None else list(documents)


def _document_names(permissions: Json, variants: Sequence[str]) -> list[str]:
    documents = permissions["documents"].items()
    return [*(name for name, one in documents if one.get("variant") in {None, *variants}), "plan", ALL]


def _known_variants(permissions: Json) -> list[str]:
    documents = list(permissions["documents"].values())
    listed = [*documents, *(statement for one in documents for statement in one["may"])]
    return sorted({one["variant"] for one in listed if "variant" in one} - {BOUNDARY} | {UNBOUNDED})


def _owned(found: Sequence[Json], key: str, project: str) -> tuple[list[str], list[str]]:
    """Names of those that carry the project's tag, and of the others."""
    owned = [one[key] for one in found if tagging.belongs_to(one.get("tags") or {}, project)]
    return owned, [one[key] for one in found if one[key] not in owned]


def _problems(v: Json, permissions: Json) -> Iterator[str]:
    if not PROJECT.fullmatch(v["project"]):
        yield (
            f"{PREFIX}project: expected up to 32 letters, digits, hyphens and underscores, a letter or digit first,"
            f' because names and ARNs begin with it, got "{v["project"]}". Choose another name.'
        )
    if unknown := [one for one in v["variants"] if one not in _known_variants(permissions)]:
        yield (
            f"{PREFIX}variants: expected some of {', '.join(_known_variants(permissions))}, got {', '.join(unknown)}."
            " Correct or remove it."
        )
    yield from _statement_problems(v["boundary_statements"] if v["permissions_boundary"] else ())
    boundaries = {f"{PREFIX}permissions_boundary": v["permissions_boundary"]}
    for kind in ("users", "roles"):
        for index, one in enumerate(v[kind]):
            where = f"{PREFIX}{kind}[{index}] ({one['name']})"
            yield from _holder_problems(one, where, _document_names(permissions, v["variants"]))
            if kind == "roles":
                yield from deployer_trust.problems(one, where, _documents_of(one))
            boundaries[f"{where}.permissions_boundary"] = one.get("permissions_boundary")
    names = [one["name"] for one in [*v["users"], *v["roles"]]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"{PREFIX}users and {PREFIX}roles: expected each name once, got {', '.join(twice)} twice. Rename one."
    for where, boundary in boundaries.items():
        if boundary and not POLICY.fullmatch(boundary):
            yield (
                f"{where}: expected the ARN of a managed policy, such as"
                f' arn:aws:iam::123456789012:policy/site-boundary, got "{boundary}". Create it and set its ARN.'
            )


def _statement_problems(statements: Sequence[Json]) -> Iterator[str]:
    for index, one in enumerate(statements):
        if granting := grants_permissions(one):
            yield (
                f"{PREFIX}boundary_statements[{index}]: expected actions that do not grant permissions, got"
                f" {granting}. List actions one by one; limit iam:PassRole by iam:PassedToService, and"
                " sts:AssumeRole to roles."
            )


def _holder_problems(holder: Json, where: str, documents: Sequence[str]) -> Iterator[str]:
    if not NAME.fullmatch(holder["name"]):
        yield f"{where}.name: expected up to 64 letters, digits and _+=,.@-, got {holder['name']}. Choose another name."
    if unknown := [one for one in _documents_of(holder) if one not in documents]:
        yield f"{where}.documents: expected some of {', '.join(documents)}, got {', '.join(unknown)}. Correct them."
