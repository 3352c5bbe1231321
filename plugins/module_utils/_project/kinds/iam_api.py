# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM, which is of the account, not of a region, and does not list tags."""

from __future__ import annotations

import typing as t

from ..._core import tags
from ..._core.paging import pages
from ..._core.types import Json
from .base_api import Account, Found, Read, each


def iam(operation: str, member: str, name: str, read_tags: str) -> Read:
    def find(account: Account) -> t.Iterator[Found]:
        client = account.clients["iam"]

        def read(item: Json) -> tags.Tags:
            return tags.from_list(getattr(client, read_tags)(**{name: item[name]})["Tags"])

        for item, own in each(pages(client, operation, member), read):
            yield Found(item[name], item[name], own, arn=item["Arn"], details=item)

    return find


def role(account: Account, found: Found) -> Json:
    """With its permissions boundary, which ListRoles leaves out."""
    return dict(account.clients["iam"].get_role(RoleName=found.id)["Role"])


def role_policies(account: Account, found: Found) -> Json:
    """The documents of the inline policies, by name."""
    client = account.clients["iam"]
    names = sorted(pages(client, "list_role_policies", "PolicyNames", RoleName=found.id))
    documents = each(names, lambda name: client.get_role_policy(RoleName=found.id, PolicyName=name)["PolicyDocument"])
    return {"Policies": dict(documents)}


def attached_policies(account: Account, found: Found) -> Json:
    client = account.clients["iam"]
    attached = pages(client, "list_attached_role_policies", "AttachedPolicies", RoleName=found.id)
    return {"AttachedPolicies": sorted(attached, key=lambda one: str(one["PolicyArn"]))}
