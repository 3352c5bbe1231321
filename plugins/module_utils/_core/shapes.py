# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module options checked against botocore's own model of an API call, before the call.

The top level is Ansible's spelling (`network_mode`), everything below is AWS's (`containerPort`), so a member that a
newer botocore knows needs no change here.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import math
import re
import typing as t

from .error_codes import INVALID_OPTION
from .errors import SlipwayError
from .masking import is_secret_name, mask_command
from .plan import UNKNOWN
from .secret_forms import MASK

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
    metadata: t.Mapping[str, t.Any]


def input_shape(client: t.Any, operation: str) -> Shape:
    """The shape of an operation's request."""
    return t.cast("Shape", client.meta.service_model.operation_model(operation).input_shape)


def output_shape(client: t.Any, operation: str) -> Shape:
    """The shape of an operation's answer."""
    return t.cast("Shape", client.meta.service_model.operation_model(operation).output_shape)


def snake(member: str) -> str:
    """The option of an API member: `networkMode` is `network_mode`."""
    return _WORD_START.sub("_", member).lower()


def option_names(shape: Shape) -> dict[str, str]:
    """The API members of a request by the option that sets them."""
    return {snake(member): member for member in shape.members}


def to_options(members: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Rename the top level of an API answer to option names, times as text."""
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
    All problems are reported at once, in a SlipwayError with code `invalid_option`.
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


def text_of(value: t.Any) -> str | None:
    """The text that a value stands for: true as JSON writes it, whole numbers with their digits.

    None for all else: null stands for nothing, and a float has lost its last zeros already.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else None


def problems_of(shape: Shape, value: t.Any, path: str) -> list[str]:
    """What is wrong with a value in AWS's spelling, one sentence each. The text "unknown" may stand for any value."""
    checker = _Checker(allow_unknown=True)
    checker.check(shape, value, path)
    return checker.problems


def check_values(shape: Shape, names: t.Mapping[str, str], params: t.Mapping[str, t.Any]) -> None:
    """Fail with all that is wrong in `params`, where `names` has the API member that each option sets."""
    given = {option: member for option, member in names.items() if params.get(option) is not None}
    problems = [
        problem
        for option, member in given.items()
        if member in shape.members
        for problem in problems_of(shape.members[member], params[option], option)
    ]
    if problems:
        raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})


class _Checker:
    """Walks a value along its shape, collecting what is wrong."""

    def __init__(self, allow_unknown: bool) -> None:
        self.allow_unknown = allow_unknown
        self.problems: list[str] = []
        # Above 0 where a value may be a secret, so that no message shows it.
        self.hidden = 0

    def refuse_unknown(self, given: t.Iterable[str], known: list[str], where: str = "") -> None:
        for name in given:
            if name not in known:
                self.problems.append(f"{where}unknown member '{name}'{did_you_mean(name, known)}.")

    def check(self, shape: Shape, value: t.Any, path: str, hide: bool = False) -> t.Any:
        if value == UNKNOWN and self.allow_unknown:
            return value
        if getattr(shape, "is_document_type", False):  # any JSON, such as the details of a lifecycle hook
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
        if check is None:
            return value
        secret = hide or bool(shape.metadata.get("sensitive"))
        self.hidden += secret
        checked = check(shape, value, path)
        self.hidden -= secret
        return checked

    def _wrong(self, path: str, expected: str, value: t.Any, hide: bool = False) -> t.Any:
        kind = {"dict": "a dictionary", "list": "a list", "str": "text", "bool": "a boolean", "NoneType": "null"}.get(
            type(value).__name__, type(value).__name__
        )
        shown = (
            f" ({value!r})" if isinstance(value, (str, int, float)) and not (hide or self._may_be_secret(value)) else ""
        )
        self.problems.append(f"{path}: expected {expected}, got {kind}{shown}.")
        return value

    def _may_be_secret(self, value: t.Any) -> bool:
        words = str(value).split()
        return bool(self.hidden) or mask_command(words) != words

    def _structure(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a dictionary", value, _holds_values(shape))
        given = {str(name): member for name, member in value.items() if member is not None}
        self.refuse_unknown(given, list(shape.members), f"{path}: ")
        for name in shape.required_members:
            if name not in given:
                self.problems.append(f"{path}: expected the member '{name}', got none.")
        if _is_pair(shape) and "value" not in given:
            # AWS would drop the name without a word.
            problem = "expected text, got null" if "value" in value else "expected text, got nothing"
            self.problems.append(f"{path}.value: {problem}. Set a value, or omit the whole entry.")
        return {
            name: self.check(shape.members[name], member, f"{path}.{name}", hide=name == "value")
            for name, member in given.items()
            if name in shape.members
        }

    def _list(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if not isinstance(value, (list, tuple)):
            return self._wrong(path, "a list", value, _holds_values(shape.member))
        self._refuse_count(shape, len(value), path, "elements")
        places = [f"{path}[{index}]{named(element)}" for index, element in enumerate(value)]
        return [
            self._missing(place) if element is None else self.check(shape.member, element, place)
            for place, element in zip(places, value, strict=True)
        ]

    def _map(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a dictionary", value)
        return {
            str(name): self._missing(f"{path}.{name}")
            if member is None
            else self.check(shape.value, member, f"{path}.{name}", hide=is_secret_name(str(name)))
            for name, member in value.items()
        }

    def _missing(self, path: str) -> t.Any:
        self.problems.append(f"{path}: expected a value, got null. Set a value, or omit it.")
        return None

    def _refuse_count(self, shape: Shape, count: int, path: str, unit: str) -> None:
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
        if count < least:
            self.problems.append(f"{path}: expected at least {least} {unit}, got {count}.")
        if most is not None and count > most:
            self.problems.append(f"{path}: expected at most {most} {unit}, got {count}.")

    def _string(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        text = text_of(value)
        if text is None:
            return self._wrong(path, "text (put it in quotes)" if isinstance(value, float) else "text", value)
        choices = list(getattr(shape, "enum", ()))
        if not choices:
            self._refuse_text(shape, text, path)
            return text
        folded = {choice.lower(): choice for choice in choices}
        if text in choices or text.lower() in folded:
            return text if text in choices else folded[text.lower()]
        got = "another value" if self.hidden else f"'{text}'"
        hint = "" if self.hidden else did_you_mean(text, choices, False)
        self.problems.append(f"{path}: expected one of {', '.join(choices)}, got {got}{hint}.")
        return text

    def _refuse_text(self, shape: Shape, text: str, path: str) -> None:
        """AWS's own limits; a long text is not matched, which could take long."""
        before = len(self.problems)
        if MASK in text:
            # A result of ours, given back as a definition.
            self.problems.append(
                f"{path}: expected a value, got the mask that hides a value in results. Set the real value."
            )
        self._refuse_count(shape, len(text), path, "characters")
        pattern = shape.metadata.get("pattern")
        if pattern and len(self.problems) == before and not _matches(pattern, text):
            shown = "another text" if self.hidden else repr(text)
            self.problems.append(f"{path}: expected text that matches {pattern}, got {shown}.")

    def _boolean(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        text = str(value).lower()
        if isinstance(value, (bool, str, int)) and text in _TRUE | _FALSE:
            return text in _TRUE
        return self._wrong(path, "true or false", value)

    def _integer(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        number = self._to_number(value)
        if number is None or not math.isfinite(number) or number != int(number):
            return self._wrong(path, "a whole number", value)
        return self._in_range(shape, int(number), path)

    def _number(self, shape: Shape, value: t.Any, path: str) -> t.Any:
        number = self._to_number(value)
        return self._wrong(path, "a number", value) if number is None else self._in_range(shape, number, path)

    def _in_range(self, shape: Shape, number: float, path: str) -> float:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if (least is not None and number < least) or (most is not None and number > most):
            range_ = (
                f"{least} or more" if most is None else f"{most} or less" if least is None else f"{least} to {most}"
            )
            self.problems.append(f"{path}: expected {range_}, got {number}.")
        return number

    @staticmethod
    def _to_number(value: t.Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            return int(value) if isinstance(value, int) else float(value)
        except ValueError:
            return None


def _is_pair(shape: Shape) -> bool:
    """Name and value, such as a variable or a tag: one without the other means nothing."""
    pair = set(shape.members) in ({"name", "value"}, {"key", "value"})
    return pair and shape.members["value"].type_name == "string"


def _holds_values(shape: Shape) -> bool:
    """Whether what stands in place of the shape may be the value of a variable or a secret."""
    return shape.type_name == "structure" and bool({"value", "valueFrom"} & set(shape.members))


def named(element: t.Any) -> str:
    """What a person calls an element of a list, as places show it: its name, where it has one."""
    name = element.get("name") if isinstance(element, t.Mapping) else None
    return f" ({name[:60]})" if isinstance(name, str) and name and name.isprintable() else ""


def _matches(pattern: str, text: str) -> bool:
    found = _compiled(pattern)
    return found is None or found.fullmatch(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """AWS writes patterns for Java; None for what Python does not know."""
    spaces = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    for java, python in (
        (r"\p{L}", r"\w"),
        (r"\p{N}", r"\w"),
        (r"\p{Z}", spaces),
        (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010ffff"),
    ):
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None


def did_you_mean(name: str, known: t.Sequence[str], list_known: bool = True) -> str:
    """The nearest known name, whatever the caller's upper case and underscores."""
    folded = {_folded(other): other for other in known}
    near = difflib.get_close_matches(_folded(name), folded, n=1)
    if near:
        return f" (did you mean '{folded[near[0]]}'?)"
    return f" (known: {', '.join(sorted(known))})" if list_known else ""


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
