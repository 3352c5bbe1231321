# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in the environment of services: passed by reference, so that no value is written. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ..._core.masking import hide_passwords, is_secret, is_secret_name
from ..._core.secret_forms import MASK
from ..._core.types import Json
from ..jinja import jinja_text, quoted, template
from ..notes import Notes
from .hosts import Hosts
from .values import Value

_LONGEST_NAME = 40
_DEFAULT_LENGTH = 50
# Names that masking leaves alone, as in many programs their values are no secrets.
_PRIVATE_NAME = re.compile(r"(?:^|_)(?:APP_KEY|AUTH|SALT|PEPPER|KEY_BASE)$", re.IGNORECASE)
_PLAIN_VALUES = ("true", "false", "yes", "no", "on", "off", "none", "0", "1")
# A shorter one may be any word.
_SHORTEST_KNOWN = 8
# No word that is also in use elsewhere.
_RANDOM = re.compile(r"(?=.*\d)\S{12,}")
# A key of that length is no name of one.
_LONG_KEY = re.compile(r"[A-Za-z0-9+/=_.:-]{20,}")
_IN_ADDRESS = re.compile(r"(?P<start>://[^\s:/@]*:)(?P<password>\$\{[^}]*\}|[^\s/@]+)(?=@)")
_VARIABLE = re.compile(r"\$\{?(\w+)[^}]*\}?")


class Secrets:
    """The secrets of a project. The same value at two places is one secret."""

    def __init__(self, notes: Notes, hosts: Hosts) -> None:
        self._notes = notes
        self._hosts = hosts
        # By value, or by the variables in it where these have no value: the name of the secret.
        self._names: dict[str, str] = {}
        self._entries: dict[str, Json] = {}
        # By name: the template that the playbook evaluates; secrets without one get a random value.
        self._values: dict[str, str] = {}
        self._inputs: dict[str, str] = {}

    def is_private(self, variable: str, value: Value) -> bool:
        """Whether a value is a secret. One that is empty is, if its variable is only not set yet."""
        if value.is_empty:
            return value.is_unset and is_secret_name(variable)
        text = str(value.text)
        if is_secret(variable, text):
            return True
        is_key = variable.upper().endswith("KEY") and _LONG_KEY.fullmatch(text) is not None
        return (bool(_PRIVATE_NAME.search(variable)) or is_key) and text.lower() not in _PLAIN_VALUES

    def is_in_text(self, variable: str, value: Value) -> bool:
        """Whether a value is a text, such as a connection string, that has a secret in it."""
        text = str(value.text or "")
        return not is_secret_name(variable) and hide_passwords(text) not in (text, MASK)

    def add(self, service: str, variable: str, value: Value) -> str:
        """The name of the secret with this value, a new one if there is none yet."""
        known = self._names.get(value.identity)
        if known:
            return known
        name = self._new_name(service, variable)
        self._names[value.identity] = name
        self._entries[name] = {"length": len(value.text or "")} if len(value.text or "") > _DEFAULT_LENGTH else {}
        return name

    def add_address(self, service: str, variable: str, value: Value) -> str:
        """The name of a secret whose value is an address with passwords in it."""
        known = self._names.get(value.identity)
        if known:
            return known
        text = str(value.text) if _IN_ADDRESS.search(str(value.text or "")) else value.raw
        text = self._hosts.replaced(variable, text)
        parts: list[str] = []
        position = 0
        for found in _IN_ADDRESS.finditer(text):
            parts += [jinja_text(text[position : found.end("start")]), self._password(service, variable, found)]
            position = found.end()
        return self._computed(service, variable, value, [*parts, jinja_text(text[position:])] if parts else [])

    def add_text(self, service: str, variable: str, value: Value, public: t.Container[str]) -> str:
        """The name of a secret whose value has other secrets in it, or one that stands nowhere else."""
        known = self._names.get(value.identity)
        if known:
            return known
        names = self.known(public)
        text = self._hosts.replaced(variable, str(value.text))
        secrets = _any_of(names)
        rest = secrets.sub("", text)
        if hide_passwords(rest) != rest:
            return self._computed(service, variable, value, [])
        parts: list[str] = []
        position = 0
        for found in secrets.finditer(text):
            name = names[found[0]]
            expression = self._values.setdefault(name, self._input(name))
            parts += [jinja_text(text[position : found.start()]), expression]
            position = found.end()
        return self._computed(service, variable, value, [*parts, jinja_text(text[position:])])

    def _computed(self, service: str, variable: str, value: Value, parts: list[str]) -> str:
        """A new secret whose value is a template."""
        name = self._new_name(service, variable)
        self._names[value.identity], self._entries[name] = name, {}
        self._values[name] = "".join(parts) if parts else self._input(name)
        self._notes.add(
            f"services.{service}.environment.{variable}",
            "The value contains a password, so it becomes a secret, whose value Ansible computes when the playbook"
            " runs.",
            f"Compare ecs_app_secret_values.{name} in secrets.yml with the original.",
        )
        return name

    def are_in(self, text: str, public: t.Container[str]) -> bool:
        """Whether a secret stands in a text."""
        return bool(_any_of(self.known(public)).search(text))

    def add_file(self, name: str, entry: Json, value: str | None) -> str:
        """A secret of the Compose file itself."""
        slug = self._slug(name)
        self._entries.setdefault(slug, entry)
        if value:
            self._values[slug] = value
        return slug

    def known(self, public: t.Container[str]) -> dict[str, str]:
        """Values that must not be written anywhere, with the names of their secrets. Others are words in common use."""
        return {
            value: name
            for value, name in self._names.items()
            if len(value) >= _SHORTEST_KNOWN and (value not in public or _RANDOM.fullmatch(value)) and "$" not in value
        }

    def variables(self) -> Json:
        if not self._entries:
            return {}
        values = {name: template(text) for name, text in self._values.items()}
        inputs = {name: template(text) for name, text in self._inputs.items()}
        return {
            "ecs_app_secrets": dict(self._entries),
            **({"ecs_app_secret_values": values} if values else {}),
            **inputs,
        }

    def random(self) -> list[str]:
        """Secrets that get a random value."""
        return [name for name, entry in self._entries.items() if name not in self._values and "from" not in entry]

    def inputs(self) -> list[str]:
        """Variables of the environment that the playbook requires."""
        texts = [*self._inputs.values(), *self._values.values()]
        return sorted({found for text in texts for found in re.findall(r"builtin\.env', '([^']+)', default", text)})

    def _password(self, service: str, variable: str, found: re.Match[str]) -> str:
        """The template of a password in an address; the whole secret that has the same value gets it, too."""
        name = self._names.get(found["password"]) or self._new_name(service, f"{variable}-password")
        expression = self._input(name)
        if name in self._entries:
            self._values[name] = expression
        return expression.replace(" }}", " | urlencode }}")

    def _input(self, name: str) -> str:
        """A variable of the inventory whose value comes from the environment."""
        variable = f"compose_{re.sub(r'[^a-z0-9]', '_', name)}"
        environment = variable.removeprefix("compose_").upper()
        self._inputs[variable] = f"{{{{ lookup('ansible.builtin.env', '{environment}', default=undef()) }}}}"
        return f"{{{{ {variable} }}}}"

    def _new_name(self, service: str, variable: str) -> str:
        wanted = self._slug(variable if service.lower() in variable.lower() else f"{service}-{variable}")
        name, number = wanted, 2
        while name in self._entries:
            name, number = f"{wanted[: _LONGEST_NAME - 3]}-{number}", number + 1
        return name

    @staticmethod
    def _slug(text: str) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].rstrip("-")
        return slug if slug[:1].isalpha() else f"secret-{slug}"[:_LONGEST_NAME]


def _any_of(values: t.Iterable[str]) -> re.Pattern[str]:
    """Finds any of the values, the longest first, where it is no part of a longer word; without values nothing."""
    longest_first = sorted(values, key=len, reverse=True)
    return re.compile(rf"(?<![\w${{])(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\w)")


def has_address(value: Value) -> bool:
    """Whether a password stands in an address, as in `postgres://shop:password@db`."""
    if value.text and hide_passwords(value.text) != value.text:
        return bool(_IN_ADDRESS.search(value.text))
    return bool(_IN_ADDRESS.search(value.raw)) and bool(_VARIABLE.search(value.raw))


def file_value(directory_variable: str, source: Mapping[str, t.Any], relative: str) -> str | None:
    """The template of a secret that Compose takes from a file or from the environment."""
    if source.get("file"):
        return f"{{{{ lookup('ansible.builtin.file', {directory_variable} ~ {quoted('/' + relative)}) }}}}"
    if source.get("environment"):
        return f"{{{{ lookup('ansible.builtin.env', {quoted(source['environment'])}, default=undef()) }}}}"
    return None
