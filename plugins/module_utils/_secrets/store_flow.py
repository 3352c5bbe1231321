# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two places where secrets are kept, behind one interface."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from .._core import tags as tagging
from .._core.types import Clients, Json
from . import api
from .model import SECRETS_MANAGER, DesiredSecret, Found


class Store(t.Protocol):
    """One of the two places where secrets are kept; `name` is a secret's name there."""

    def name_of(self, desired: DesiredSecret) -> str: ...
    def find(self, names: t.Sequence[str], with_value: t.Collection[str] = ()) -> dict[str, Found]: ...
    def owned(self, tags: t.Mapping[str, t.Any]) -> list[str]: ...
    def create(self, name: str, desired: DesiredSecret, tags: tagging.Tags) -> Found: ...
    def change(self, name: str, desired: DesiredSecret, found: Found, members: set[str]) -> str: ...
    def change_tags(self, name: str, put: tagging.Tags, removed: list[str]) -> None: ...
    def delete(self, names: t.Sequence[str]) -> None: ...


@dataclass
class Parameters:
    """AWS Systems Manager Parameter Store. Its client is slow to create, so it is created when it is needed."""

    client: Clients
    path: str

    @functools.cached_property
    def ssm(self) -> t.Any:
        return self.client("ssm")

    def name_of(self, desired: DesiredSecret) -> str:
        return desired.source or f"{self.path}{desired.name}"

    def find(self, names: t.Sequence[str], with_value: t.Collection[str] = ()) -> dict[str, Found]:
        described = {answer["Name"]: answer for answer in api.describe_parameters(self.ssm, names)}
        values = api.read_parameters(self.ssm, [name for name in described if name in with_value])
        return {
            name: Found(
                answer["Type"],
                name,
                str(answer["Version"]),
                answer.get("KeyId", ""),
                tagging.from_list(api.parameter_tags(self.ssm, name)),
                value=values.get(name),
            )
            for name, answer in described.items()
        }

    def owned(self, tags: t.Mapping[str, t.Any]) -> list[str]:
        found = self.find(api.list_parameters(self.ssm, self.path))
        return [name for name, one in found.items() if one.carries(tags)]

    def create(self, name: str, desired: DesiredSecret, tags: tagging.Tags) -> Found:
        request = {**self._request(name, desired, desired.text()), "Tags": tagging.to_capital_list(tags)}
        return Found(desired.type, name, api.put_parameter(self.ssm, request), desired.kms_key_id, tags)

    def change(self, name: str, desired: DesiredSecret, found: Found, members: set[str]) -> str:
        """Type and key change only together with the value."""
        if not members & {"type", "value", "kms_key_id"}:
            return found.version
        value = desired.value or api.read_parameters(self.ssm, [name])[name]
        return api.put_parameter(self.ssm, {**self._request(name, desired, value), "Overwrite": True})

    def change_tags(self, name: str, put: tagging.Tags, removed: list[str]) -> None:
        api.change_parameter_tags(self.ssm, name, put, removed)

    def delete(self, names: t.Sequence[str]) -> None:
        api.delete_parameters(self.ssm, names)

    @staticmethod
    def _request(name: str, desired: DesiredSecret, value: str) -> Json:
        key = {"KeyId": desired.kms_key_id} if desired.kms_key_id and desired.type == "SecureString" else {}
        return {"Name": name, "Type": desired.type, "Value": value, **key}


@dataclass
class Manager:
    """AWS Secrets Manager."""

    client: Clients
    path: str
    recovery_window: int

    @functools.cached_property
    def manager(self) -> t.Any:
        return self.client("secretsmanager")

    def name_of(self, desired: DesiredSecret) -> str:
        return desired.source or f"{self.path[1:]}{desired.name}"

    def find(self, names: t.Sequence[str], with_value: t.Collection[str] = ()) -> dict[str, Found]:
        answers = {name: api.find_secret(self.manager, name) for name in names}
        return {name: self._found(name, answer, name in with_value) for name, answer in answers.items() if answer}

    def _found(self, name: str, answer: Json, with_value: bool) -> Found:
        deleted = bool(answer.get("DeletedDate"))
        stages = answer.get("VersionIdsToStages") or {}
        return Found(
            SECRETS_MANAGER,
            answer["ARN"],
            next((version for version, labels in stages.items() if "AWSCURRENT" in labels), ""),
            answer.get("KmsKeyId", ""),
            tagging.from_list(answer.get("Tags")),
            deleted,
            api.read_secret(self.manager, name) if with_value and not deleted else None,
        )

    def owned(self, tags: t.Mapping[str, t.Any]) -> list[str]:
        found = api.list_secrets(self.manager, self.path[1:])
        return [answer["Name"] for answer in found if self._found(answer["Name"], answer, False).carries(tags)]

    def create(self, name: str, desired: DesiredSecret, tags: tagging.Tags) -> Found:
        key = {"KmsKeyId": desired.kms_key_id} if desired.kms_key_id else {}
        request = {"Name": name, "SecretString": desired.text(), "Tags": tagging.to_capital_list(tags), **key}
        created = api.create_secret(self.manager, request)
        return Found(desired.type, created["ARN"], created["VersionId"], desired.kms_key_id, tags)

    def change(self, name: str, desired: DesiredSecret, found: Found, members: set[str]) -> str:
        if found.deleted:
            api.restore_secret(self.manager, name)
        if "kms_key_id" in members:
            api.set_secret_key(self.manager, name, desired.kms_key_id)
        if "value" in members and desired.value is not None:
            return api.put_secret_value(self.manager, name, desired.value)
        return found.version

    def change_tags(self, name: str, put: tagging.Tags, removed: list[str]) -> None:
        api.change_secret_tags(self.manager, name, put, removed)

    def delete(self, names: t.Sequence[str]) -> None:
        for name in names:
            api.delete_secret(self.manager, name, self.recovery_window)
