# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what a request has that the model of its API does not allow, and words it as AWS does."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Shape = Any

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}
# Character classes of Java's regular expressions. The approximations of Python's allow more, never less.
CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{M}": r"\w\u0300-\u036f",
    r"\p{Z}": r"\s",
    r"\p{P}": r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2027\u3001-\u3003",
    r"\p{Print}": r"[ -~]",
    r"\p{ASCII}": r"[\x00-\x7f]",
    # Surrogates of UTF-16: all characters above U+FFFF.
    r"\uD800\uDC00-\uDBFF\uDFFF": "\U00010000-\U0010ffff",
    r"[\w-_]": r"[\w\-_]",
}


@dataclass(frozen=True)
class Violation:
    """A member that breaks a constraint of the model."""

    path: str
    constraint: str
    value: str
    kind: str = "value"
    pattern: str = ""

    @property
    def sentence(self) -> str:
        """As AWS's servers word it."""
        shown = "null" if self.kind == "missing" else f"'{self.value}'"
        return f"Value {shown} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[Violation]:
    """All constraints that a value breaks, in the order of the model."""
    expected = PYTHON_TYPES.get(shape.type_name)
    if expected and not has_type(value, expected):
        yield Violation(path, shape.type_name, str(value), "type")
        return
    yield from own(shape, value, path)
    if shape.type_name == "structure" and not shape.is_document_type:
        for name in shape.required_members:
            if value.get(name) is None:
                yield Violation(join(path, name), "Member must not be null", "", "missing")
        for name, member in value.items():
            yield from violations(shape.members[name], member, join(path, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from violations(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from violations(shape.key, key, path)
            yield from violations(shape.value, item, f"{path}.{key}.member")


def has_type(value: Any, expected: tuple[type, ...]) -> bool:
    return isinstance(value, expected) and (bool in expected or not isinstance(value, bool))


def join(path: str, name: str) -> str:
    """AWS's servers know members by names that begin with a small letter."""
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name


def own(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    """The constraints of one value, without those of its members."""
    limits = shape.metadata
    enum, pattern = limits.get("enum"), limits.get("pattern")
    if enum and value not in enum:
        yield Violation(path, f"Member must satisfy enum value set: [{', '.join(enum)}]", str(value))
    if pattern and isinstance(value, str) and not matches(pattern, value):
        yield Violation(path, f"Member must satisfy regular expression pattern: {pattern}", value, pattern=pattern)
    number = shape.type_name in {"integer", "long", "float", "double"}
    if not number and not hasattr(value, "__len__"):
        return
    size, what = (value, "value") if number else (len(value), "length")
    if size < limits.get("min", size):
        yield Violation(path, f"Member must have {what} greater than or equal to {limits['min']}", str(value))
    if size > limits.get("max", size):
        yield Violation(path, f"Member must have {what} less than or equal to {limits['max']}", str(value))


def matches(pattern: str, value: str) -> bool:
    """Whether all of a value matches; patterns that Python does not know match everything."""
    compiled = compile_pattern(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@functools.cache
def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    for java, python in CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None
