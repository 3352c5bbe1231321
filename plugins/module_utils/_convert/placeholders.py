# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that are only known when a playbook runs, meanwhile as tokens in text. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping

from .._core.templates import TEMPLATE
from .._core.types import Json
from .jinja import jinja_text, quoted
from .notes import Notes

_TOKEN = re.compile(r"__slipway_(\d+)__")
# What the files of the inventory say about themselves.
COMMENTS = {
    "environment": "Values that each run reads from the environment and the parameter store.",
    "to_fill_in": "Values that are not in the files. A run fails with the name of a missing value.",
}


class Placeholder(t.NamedTuple):
    """A value of a later run: its variable in the inventory and that variable's template."""

    kind: str
    argument: str
    variable: str
    template: str
    # What it is now; None if that is unknown.
    actual: str | None = None
    reason: str = ""
    advice: str = ""


class Placeholders:
    """All placeholders of a project. The same call has the same one."""

    def __init__(self) -> None:
        self._by_token: dict[str, Placeholder] = {}

    def token(self, placeholder: Placeholder) -> str:
        for token, known in self._by_token.items():
            if (known.kind, known.argument) == (placeholder.kind, placeholder.argument):
                return token
        names = {known.variable for known in self._by_token.values()}
        variable, number = placeholder.variable, 2
        while variable in names:
            variable, number = f"{placeholder.variable}_{number}", number + 1
        token = f"__slipway_{len(self._by_token)}__"
        self._by_token[token] = placeholder._replace(variable=variable)
        return token

    def find(self, text: t.Any) -> list[Placeholder]:
        """The placeholders in a text."""
        return [self._by_token[found[0]] for found in _TOKEN.finditer(str(text)) if found[0] in self._by_token]

    def only(self, value: t.Any) -> Placeholder | None:
        """The placeholder that is the whole value."""
        return self._by_token.get(value) if isinstance(value, str) else None

    def actual(self, value: t.Any) -> t.Any:
        """A document with the values that are known now."""
        if isinstance(value, Mapping):
            return {str(self.actual(key)): self.actual(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.actual(item) for item in value]
        return _TOKEN.sub(self._actual, value) if isinstance(value, str) else value

    def _actual(self, found: re.Match[str]) -> str:
        placeholder = self._by_token.get(found[0])
        known = placeholder.actual if placeholder else None
        return found[0] if known is None else known

    def named(self, text: str) -> str:
        """A text with the values that are known now, and the names of variables for others."""

        def variable(found: re.Match[str]) -> str:
            placeholder = self._by_token.get(found[0])
            return placeholder.variable if placeholder else found[0]

        return _TOKEN.sub(variable, str(self.actual(text)))

    def templated(self, value: t.Any) -> t.Any:
        """A document with templates in place of placeholders. Keys cannot be templates: they get what is known now."""
        if isinstance(value, Mapping):
            if set(value) == {TEMPLATE}:
                return {TEMPLATE: _TOKEN.sub(lambda found: self._part(found[0]), value[TEMPLATE])}
            return {str(self.actual(key)): self.templated(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.templated(item) for item in value]
        if not self.find(value):
            return value
        parts = re.split(f"({_TOKEN.pattern.replace('(', '(?:')})", value)
        return {"__template__": "".join(self._part(part) for part in parts)}

    def _part(self, part: str) -> str:
        placeholder = self._by_token.get(part)
        if placeholder:
            return f"{{{{ {placeholder.variable} }}}}"
        return jinja_text(part)

    def expression(self, value: str) -> str:
        """The same of a text as an expression of Jinja."""
        parts = [part for part in re.split(f"({_TOKEN.pattern.replace('(', '(?:')})", value) if part]
        names = [self._by_token[part].variable if part in self._by_token else quoted(part) for part in parts]
        return " ~ ".join(names) or "''"

    def files(self, document: t.Any, notes: Notes) -> dict[str, Json]:
        """Two files of variables: what each run reads, and what has to be filled in, which a note lists."""
        text = "\n".join(_templates(document))
        used = [one for one in self._by_token.values() if re.search(rf"\b{one.variable}\b", text)]
        missing = [one for one in used if one.reason]
        for one in missing:
            notes.add(one.variable, one.reason, one.advice)
        return {
            "environment": _variables(one for one in used if not one.reason),
            "to_fill_in": _variables(missing),
        }


def _variables(placeholders: Iterable[Placeholder]) -> Json:
    return {one.variable: {"__template__": one.template} for one in placeholders}


def _templates(value: t.Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if set(value) == {"__template__"}:
            yield str(value["__template__"])
        for item in value.values():
            yield from _templates(item)
    elif isinstance(value, list):
        for item in value:
            yield from _templates(item)


def from_environment(names: list[str], default: str | None, environment: Mapping[str, str]) -> Placeholder:
    """The first of these environment variables that is set, or the default; None requires one of them."""
    value = next((environment.get(name) for name in names if environment.get(name)), default)
    lookups = [f"lookup('ansible.builtin.env', {quoted(name)})" for name in names]
    hint = f"{names[0]}: expected an environment variable of this name, got none. Set it and rerun."
    last = f"undef(hint={quoted(hint)})" if default is None else quoted(default)
    argument = " ".join([*names, default or ""])
    return Placeholder(
        "env", argument, variable_of("env", names[0]), f"{{{{ {' or '.join([*lookups, last])} }}}}", value
    )


def unknown(kind: str, argument: str, what: str, reason: str, advice: str = "") -> Placeholder:
    """A value that is in none of the files: `what` names it, the reason says why."""
    variable = variable_of(kind, argument)
    hint = f"{variable}: expected {what}, got none. Set it in group_vars/all/to_fill_in.yml."
    return Placeholder(
        kind,
        argument,
        variable,
        f"{{{{ undef(hint={quoted(hint)}) }}}}",
        None,
        reason,
        f"Set it in group_vars/all/to_fill_in.yml. {advice}".strip(),
    )


def variable_of(kind: str, argument: str) -> str:
    return re.sub(r"_+", "_", re.sub(r"\W", "_", f"{kind}_{argument}", flags=re.ASCII)).strip("_").lower()
