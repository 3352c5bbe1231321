# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameter Store and Secrets Manager, one typed function a call: paginated, errors translated.

`ssm` and `manager` are clients of `Connection.client("ssm")` and `Connection.client("secretsmanager")`.
"""

from __future__ import annotations

from .._core.answers import check_complete
from .._core.errors import aws_call, aws_find
from .._core.paging import batches, pages
from .._core.tags import Tags, to_capital_list
from .._core.types import Client, Items, Json

DESCRIBE_BATCH = 50
VALUES_BATCH = 10


# Parameter Store


@aws_call
def describe_parameters(ssm: Client, names: Items) -> list[Json]:
    """The parameters that there are, of those named, without their values."""
    found: list[Json] = []
    for batch in batches(names, DESCRIBE_BATCH):
        filters = [{"Key": "Name", "Option": "Equals", "Values": batch}]
        found += pages(ssm, "describe_parameters", "Parameters", ParameterFilters=filters)
    return found


@aws_call
def list_parameters(ssm: Client, path: str) -> list[str]:
    """Items of the parameters below a path."""
    filters = [{"Key": "Path", "Option": "Recursive", "Values": [path.rstrip("/")]}]
    return [found["Name"] for found in pages(ssm, "describe_parameters", "Parameters", ParameterFilters=filters)]


@aws_call
def read_parameters(ssm: Client, names: Items) -> dict[str, str]:
    found: list[Json] = []
    for batch in batches(names, VALUES_BATCH):
        answer = ssm.get_parameters(Names=batch, WithDecryption=True)
        names_found = [parameter["Name"] for parameter in answer["Parameters"]]
        check_complete("GetParameters", batch, names_found, answer.get("InvalidParameters") or ())
        found += answer["Parameters"]
    return {parameter["Name"]: parameter["Value"] for parameter in found}


@aws_call
def parameter_tags(ssm: Client, name: str) -> list[Json]:
    return list(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])


@aws_call
def put_parameter(ssm: Client, request: Json) -> str:
    """The version that is created."""
    return str(ssm.put_parameter(**request)["Version"])


@aws_call
def change_parameter_tags(ssm: Client, name: str, put: Tags, removed: list[str]) -> None:
    parameter = {"ResourceType": "Parameter", "ResourceId": name}
    if put:
        ssm.add_tags_to_resource(**parameter, Tags=to_capital_list(put))
    if removed:
        ssm.remove_tags_from_resource(**parameter, TagKeys=removed)


@aws_call
def delete_parameters(ssm: Client, names: Items) -> None:
    for batch in batches(names, VALUES_BATCH):
        answer = ssm.delete_parameters(Names=batch)
        deleted = answer.get("DeletedParameters") or ()
        check_complete("DeleteParameters", batch, deleted, answer.get("InvalidParameters") or ())


# Secrets Manager


@aws_find
def find_secret(manager: Client, name: str) -> Json:
    """A secret without its value, also one that is scheduled for deletion."""
    return dict(manager.describe_secret(SecretId=name))


@aws_call
def list_secrets(manager: Client, prefix: str) -> list[Json]:
    """Secrets that begin so and are not scheduled for deletion."""
    found = pages(manager, "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [prefix]}])
    return [secret for secret in found if secret["Name"].startswith(prefix) and not secret.get("DeletedDate")]


@aws_find
def read_secret(manager: Client, name: str) -> str:
    return str(manager.get_secret_value(SecretId=name).get("SecretString", ""))


@aws_call
def create_secret(manager: Client, request: Json) -> Json:
    return dict(manager.create_secret(**request))


@aws_call
def put_secret_value(manager: Client, name: str, value: str) -> str:
    """The version that is created."""
    return str(manager.put_secret_value(SecretId=name, SecretString=value)["VersionId"])


@aws_call
def set_secret_key(manager: Client, name: str, kms_key_id: str) -> None:
    manager.update_secret(SecretId=name, KmsKeyId=kms_key_id)


@aws_call
def restore_secret(manager: Client, name: str) -> None:
    manager.restore_secret(SecretId=name)


@aws_call
def change_secret_tags(manager: Client, name: str, put: Tags, removed: list[str]) -> None:
    if put:
        manager.tag_resource(SecretId=name, Tags=to_capital_list(put))
    if removed:
        manager.untag_resource(SecretId=name, TagKeys=removed)


@aws_find
def delete_secret(manager: Client, name: str, recovery_window: int) -> None:
    """Schedule the deletion of a secret, or delete it at once without a window."""
    how: Json = {"RecoveryWindowInDays": recovery_window} if recovery_window else {"ForceDeleteWithoutRecovery": True}
    manager.delete_secret(SecretId=name, **how)
