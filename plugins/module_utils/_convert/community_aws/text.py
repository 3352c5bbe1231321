# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of a YAML text that leave everything else in it as it is: comments, order, quotes and blank lines. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator, Sequence

# A node of PyYAML, which has no types.
Node = t.Any
Pair = tuple[Node, Node]


class Edit(t.NamedTuple):
    """What replaces the text from `start` to `end`."""

    start: int
    end: int
    text: str


def applied(text: str, edits: Sequence[Edit], start: int = 0, end: int | None = None) -> str:
    """The text, or a part of it, with the edits that are in it."""
    parts: list[str] = []
    position, last = start, len(text) if end is None else end
    # What an alias refers to is changed where its anchor is, once.
    for edit in sorted(set(edits)):
        if start <= edit.start and edit.end <= last:
            parts += [text[position : edit.start], edit.text]
            position = edit.end
    return "".join([*parts, text[position:last]])


def pairs(node: Node) -> list[Pair]:
    return list(node.value) if kind(node) == "mapping" else []


def items(node: Node) -> list[Node]:
    return list(node.value) if kind(node) == "sequence" else []


def kind(node: Node) -> str:
    return str(getattr(node, "id", ""))


def scalar(node: Node) -> str:
    """The text of a scalar; empty for anything else."""
    return str(node.value) if kind(node) == "scalar" else ""


def is_template(node: Node) -> bool:
    return "{{" in scalar(node) or "{%" in scalar(node)


def member(node: Node, name: str) -> Pair | None:
    return next((pair for pair in pairs(node) if scalar(pair[0]) == name), None)


def end_of(text: str, node: Node) -> int:
    """Where a node ends, without the comments and blank lines after it, which PyYAML counts as part of it."""
    start, end = node.start_mark.index, node.end_mark.index
    if kind(node) == "scalar" and node.style not in ("|", ">"):
        return int(end)
    if getattr(node, "flow_style", False):
        return int(end)
    lines = text[start:end].split("\n")
    while len(lines) > 1 and re.fullmatch(r"\s*(#.*)?", lines[-1]):
        lines.pop()
    return int(start + len("\n".join(lines)))


def written(text: str, pair: Pair) -> str:
    """What follows the name of a member, without an anchor, which a copy must not have again."""
    end = pair[0].end_mark.index
    alias = re.compile(r":[ \t]*\*[\w-]+").match(text, end)
    return alias[0] if alias else re.sub(r"^:(\s*)&[\w-]+[ \t]?", r":\1", text[end : end_of(text, pair[1])])


def end_of_pair(text: str, pair: Pair) -> int:
    """Where a member ends; that of an alias is not where its anchor ends."""
    alias = re.compile(r":[ \t]*\*[\w-]+").match(text, pair[0].end_mark.index)
    return alias.end() if alias else end_of(text, pair[1])


def renamed(key: Node, name: str) -> Edit:
    return Edit(key.start_mark.index, key.end_mark.index, name)


def replaced(text: str, node: Node, value: str) -> Edit:
    return Edit(node.start_mark.index, end_of(text, node), value)


def removed(text: str, pair: Pair) -> Edit:
    """A member of a block with its line, and the comment at the end of it."""
    start = text.rfind("\n", 0, pair[0].start_mark.index) + 1
    if text[start : pair[0].start_mark.index].strip():
        start = pair[0].start_mark.index
    end = text.find("\n", end_of_pair(text, pair))
    return Edit(start, len(text) if end < 0 else end + 1, "")


def indented(text: str, by: int) -> str:
    """All lines but the first, moved to the right."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"{' ' * by}{line}" if line.strip() else line for line in rest)])


def dumped(value: t.Any, column: int) -> str:
    """A value as a block below a key at this column; a short one in one line."""
    import yaml

    if not isinstance(value, dict | list) or not value:
        return json.dumps(value)
    text = yaml.safe_dump(value, sort_keys=False, width=110).rstrip()
    block = "\n".join(f"{' ' * column}{line}" for line in text.split("\n"))
    return f"\n{block}"


def plain(node: Node) -> t.Any:
    """A node as a value; what has a tag of its own, such as !vault, as text."""
    if kind(node) == "mapping":
        return {str(plain(key)): plain(value) for key, value in node.value}
    if kind(node) == "sequence":
        return [plain(item) for item in node.value]
    import yaml

    if str(node.tag).startswith("tag:yaml.org,2002:"):
        return yaml.SafeLoader("").construct_object(node, deep=True)
    return node.value


def written_scalar(node: Node, text: str, is_flow: bool) -> str:
    """New text of a scalar, in quotes where it would end in a list or dictionary in one line."""
    if node.style is not None or not is_flow or not re.search(r"[\[\]{},]", text):
        return text
    return "'" + text.replace("'", "''") + "'"


def in_flow(node: Node, is_inside: bool = False) -> Iterator[int]:
    """The starts of all scalars in lists and dictionaries that are written in one line."""
    inside = is_inside or bool(getattr(node, "flow_style", False))
    if kind(node) == "scalar" and inside:
        yield int(node.start_mark.index)
    for key, value in pairs(node):
        yield from in_flow(key, inside)
        yield from in_flow(value, inside)
    for item in items(node):
        yield from in_flow(item, inside)


def scalars(node: Node) -> Iterator[Node]:
    """All scalars of a document, keys included."""
    if kind(node) == "mapping":
        for key, value in node.value:
            yield from scalars(key)
            yield from scalars(value)
    elif kind(node) == "sequence":
        for item in node.value:
            yield from scalars(item)
    else:
        yield node
