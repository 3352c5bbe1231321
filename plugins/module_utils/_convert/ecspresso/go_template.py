# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Go's text/template that definitions of ecspresso use: calls, pipelines, variables, if and with. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterator, Mapping

Function = Callable[..., t.Any]

_ACTION = re.compile(
    r"\{\{(?P<left>-\s)?\s*(?P<body>/\*.*?\*/|(?:`[^`]*`|\"(?:\\.|[^\"\\])*\"|.)*?)\s*(?P<right>\s-)?\}\}", re.DOTALL
)
_WORD = re.compile(
    r"\s*(?:(?P<raw>`[^`]*`)|(?P<text>\"(?:\\.|[^\"\\])*\")|(?P<number>-?\d+(?![\w.]))|(?P<mark>:=|[()|=])|(?P<name>[$.\w][\w.$]*))"
)


class TemplateError(Exception):
    """What cannot be rendered, as one sentence."""


class _Node(t.NamedTuple):
    """Text, an action, or an `if` with its two branches."""

    text: str = ""
    action: list[str] | None = None
    branches: tuple[list[_Node], list[_Node]] | None = None


class Emit(t.Protocol):
    """What a value becomes in the text that was rendered so far."""

    def __call__(self, value: t.Any, before: str, /) -> str: ...


def render(text: str, functions: Mapping[str, Function], emit: Emit = lambda value, _before: text_of(value)) -> str:
    """The text with its actions evaluated; `emit` writes each value."""
    nodes = iter(_tokens(text))
    tree, end = _tree(nodes)
    if end:
        raise TemplateError(f"expected no {{{{ {end} }}}} without an if, got one")
    rendered: list[str] = []
    _write(tree, {**_BUILT_IN, **functions}, {}, emit, rendered)
    return "".join(rendered)


def text_of(value: t.Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _tokens(text: str) -> Iterator[_Node]:
    position, trim = 0, False
    for found in _ACTION.finditer(text):
        before = text[position : found.start()]
        before = before.lstrip() if trim else before
        yield _Node(text=before.rstrip() if found["left"] else before)
        if not found["body"].startswith("/*"):
            yield _Node(action=_words(found["body"]))
        position, trim = found.end(), bool(found["right"])
    yield _Node(text=text[position:].lstrip() if trim else text[position:])


def _words(body: str) -> list[str]:
    words: list[str] = []
    position = 0
    while body[position:].strip():
        found = _WORD.match(body, position)
        if not found:
            raise TemplateError(f"expected a call, a string or a number, got {body[position:].strip()!r}")
        words.append(found[0].strip())
        position = found.end()
    return words


def _tree(nodes: Iterator[_Node]) -> tuple[list[_Node], str]:
    """The nodes up to the next `else` or `end`, and which of them it was."""
    tree: list[_Node] = []
    for node in nodes:
        first = node.action[0] if node.action else ""
        if first in ("end", "else"):
            return tree, " ".join(node.action or ())
        if first in ("if", "with"):
            tree.append(_branching(nodes, (node.action or [])[1:]))
        elif first in ("range", "define", "template", "block"):
            raise TemplateError(f"expected calls, if and with, got {{{{ {first} }}}}")
        else:
            tree.append(node)
    return tree, ""


def _branching(nodes: Iterator[_Node], condition: list[str]) -> _Node:
    then, end = _tree(nodes)
    otherwise: list[_Node] = []
    if end.startswith("else if"):
        otherwise = [_branching(nodes, _words(end.removeprefix("else if")))]
    elif end == "else":
        otherwise, end = _tree(nodes)
    if not end:
        raise TemplateError("expected {{ end }} after if, got none")
    return _Node(action=condition, branches=(then, otherwise))


def _write(
    tree: list[_Node], functions: Mapping[str, Function], variables: dict[str, t.Any], emit: Emit, rendered: list[str]
) -> None:
    for node in tree:
        if node.branches:
            value = _pipeline(node.action or [], functions, variables)
            _write(node.branches[0 if value else 1], functions, variables, emit, rendered)
        elif node.action:
            words = node.action
            if len(words) > 1 and words[0].startswith("$") and words[1] in (":=", "="):
                variables[words[0]] = _pipeline(words[2:], functions, variables)
            else:
                rendered.append(emit(_pipeline(words, functions, variables), "".join(rendered)))
        else:
            rendered.append(node.text)


def _pipeline(words: list[str], functions: Mapping[str, Function], variables: Mapping[str, t.Any]) -> t.Any:
    """The value of calls joined by |: each gets the value of the one before as its last argument."""
    value: list[t.Any] = []
    for call in _split(words):
        terms = _terms(call, functions, variables)
        if not terms:
            raise TemplateError("expected a call, got nothing")
        head = terms[0]
        value = [head(*(_value(term) for term in terms[1:]), *value) if callable(head) else head]
    return value[0] if value else ""


def _split(words: list[str]) -> list[list[str]]:
    calls: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "|" and not depth:
            calls.append([])
        else:
            calls[-1].append(word)
    return calls


def _terms(words: list[str], functions: Mapping[str, Function], variables: Mapping[str, t.Any]) -> list[t.Any]:
    terms: list[t.Any] = []
    position = 0
    while position < len(words):
        word = words[position]
        if word == "(":
            end = _closing(words, position)
            terms.append(_pipeline(words[position + 1 : end], functions, variables))
            position = end
        else:
            terms.append(_term(word, functions, variables))
        position += 1
    return terms


def _closing(words: list[str], start: int) -> int:
    depth = 0
    for position in range(start, len(words)):
        depth += (words[position] == "(") - (words[position] == ")")
        if not depth:
            return position
    raise TemplateError("expected ) for each (, got one less")


def _term(word: str, functions: Mapping[str, Function], variables: Mapping[str, t.Any]) -> t.Any:
    if word[0] == "`":
        return word[1:-1]
    if word[0] == '"':
        return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), word[1:-1])
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    if word in ("true", "false"):
        return word == "true"
    if word.startswith("$"):
        if word not in variables:
            raise TemplateError(f"expected a variable that is set, got {word}")
        return variables[word]
    if word not in functions:
        raise TemplateError(f"expected one of the functions {', '.join(sorted(functions))}, got {word}")
    return functions[word]


def _value(term: t.Any) -> t.Any:
    """An argument; a function without arguments is called."""
    return term() if callable(term) else term


def _printf(form: str, *values: t.Any) -> str:
    rest = iter(values)
    return re.sub(r"%(%|[-+.\d]*[sdvq])", lambda found: "%" if found[1] == "%" else text_of(next(rest, "")), form)


_BUILT_IN: dict[str, Function] = {
    "eq": lambda first, *others: first in others,
    "ne": lambda first, second: first != second,
    "and": lambda *values: next((value for value in values if not value), values[-1]),
    "or": lambda *values: next((value for value in values if value), values[-1]),
    "not": lambda value: not value,
    "printf": _printf,
    "print": lambda *values: "".join(text_of(value) for value in values),
    "len": len,
}
