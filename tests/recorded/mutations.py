# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers with one member less, or with one more that nobody knows yet: one at a time, at every level."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]
NEW = "memberOfTomorrow"
VALUES: tuple[t.Any, ...] = ("later", {"name": "later", "values": [1]})


class Mutated(t.NamedTuple):
    """`path` names the member; [] stands for all elements of a list."""

    kind: t.Literal["without", "null", "new"]
    path: str
    answer: Json


def mutated(shape: t.Any, answer: Json, is_json: bool) -> t.Iterator[Mutated]:
    """Each member is removed once, in the first element of its list that has it, and in JSON null, too."""
    seen: set[str] = set()
    for path, holder_shape, keys in _places(shape, answer, "", ()):
        holder = _at(answer, keys)
        for name in holder:
            place = f"{path}.{name}".lstrip(".")
            if place not in seen:
                seen.add(place)
                without = {member: value for member, value in holder.items() if member != name}
                yield Mutated("without", place, _replaced(answer, keys, without))
                if is_json:
                    yield Mutated("null", place, _replaced(answer, keys, {**holder, name: None}))
        place = f"{path}.{NEW}".lstrip(".")
        if place not in seen and NEW not in holder_shape.members:
            seen.add(place)
            for value in VALUES:
                yield Mutated("new", place, _replaced(answer, keys, {**holder, NEW: value}))


Keys = tuple[t.Any, ...]


def _places(shape: t.Any, value: t.Any, path: str, keys: Keys) -> t.Iterator[tuple[str, t.Any, Keys]]:
    """Every structure in an answer."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        yield path, shape, keys
        for name, member in value.items():
            yield from _places(shape.members.get(name), member, f"{path}.{name}".lstrip("."), (*keys, name))
    elif shape.type_name == "list":
        for number, element in enumerate(value):
            yield from _places(shape.member, element, f"{path}[]", (*keys, number))
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from _places(shape.value, member, f"{path}[]", (*keys, key))


def _at(value: t.Any, keys: Keys) -> t.Any:
    for key in keys:
        value = value[key]
    return value


def _replaced(value: t.Any, keys: Keys, new: t.Any) -> t.Any:
    """A copy with something else at one place; what is beside it is shared."""
    if not keys:
        return new
    if isinstance(value, list):
        return [_replaced(one, keys[1:], new) if number == keys[0] else one for number, one in enumerate(value)]
    return {**value, keys[0]: _replaced(value[keys[0]], keys[1:], new)}
