# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions that keep a policy from taking over resources of others, or more permissions than it grants.

Which condition keys an action knows is in AWS's Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json

TAG = PROJECT
REQUEST_TAG = f"aws:RequestTag/{TAG}"
RESOURCE_TAG = f"aws:ResourceTag/{TAG}"
CONDITION_OF = {"created": REQUEST_TAG, "owned": RESOURCE_TAG}
TAGS = {
    "AddTags",
    "AddTagsToCertificate",
    "AddTagsToResource",
    "CreateOrUpdateTags",
    "CreateTags",
    "TagInstanceProfile",
    "TagResource",
    "TagRole",
}
UNTAGS = {
    "DeleteTags",
    "RemoveTags",
    "RemoveTagsFromCertificate",
    "RemoveTagsFromResource",
    "UntagInstanceProfile",
    "UntagResource",
    "UntagRole",
}
# Their tagging actions know <service>:CreateAction, the call that creates the resource which is being tagged.
WITH_CREATE_ACTION = {"ec2", "ecs", "elasticloadbalancing"}
# Cloud Map's TagResource knows neither a resource nor its tags.
WITHOUT_RESOURCE_TAG = {"servicediscovery"}
# What gives a role permissions, or gives the role to somebody.
BOUNDED = {"AttachRolePolicy", "CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy", "UpdateAssumeRolePolicy"}
# These know no permissions boundary.
UNBOUNDED = {
    "AddRoleToInstanceProfile",
    "CreateInstanceProfile",
    "DeleteInstanceProfile",
    "RemoveRoleFromInstanceProfile",
    "TagInstanceProfile",
    "TagRole",
    "UntagRole",
}


# Services that give permissions or hand out credentials, and the actions of theirs that do neither.
GRANTING = {"account", "iam", "identitystore", "organizations", "rolesanywhere", "sso", "sso-admin", "sts"}
READING = re.compile("(Get|List|Simulate)[A-Z]")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _grants(action: str, statement: Json) -> bool:
    service, _colon, name = action.partition(":")
    if "*" in service or "?" in service:
        return True
    if service.lower() not in GRANTING or READING.match(name):
        return False
    roles = {str(resource).rpartition(":role/")[2] for resource in listed(statement.get("Resource", "*"))}
    is_passed = any("iam:PassedToService" in keys for keys in statement.get("Condition", {}).values())
    if name in {"AssumeRole", "PassRole"} and not roles & {"*", ""}:
        return name == "PassRole" and not is_passed
    return True


def grants_permissions(statement: Json) -> str:
    """Which actions of a statement in IAM's form could give permissions to somebody; empty where none could."""
    if statement.get("Effect") != "Allow":
        return ""
    if {"NotAction", "NotResource"} & set(statement):
        return "NotAction or NotResource"
    return ", ".join(action for action in map(str, listed(statement.get("Action", "*"))) if _grants(action, statement))


def _names(actions: list[str]) -> set[str]:
    return {action.split(":")[1] for action in actions}


def _with(permission: Json, operator: str, key: str, value: Any) -> Json:
    """The statement with one more condition, unless it has one of this key already."""
    conditions = {name: dict(keys) for name, keys in permission.get("conditions", {}).items()}
    if any(key in keys for keys in conditions.values()):
        return permission
    conditions.setdefault(operator, {})[key] = value
    return {**permission, "conditions": conditions}


def _apart(permission: Json, suffix: str, apart: Callable[[str], bool]) -> list[Json]:
    """The statement without some of its actions, and the statement with them alone."""
    picked = [action for action in permission["actions"] if apart(action)]
    rest = [action for action in permission["actions"] if action not in picked]
    if not picked or not rest:
        return [permission]
    return [{**permission, "actions": rest}, {**permission, "sid": permission["sid"] + suffix, "actions": picked}]


def _guard_tags(permission: Json, creating: set[str]) -> Json:
    """Tags are set while a resource is created, or on what is owned: never on what belongs to another project."""
    service = permission["actions"][0].split(":")[0]
    if not _names(permission["actions"]) & TAGS:
        return permission
    if permission.get("if") != "created":
        return _with(permission, "StringEqualsIfExists", REQUEST_TAG, "<project>")
    if service in WITH_CREATE_ACTION:
        return _with(permission, "StringEquals", f"{service}:CreateAction", sorted(creating))
    if service in WITHOUT_RESOURCE_TAG:
        return permission
    # No key separates creation from later: what has no such tag can be tagged, so names have to narrow the rest.
    return _with(permission, "StringEqualsIfExists", RESOURCE_TAG, "<project>")


def _knows_boundary(action: str) -> bool:
    service, name = action.split(":")
    return service == "iam" and name not in UNBOUNDED


def _guard_roles(permission: Json, boundary: str | None) -> list[Json]:
    """Roles get permissions only where they carry the boundary; without one, none does."""
    if boundary is None or not _names(permission["actions"]) & BOUNDED:
        return [permission]
    if not boundary:
        rest = [action for action in permission["actions"] if action.split(":")[1] not in BOUNDED]
        return [{**permission, "actions": rest}] if rest else []
    bounded, *others = _apart(permission, "Unbounded", lambda action: not _knows_boundary(action))
    return [_with(bounded, "StringEquals", "iam:PermissionsBoundary", boundary), *others]


def guarded(permission: Json, boundary: str | None) -> list[Json]:
    """A statement of permissions.yml as those that IAM gets, each with the conditions that its actions need.

    An empty boundary leaves roles to administrators; None lets deployers give roles any permissions.
    """
    created = permission.get("if") == "created" and permission["actions"][0].split(":")[0] in WITH_CREATE_ACTION
    parts = _apart(permission, "Tags", lambda action: action.split(":")[1] in TAGS) if created else [permission]
    creating = _names(permission["actions"]) - TAGS
    return [_guard_tags(bounded, creating) for part in parts for bounded in _guard_roles(part, boundary)]


def kept(actions: list[str]) -> list[Json]:
    """Keeps the tag of a resource's owner, for the actions of a document."""
    untags = sorted({action for action in actions if action.split(":")[1] in UNTAGS})
    condition = {"ForAnyValue:StringEquals": {"aws:TagKeys": [TAG]}}
    statement = {"Sid": "KeepOwner", "Effect": "Deny", "Action": untags, "Resource": ["*"], "Condition": condition}
    return [statement] if untags else []
