# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster, IAM roles and log groups of others that a project uses, and never changes or deletes. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ansible_collections.slipway.aws.plugins.module_utils._core.names import last
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT, belongs_to, from_list
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json

Variables = Mapping[str, Any]
Found = Mapping[str, Sequence[Json]]

ROLES = ("execution", "task", "load_balancer", "schedule")
# Who has to be allowed to assume each role.
_SERVICES = {
    "execution": "ecs-tasks.amazonaws.com",
    "task": "ecs-tasks.amazonaws.com",
    "load_balancer": "ecs.amazonaws.com",
    "schedule": "scheduler.amazonaws.com",
}
_CLUSTER = r"arn:aws[a-z-]*:ecs:{region}:[0-9]{{12}}:cluster/[a-zA-Z0-9_-]{{1,255}}"
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")
_ROLE = re.compile(r"(arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?)?[a-zA-Z0-9_+=,.@-]{1,64}")


def has_cluster(variables: Variables) -> bool:
    return bool(variables["ecs_cluster_arn"])


def role_names(variables: Variables) -> dict[str, str]:
    """The names of the roles of others, by what they are for."""
    given = {name: str(variables[f"ecs_cluster_{name}_role_arn"]) for name in ROLES}
    return {name: last(value) for name, value in given.items() if value}


def log_group_names(variables: Variables) -> list[str]:
    return [str(one["name"]) for one in variables["ecs_cluster_log_groups"] if one.get("existing")]


def problems(variables: Variables) -> Iterator[str]:
    """What is wrong with how they are named, one sentence each."""
    arn, region = variables["ecs_cluster_arn"], variables["ecs_cluster_region"]
    if arn and not (_NAME.fullmatch(arn) or re.fullmatch(_CLUSTER.format(region=re.escape(region)), arn)):
        yield (
            f"ecs_cluster_arn: expected the name or ARN of a cluster in {region}, such as"
            f" arn:aws:ecs:{region}:123456789012:cluster/shared, got {arn!r}. Set an existing cluster in this region."
        )
    elif arn and variables["ecs_cluster_name"] != last(arn):
        yield (
            f"ecs_cluster_name: expected {last(arn)}, the name of the cluster in ecs_cluster_arn, got"
            f" {variables['ecs_cluster_name']!r}. Set only one of them."
        )
    for name in ROLES:
        role = variables[f"ecs_cluster_{name}_role_arn"]
        if role and not _ROLE.fullmatch(role):
            yield (
                f"ecs_cluster_{name}_role_arn: expected the name or ARN of an IAM role, such as"
                f" arn:aws:iam::123456789012:role/shared, got {role!r}."
            )


def cluster_of(variables: Variables, found: Found) -> Json:
    """The existing cluster, as far as it was read and is the one that is named."""
    arn = str(variables["ecs_cluster_arn"])
    some = [one for one in found.get("clusters") or () if arn in (one.get("arn"), one.get("name"))]
    return dict(some[0]) if arn and some else {}


def roles_of(variables: Variables, found: Found) -> dict[str, str]:
    """ARNs of the roles of others, by what they are for."""
    arns = {str(one["role_name"]): str(one.get("arn", "")) for one in found.get("roles") or ()}
    given = {name: str(variables[f"ecs_cluster_{name}_role_arn"]) for name in role_names(variables)}
    return {name: role if role.startswith("arn:") else arns.get(role, "") for name, role in given.items()}


def resolved(variables: Variables, found: Found) -> Json:
    """Variables as they follow from what exists: roles by their ARNs, and how the cluster has sessions logged."""
    roles = {f"ecs_cluster_{name}_role_arn": arn for name, arn in roles_of(variables, found).items()}
    if not has_cluster(variables):
        return roles
    configuration = cluster_of(variables, found).get("configuration") or {}
    sessions = configuration.get("executeCommandConfiguration") or {}
    log, key = sessions.get("logConfiguration") or {}, str(sessions.get("kmsKeyId") or "")
    return {
        **roles,
        "ecs_cluster_exec_log_group": log.get("cloudWatchLogGroupName") or "",
        "ecs_cluster_exec_bucket": log.get("s3BucketName") or "",
        "ecs_cluster_exec_prefix": log.get("s3KeyPrefix") or "",
        "ecs_cluster_exec_kms_key": key if key.startswith("arn:") else "",
    }


def account_problems(variables: Variables, found: Found) -> Iterator[str]:
    """What is missing, or is not of the right kind. Kinds that were not read are not judged."""
    if "clusters" in found and has_cluster(variables):
        yield from _cluster_problems(variables, found)
    if "roles" in found:
        for name in role_names(variables):
            yield from _role_problems(name, variables, found["roles"])
    known = {one["log_group_name"]: one for one in found.get("log_groups") or ()}
    for number, group in enumerate(variables["ecs_cluster_log_groups"] if "log_groups" in found else ()):
        if group.get("existing"):
            where = f"ecs_cluster_log_groups[{number}] ({group['name']})"
            yield from _found_problems(where, "log group", known.get(group["name"]), variables)


def _cluster_problems(variables: Variables, found: Found) -> Iterator[str]:
    one = cluster_of(variables, found)
    namesake = next((str(other.get("arn")) for other in found["clusters"]), "none")
    if not one:
        yield (
            f"ecs_cluster_arn: expected an active cluster of this account in {variables['ecs_cluster_region']}, got"
            f" {namesake} for {variables['ecs_cluster_arn']}. Set an existing cluster, or leave the variable empty"
            " to create one."
        )
        return
    yield from _found_problems("ecs_cluster_arn", "cluster", one, variables)


def _found_problems(where: str, kind: str, one: Json | None, variables: Variables) -> Iterator[str]:
    project = variables["ecs_cluster_project"]
    if one is None:
        yield f"{where}: expected an existing {kind}, got none with this name. Create it, or let this role create one."
    elif belongs_to(_tags_of(one), project):
        yield (
            f"{where}: expected a {kind} outside the project, got one with the tag {PROJECT}={project}, which is"
            " deleted with the project. Remove its tag, or declare it as the project's own."
        )


def _tags_of(one: Json) -> dict[str, str]:
    tags = one.get("tags") or {}
    return dict(tags) if isinstance(tags, dict) else from_list(tags)


def _role_problems(name: str, variables: Variables, roles: Sequence[Json]) -> Iterator[str]:
    where, given = f"ecs_cluster_{name}_role_arn", str(variables[f"ecs_cluster_{name}_role_arn"])
    one = next((role for role in roles if role["role_name"] == last(given)), None)
    if one is not None and given.startswith("arn:") and one["arn"] != given:
        yield f"{where}: expected {one['arn']}, the role with this name in this account, got {given}. Correct the ARN."
        return
    yield from _found_problems(where, "role", one, variables)
    service = _SERVICES[name]
    if one is not None and service not in (trusted := _trusted(one)):
        yield (
            f"{where}: expected a role that {service} can assume, got {given}, which trusts"
            f" {', '.join(trusted) or 'no service'}. Use another role, or extend its trust policy."
        )


def _trusted(role: Json) -> list[str]:
    """The services that may assume a role."""
    document = role.get("assume_role_policy_document") or {}
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = policy.get("Statement") or policy.get("statement") or []
    services: list[str] = []
    for one in [statements] if isinstance(statements, dict) else statements:
        some = (one.get("Principal") or {}).get("Service") or [] if one.get("Effect") == "Allow" else []
        services += [some] if isinstance(some, str) else some
    return list(dict.fromkeys(services))
