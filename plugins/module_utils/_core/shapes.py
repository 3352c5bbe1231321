# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module options checked against botocore's own model of an API call, before the call.

The top level is Ansible's spelling (`network_mode`), everything below is AWS's (`containerPort`), so a member that a
newer botocore knows needs no change here. A shape is one of botocore's, as
`client.meta.service_model.operation_model("CreateCluster").input_shape` has it.
"""

from __future__ import annotations

import datetime
import difflib
import re
import typing as t

from .errors import INVALID_OPTION, SlipwayError
from .plan import UNKNOWN

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class Shape(t.Protocol):
    """As much of botocore's shapes as is used here."""

    type_name: str
    members: t.Mapping[str, t.Any]
    required_members: t.Sequence[str]
    member: t.Any
    value: t.Any
    enum: t.Sequence[str]


def snake(member: str) -> str:
    """The option of an API member: `networkMode` is `network_mode`."""
    return _WORD_START.sub("_", member).lower()


def option_names(shape: Shape) -> dict[str, str]:
    """The API members of a request by the option that sets them."""
    return {snake(member): member for member in shape.members}


def to_options(members: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Rename the top level of an API answer to option names, its times made text."""
    return {snake(member): plain(value) for member, value in members.items()}


def plain(value: t.Any) -> t.Any:
    """The value as JSON can say it: times as ISO 8601."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def to_members(shape: Shape, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Rename the top level of `options` to the request's members; what the request does not know is left out."""
    names = option_names(shape)
    return {names[name]: value for name, value in options.items() if name in names and value is not None}


def check_options(
    shape: Shape,
    params: t.Mapping[str, t.Any],
    *,
    skip: t.Collection[str] = (),
    members: t.Iterable[str] = (),
    allow_unknown: bool = False,
    strict: bool = False,
) -> dict[str, t.Any]:
    """Take from a module's `params` those that the request knows, each checked and in the type that AWS wants.

    None means "not given" and is left out; a name that the request does not know too (it is an option of the module
    itself), or it is wrong if `strict`. Of `members`, which a request of today knows, it is wrong as well: an older
    botocore would not send them. An empty text passes at the top: it asks for nothing to be there.
    With `allow_unknown` (check mode) the text "unknown" may stand for a value of any type.
    Everything that is wrong is told at once, in a SlipwayError with code `invalid_option`.
    """
    checker = _Checker(allow_unknown)
    names = option_names(shape)
    if strict:
        checker.refuse_unknown(params, list(names))
    checked = {
        name: params[name] if params[name] == "" else checker.check(shape.members[member], params[name], name)
        for name, member in names.items()
        if name not in skip and params.get(name) is not None
    }
    for name in members:
        if name not in names and params.get(name) is not None:
            checker.problems.append(
                f"{name}: the installed botocore does not know this option. Update boto3 and botocore."
            )
    if checker.problems:
        raise SlipwayError(INVALID_OPTION, " ".join(checker.problems), {"problems": checker.problems})
    return checked


class _Checker:
    """Walks a value along its shape, collecting what is wrong."""

    def __init__(self, allow_unknown: bool) -> None:
        self.allow_unknown = allow_unknown
        self.problems: list[str] = []

    def refuse_unknown(self, given: t.Iterable[str], known: list[str], where: str = "") -> None:
        for name in given:
            if name not in known:
                self.problems.append(f"{where}unknown member '{name}'{_hint(name, known)}.")

    def check(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if value == UNKNOWN and self.allow_unknown:
            return value
        if getattr(shape, "is_document_type", False):  # any JSON, such as what a lifecycle hook is told
            return value
        kinds: dict[str, t.Callable[[Shape, t.Any, str], t.Any]] = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
            "string": self._string,
            "boolean": self._boolean,
            "integer": self._integer,
            "long": self._integer,
            "double": self._number,
            "float": self._number,
        }
        check = kinds.get(shape.type_name)
        return check(shape, value, path) if check else value

    def _wrong(self, path: str, expected: str, value: t.Any) -> t.Any:
        kind = {"dict": "a dictionary", "list": "a list", "str": "text", "bool": "a boolean"}.get(
            type(value).__name__, type(value).__name__
        )
        shown = f" ({value!r})" if isinstance(value, (str, int, float)) else ""
        self.problems.append(f"{path}: expected {expected}, got {kind}{shown}.")
        return value

    def _structure(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a dictionary", value)
        given = {str(name): member for name, member in value.items() if member is not None}
        self.refuse_unknown(given, list(shape.members), f"{path}: ")
        for name in shape.required_members:
            if name not in given:
                self.problems.append(f"{path}: member '{name}' is required.")
        return {
            name: self.check(shape.members[name], member, f"{path}.{name}")
            for name, member in given.items()
            if name in shape.members
        }

    def _list(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if not isinstance(value, (list, tuple)):
            return self._wrong(path, "a list", value)
        return [
            self.check(shape.member, element, f"{path}[{index}]")
            for index, element in enumerate(value)
            if element is not None
        ]

    def _map(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a dictionary", value)
        return {
            str(name): self.check(shape.value, member, f"{path}.{name}")
            for name, member in value.items()
            if member is not None
        }

    def _string(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if isinstance(value, bool):  # as JSON writes it
            text = str(value).lower()
        elif isinstance(value, (str, int)):
            text = str(value)
        else:  # a float has lost its last zeros already
            return self._wrong(path, "text (put it in quotes)" if isinstance(value, float) else "text", value)
        choices = list(getattr(shape, "enum", ()))
        if not choices or text in choices:
            return text
        folded = {choice.lower(): choice for choice in choices}
        if text.lower() in folded:
            return folded[text.lower()]
        self.problems.append(f"{path}: '{text}' is none of {', '.join(choices)}{_hint(text, choices, False)}.")
        return text

    def _boolean(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        text = str(value).lower()
        if isinstance(value, (bool, str, int)) and text in _TRUE | _FALSE:
            return text in _TRUE
        return self._wrong(path, "true or false", value)

    def _integer(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        number = self._to_number(value)
        if number is None or number != int(number):
            return self._wrong(path, "a whole number", value)
        return int(number)

    def _number(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        number = self._to_number(value)
        return self._wrong(path, "a number", value) if number is None else number

    @staticmethod
    def _to_number(value: t.Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            return int(value) if isinstance(value, int) else float(value)
        except ValueError:
            return None


def _hint(name: str, known: t.Sequence[str], list_known: bool = True) -> str:
    """The nearest known name, whatever the caller's upper case and underscores."""
    folded = {_folded(other): other for other in known}
    near = difflib.get_close_matches(_folded(name), folded, n=1)
    if near:
        return f" (did you mean '{folded[near[0]]}'?)"
    return f" (known: {', '.join(sorted(known))})" if list_known else ""


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
