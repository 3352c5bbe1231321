# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Dockerfile says of the containers of its image. Pure.

Docker's own parser is written in Go. Those for Python know neither here-documents nor defaults of variables.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)\s*", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z0-9_.]+)\1")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-](?P<default>[^}]*))?\}|(\w+))")
_PAIR = re.compile(r"""(\w+)=("(?:\\.|[^"])*"|'[^']*'|(?:\\.|\S)*)""")
_OWN_URL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?(/[^\s'\"|;)\]]*)?")


class Instruction(t.NamedTuple):
    """An instruction, in capitals, and what follows it."""

    name: str
    value: str


class Dockerfile(t.NamedTuple):
    """What the last stage says, with the stages that it is built from."""

    base: str
    ports: list[int]
    health_path: str
    user: str
    arguments: list[str]


def parse(text: str) -> Dockerfile:
    """What a Dockerfile says; `base` is empty if it has no FROM."""
    first: dict[str, str] = {}
    stages: dict[str, list[Instruction]] = {}
    current: list[Instruction] = []
    base, names = "", []
    for one in instructions(text):
        if one.name == "ARG":
            names += [part.partition("=")[0] for part in one.value.split()]
        if one.name != "FROM":
            if not stages and one.name == "ARG":
                first |= _pairs(one.value, first)
            current.append(one)
            continue
        words = [word for word in _expanded(one.value, first).split() if not word.startswith("--")]
        base = words[0] if words else ""
        current = list(stages.get(base.lower(), []))
        stages[words[2].lower() if len(words) > 2 else str(len(stages))] = current
    return _read(base, current if stages else [], list(dict.fromkeys(names)))


def _read(base: str, listed: list[Instruction], names: list[str]) -> Dockerfile:
    variables: dict[str, str] = {}
    exposed: list[int] = []
    check = user = ""
    for one in listed:
        if one.name in ("ARG", "ENV"):
            variables |= _pairs(one.value, variables)
        elif one.name == "EXPOSE":
            exposed += _ports(_expanded(one.value, variables))
        elif one.name == "HEALTHCHECK":
            check = _expanded(one.value, variables)
        elif one.name == "USER":
            user = _expanded(one.value, variables)
    own = _OWN_URL.search(check)
    guessed = [variables.get("PORT", ""), (own[1] or "") if own else ""]
    ports = exposed or [int(port) for port in guessed if port.isdecimal() and 0 < int(port) <= 65535][:1]
    return Dockerfile(base, list(dict.fromkeys(ports)), (own[2] or "/") if own else "", user, names)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions, each in one line, without comments and here-documents."""
    lines = text.splitlines()
    directive = next((found for line in lines[:5] if (found := _DIRECTIVE.fullmatch(line.strip()))), None)
    escape = directive[1] if directive else "\\"
    rest = iter(lines)
    for line in rest:
        whole = line.strip()
        if not whole or whole.startswith("#"):
            continue
        while whole.endswith(escape):
            following = next((more.strip() for more in rest if more.strip() and not more.strip().startswith("#")), "")
            whole = f"{whole[:-1].rstrip()} {following}"
        name, _space, value = whole.partition(" ")
        yield Instruction(name.upper(), value.strip())
        if name.upper() in ("RUN", "COPY", "ADD"):
            _skip_documents(value, rest)


def _skip_documents(value: str, rest: Iterator[str]) -> None:
    for _quote, end in _HEREDOC.findall(value):
        next((line for line in rest if line.strip() == end), None)


def _pairs(value: str, known: Mapping[str, str]) -> dict[str, str]:
    """The variables that ARG or ENV set, in their new and old form."""
    found = {name: _expanded(text.strip("\"'"), known) for name, text in _PAIR.findall(value)}
    name, _space, rest = value.partition(" ")
    return found if found or not rest else {name: _expanded(rest.strip(), known)}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return known.get(match[1] or match[3], match["default"] or "")

    return _VARIABLE.sub(value, text)


def _ports(value: str) -> Iterator[int]:
    """Of TCP; the first of a range."""
    for word in value.split():
        number, _slash, protocol = word.partition("/")
        first = number.partition("-")[0]
        if protocol.lower() in ("", "tcp") and first.isdecimal():
            yield int(first)
