# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS Cloud Map: namespaces and their services."""

from __future__ import annotations

import typing as t

from ..._core import tags
from ..._core.paging import pages
from ..._core.types import Json
from .base_api import Account, Found, each, shared


@shared
def found_namespaces(account: Account) -> list[Json]:
    return pages(account.clients["servicediscovery"], "list_namespaces", "Namespaces")


def tags_of(account: Account, item: Json) -> tags.Tags:
    answer = account.clients["servicediscovery"].list_tags_for_resource(ResourceARN=item["Arn"])
    return tags.from_list(answer["Tags"])


def namespaces(account: Account) -> t.Iterator[Found]:
    for item, own in each(found_namespaces(account), lambda item: tags_of(account, item)):
        yield Found(item["Id"], item["Name"], own, arn=item["Arn"], details=item)


def discovery_services(account: Account) -> t.Iterator[Found]:
    client = account.clients["servicediscovery"]

    def of_namespace(space: Json) -> list[Json]:
        owner = {"Name": "NAMESPACE_ID", "Values": [space["Id"]], "Condition": "EQ"}
        found = pages(client, "list_services", "Services", Filters=[owner])
        # Which ListServices leaves out.
        return [{**one, "NamespaceId": space["Id"]} for one in found]

    listed = [one for _space, some in each(found_namespaces(account), of_namespace) for one in some]
    for item, own in each(listed, lambda item: tags_of(account, item)):
        yield Found(item["Arn"], item["Name"], own, arn=item["Arn"], details=item)
