# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of a project: where their values come from, and never the values. Pure."""

from __future__ import annotations

import re
import typing as t

from .._core.masking import with_secrets_replaced
from .._core.types import Json
from .jinja import quoted
from .notes import Notes
from .placeholders import Placeholders, unknown


class Secrets:
    """What becomes ecs_app_secrets and ecs_app_secret_values."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._external: dict[str, Json] = {}
        # Templates of values by name, and the names by what they stand for, which is in no file.
        self._values: dict[str, Json] = {}
        self._known: dict[tuple[str, str], str] = {}

    def variables(self) -> Json:
        """The content of the file of variables."""
        found: Json = {}
        if self._external or self._values:
            found["ecs_app_secrets"] = {**self._external, **{name: {} for name in self._values}}
        if self._values:
            found["ecs_app_secret_values"] = dict(self._values)
        return found

    def managed(self, name: str) -> str:
        """The reference to a secret of Secrets Manager that exists, by its name or ARN."""
        return self._named(name, {"type": "SecretsManager", "from": name})

    def parameter(self, name: str) -> str:
        """The reference to a parameter of Systems Manager that exists."""
        return self._named(name, {"from": name})

    def _named(self, name: str, secret: Json) -> str:
        plain = self._placeholders.named(name).rpartition(":secret:")[2]
        slug = re.sub(r"[^\w.-]", "-", plain.strip("/"), flags=re.ASCII)
        self._external[slug] = secret
        return slug

    def hidden(self, name: str, value: str, place: str, notes: Notes) -> str:
        """The reference to a secret of the project in place of a value, which is set outside of the inventory."""
        base = re.sub(r"[^\w.-]", "-", name.lower().replace("_", "-"), flags=re.ASCII)
        slug, variable, number = base, name, 2
        while self._values.get(slug) and self._known.get((name, value)) != slug:
            slug, variable, number = f"{base}-{number}", f"{name}_{number}", number + 1
        self._known[name, value] = slug
        is_read = bool(self._placeholders.find(value))
        self._values[slug] = (
            self._placeholders.templated(value) if is_read else {"__template__": _from_environment(variable)}
        )
        notes.add(
            place,
            "It looks like a secret, so it is passed by reference, and no file of the inventory contains its value.",
            "Set the environment variable that ecs_app_secret_values names, or set the value there with Ansible"
            " Vault. Allow the execution role to read the parameter (ssm:GetParameters).",
        )
        return slug

    def replaced(self, definition: Json, place: str) -> Json:
        """A task definition with variables in place of secrets where ECS takes no reference, as in commands."""

        def variable(where: str, secret: t.Any) -> str:
            if self._placeholders.find(secret):
                return ""
            argument = f"{place} {where.replace('containerDefinitions', '').strip('/')}"
            what = f"the value of {where.strip('/').replace('/', '.')} of the service {place}"
            token = self._placeholders.token(unknown("secret", argument, what, *_IN_TEXT))
            placeholder = self._placeholders.only(token)
            return placeholder.variable if placeholder else ""

        return t.cast(Json, with_secrets_replaced(definition, variable)[0])


_IN_TEXT = (
    "It looks like a secret, and stands where ECS takes no reference. Its value is in no file of the inventory.",
    "Encrypt it with Ansible Vault, or let the application read it from a variable that is a secret.",
)


def _from_environment(name: str) -> str:
    hint = f"ecs_app_secret_values: expected a value for {name}, got none. Set the environment variable {name}."
    return f"{{{{ lookup('ansible.builtin.env', {quoted(name)}) or undef(hint={quoted(hint)}) }}}}"
