# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_secrets does: read both stores, plan, write once."""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass, replace

from .._core import tags as tagging
from .._core.creating import converge, creating
from .._core.error_codes import INVALID_OPTION, NOT_FOUND
from .._core.errors import SlipwayError
from .._core.plan import UNKNOWN, Plan, compare
from .._core.types import Clients, Connection, Json, Result
from . import api
from .model import SECRETS_MANAGER, Found, Wish, current_of, desired_of, path_of, refuse_foreign, wishes_of


class Store(t.Protocol):
    """One of the two places where secrets are kept; `name` is a secret's name there."""

    def name_of(self, wish: Wish) -> str: ...
    def find(self, names: t.Sequence[str], with_value: t.Collection[str] = ()) -> dict[str, Found]: ...
    def owned(self, tags: t.Mapping[str, t.Any]) -> list[str]: ...
    def create(self, name: str, wish: Wish, tags: tagging.Tags) -> Found: ...
    def change(self, name: str, wish: Wish, there: Found, members: set[str]) -> str: ...
    def tag(self, name: str, put: tagging.Tags, gone: list[str]) -> None: ...
    def delete(self, names: t.Sequence[str]) -> None: ...


@dataclass
class Parameters:
    """AWS Systems Manager Parameter Store. Its client takes a while to make, so only who needs it makes it."""

    client: Clients
    path: str

    @functools.cached_property
    def ssm(self) -> t.Any:
        return self.client("ssm")

    def name_of(self, wish: Wish) -> str:
        return wish.source or f"{self.path}{wish.name}"

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
        return [name for name, there in found.items() if there.carries(tags)]

    def create(self, name: str, wish: Wish, tags: tagging.Tags) -> Found:
        request = {**self._request(name, wish, wish.text()), "Tags": _list(tags)}
        return Found(wish.type, name, api.put_parameter(self.ssm, request), wish.kms_key_id, tags)

    def change(self, name: str, wish: Wish, there: Found, members: set[str]) -> str:
        """Type and key change only together with the value."""
        if not members & {"type", "value", "kms_key_id"}:
            return there.version
        value = wish.value or api.read_parameters(self.ssm, [name])[name]
        return api.put_parameter(self.ssm, {**self._request(name, wish, value), "Overwrite": True})

    def tag(self, name: str, put: tagging.Tags, gone: list[str]) -> None:
        api.tag_parameter(self.ssm, name, _list(put))
        api.untag_parameter(self.ssm, name, gone)

    def delete(self, names: t.Sequence[str]) -> None:
        api.delete_parameters(self.ssm, names)

    @staticmethod
    def _request(name: str, wish: Wish, value: str) -> Json:
        key = {"KeyId": wish.kms_key_id} if wish.kms_key_id and wish.type == "SecureString" else {}
        return {"Name": name, "Type": wish.type, "Value": value, **key}


@dataclass
class Manager:
    """AWS Secrets Manager."""

    client: Clients
    path: str
    recovery_window: int

    @functools.cached_property
    def manager(self) -> t.Any:
        return self.client("secretsmanager")

    def name_of(self, wish: Wish) -> str:
        return wish.source or f"{self.path[1:]}{wish.name}"

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

    def create(self, name: str, wish: Wish, tags: tagging.Tags) -> Found:
        key = {"KmsKeyId": wish.kms_key_id} if wish.kms_key_id else {}
        request = {"Name": name, "SecretString": wish.text(), "Tags": _list(tags), **key}
        made = api.create_secret(self.manager, request)
        return Found(wish.type, made["ARN"], made["VersionId"], wish.kms_key_id, tags)

    def change(self, name: str, wish: Wish, there: Found, members: set[str]) -> str:
        if there.deleted:
            api.restore_secret(self.manager, name)
        if "kms_key_id" in members:
            api.set_secret_key(self.manager, name, wish.kms_key_id)
        if "value" in members and wish.value is not None:
            return api.put_secret_value(self.manager, name, wish.value)
        return there.version

    def tag(self, name: str, put: tagging.Tags, gone: list[str]) -> None:
        api.tag_secret(self.manager, name, _list(put))
        api.untag_secret(self.manager, name, gone)

    def delete(self, names: t.Sequence[str]) -> None:
        for name in names:
            api.delete_secret(self.manager, name, self.recovery_window)


def run(connection: Connection) -> Result:
    # In a copy: Ansible shows the options that it has, and hides the text as a whole.
    params = {**connection.params, "values": json.loads(connection.params["values"] or "{}")}
    connection = connection._replace(params=params)
    return present(connection) if params["state"] == "present" else absent(connection)


def present(connection: Connection) -> Result:
    """The secrets are there, with the values that were given, or those that they once got."""
    return converge(lambda: _present(connection))


def _present(connection: Connection) -> Result:
    params = connection.params
    parameters, manager = _stores(connection)
    wishes = wishes_of(params["secrets"] or [], params["values"] or {})
    stores: dict[str, Store] = {wish.name: manager if wish.in_secrets_manager else parameters for wish in wishes}
    found = {**_found(parameters, wishes, False), **_found(manager, wishes, True)}
    _refuse_missing(wishes, found)
    made = [wish for wish in wishes if not wish.source]
    refuse_foreign(made, found, params["match_tags"])
    current = {wish.name: current_of(wish, found.get(wish.name)) for wish in made}
    planned = compare(current, {wish.name: desired_of(wish, found.get(wish.name), params) for wish in made})
    differing = [wish for wish in made if wish.name in planned.members]
    for wish in differing:
        store, there = stores[wish.name], found.get(wish.name)
        if connection.check_mode:
            found[wish.name] = _predicted(store, wish, there, planned)
        else:
            found[wish.name] = _write(store, wish, there, planned, begun=wish is not differing[0])
    return {
        "changed": planned.changed,
        "diff": planned.diff,
        "secrets": {wish.name: _view(wish, found.get(wish.name)) for wish in wishes},
    }


def absent(connection: Connection) -> Result:
    """What carries the tags below the path is gone, or of that what is named."""
    tags, named = connection.params["match_tags"], connection.params["names"]
    found = [(store, store.owned(tags)) for store in _stores(connection)]
    owned = [(store, [name for name in some if named is None or name in named]) for store, some in found]
    if not connection.check_mode:
        for store, names in owned:
            store.delete(names)
    names = sorted(name for _store, some in owned for name in some)
    return {
        "changed": bool(names),
        "diff": {"before": {"secrets": names} if names else {}, "after": {}},
        "secrets": {},
    }


def _stores(connection: Connection) -> tuple[Parameters, Manager]:
    params = connection.params
    path, window = path_of(params["path"]), params["recovery_window"]
    if not params["match_tags"]:
        raise SlipwayError(INVALID_OPTION, "match_tags: at least one tag is needed, to know what is our own.")
    if window and not 7 <= window <= 30:
        raise SlipwayError(INVALID_OPTION, f"recovery_window: {window} is not right; 7 to 30 days are, or 0 for none.")
    return Parameters(connection.client, path), Manager(connection.client, path, window)


def _found(store: Store, wishes: t.Sequence[Wish], in_secrets_manager: bool) -> dict[str, Found]:
    """What there is in one store, by the wishes' names. An ARN is not looked up: it may be another account's."""
    ours = [wish for wish in wishes if wish.in_secrets_manager == in_secrets_manager and not _is_arn(wish.source)]
    names = {store.name_of(wish): wish for wish in ours}
    with_value = {name for name, wish in names.items() if wish.value is not None}
    found = store.find(list(names), with_value) if names else {}
    return {names[name].name: there for name, there in found.items()}


def _refuse_missing(wishes: t.Iterable[Wish], found: t.Mapping[str, Found]) -> None:
    missing = [
        f"{wish.name} ({wish.source if '/' in wish.source else 'its `from` is not shown, as it may be the secret'})"
        for wish in wishes
        if wish.source and not _is_arn(wish.source) and (wish.name not in found or found[wish.name].deleted)
    ]
    if missing:
        raise SlipwayError(NOT_FOUND, f"secrets: what is to be made elsewhere is not there: {', '.join(missing)}.")


def _write(store: Store, wish: Wish, there: Found | None, planned: Plan, begun: bool) -> Found:
    name, tags = store.name_of(wish), planned.predicted[wish.name]["tags"]
    if there is None:
        return creating(lambda: store.create(name, wish, tags), lambda: store.find([name]), planned.diff, begun)
    version = store.change(name, wish, there, _members(planned, wish))
    store.tag(name, *tagging.changes(there.tags, tags))
    return replace(there, version=version)


def _predicted(store: Store, wish: Wish, there: Found | None, planned: Plan) -> Found:
    if there is None:
        reference = UNKNOWN if wish.in_secrets_manager else store.name_of(wish)
        return Found(wish.type, reference, UNKNOWN, wish.kms_key_id, {})
    is_same = _members(planned, wish) <= {"tags", "deleted"}
    return there if is_same else replace(there, version=UNKNOWN)


def _members(planned: Plan, wish: Wish) -> set[str]:
    """What differs of one secret."""
    return {*planned.before.get(wish.name, {}), *planned.after.get(wish.name, {})}


def _view(wish: Wish, there: Found | None) -> Json:
    return {
        "type": wish.type,
        "value_from": there.reference if there else wish.source,
        "version": there.version if there else "",
    }


def _is_arn(source: str) -> bool:
    return source.startswith("arn:")


def _list(tags: t.Mapping[str, str]) -> list[Json]:
    return tagging.to_capital_list(tags)
