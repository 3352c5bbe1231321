# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS Cloud Map, one typed function a call: paginated, errors translated.

`cloud_map` is a client of `Connection.client("servicediscovery")`, which retries by itself.
"""

from __future__ import annotations

from .._core.errors import aws_call, aws_find
from .._core.paging import pages
from .._core.tags import Tags, to_capital_list
from .._core.types import Client, Json


@aws_call
def list_private_namespaces(cloud_map: Client) -> list[Json]:
    kind = {"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"}
    return pages(cloud_map, "list_namespaces", "Namespaces", Filters=[kind])


@aws_call
def list_services(cloud_map: Client, namespace_id: str) -> list[Json]:
    owner = {"Name": "NAMESPACE_ID", "Values": [namespace_id], "Condition": "EQ"}
    return pages(cloud_map, "list_services", "Services", Filters=[owner])


@aws_call
def list_tags(cloud_map: Client, arn: str) -> list[Json]:
    return list(cloud_map.list_tags_for_resource(ResourceARN=arn)["Tags"])


@aws_call
def change_tags(cloud_map: Client, arn: str, put: Tags, removed: list[str]) -> None:
    if put:
        cloud_map.tag_resource(ResourceARN=arn, Tags=to_capital_list(put))
    if removed:
        cloud_map.untag_resource(ResourceARN=arn, TagKeys=removed)


@aws_call
def create_private_namespace(cloud_map: Client, name: str, vpc_id: str, tags: Tags) -> str:
    """The id of the operation that creates it."""
    try:
        return str(
            cloud_map.create_private_dns_namespace(Name=name, Vpc=vpc_id, Tags=to_capital_list(tags))["OperationId"]
        )
    except cloud_map.exceptions.DuplicateRequest as error:  # of an attempt whose answer was lost
        return str(error.response["DuplicateOperationId"])


@aws_find
def delete_namespace(cloud_map: Client, namespace_id: str) -> str:
    """The id of the operation that deletes it."""
    return str(cloud_map.delete_namespace(Id=namespace_id)["OperationId"])


@aws_call
def create_service(cloud_map: Client, request: Json) -> Json:
    return dict(cloud_map.create_service(**request)["Service"])


@aws_find
def delete_service(cloud_map: Client, service_id: str) -> bool:
    cloud_map.delete_service(Id=service_id)
    return True


@aws_call
def get_operation(cloud_map: Client, operation_id: str) -> Json:
    return dict(cloud_map.get_operation(OperationId=operation_id)["Operation"])
