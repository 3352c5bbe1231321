# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which paths a .dockerignore file keeps out of a build, by the rules of Docker Engine's builder (BuildKit).

Rules: https://docs.docker.com/build/concepts/context/#dockerignore-files. The Python Docker library has a matcher
too, but it ignores case, knows neither C(\\) nor C([^a]), and loses exceptions such as C(!**/*.md).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .linear import LinearPattern, is_risky

# What a parent directory matched, one entry a rule.
Matches = Sequence[bool]

_WILDCARDS = re.compile(r"[*?\[\]\\^]")
_ESCAPED = frozenset(".+()|{}$")
# Patterns made of text and at most one ** at an end are plain text comparisons for Docker, not expressions.
_TEXT, _PREFIX, _SUFFIX, _EXPRESSION = range(4)


class InvalidPattern(ValueError):
    """A line of the file that Docker would refuse."""


@dataclass(frozen=True)
class Rule:
    pattern: str
    exception: bool
    kind: int
    expression: re.Pattern[str] | LinearPattern

    def matches(self, path: str) -> bool:
        if self.kind == _TEXT:
            return path == self.pattern
        if self.kind == _PREFIX:
            return path.startswith(self.pattern[:-2])
        if self.kind == _SUFFIX:
            suffix = self.pattern[2:]
            return path.endswith(suffix) or (suffix.startswith("/") and path == suffix[1:])
        return bool(self.expression.search(path))

    def may_match_below(self, directory: str) -> bool:
        """Whether something inside of this directory could match."""
        stem = re.sub(r"/\*\*?$", "", self.pattern)
        return _WILDCARDS.search(stem) is not None or f"{stem}/".startswith(f"{directory}/")


@dataclass(frozen=True)
class Ignore:
    """The rules of one file, in order: the last one that matches decides."""

    rules: tuple[Rule, ...] = ()

    def judge(self, path: str, parent: Matches = ()) -> tuple[bool, Matches]:
        """Whether the path is ignored, and what its children need to know."""
        ignored = False
        matches = [False] * len(self.rules)
        for index, rule in enumerate(self.rules):
            if parent and parent[index]:
                matches[index] = True
            elif rule.exception == ignored:
                matches[index] = rule.matches(path)
            if matches[index]:
                ignored = not rule.exception
        return ignored, matches

    def keeps_below(self, directory: str) -> bool:
        """Whether an exception can bring back something from an ignored directory."""
        return any(rule.exception and rule.may_match_below(directory) for rule in self.rules)


def parse(text: str) -> Ignore:
    """Read the text of a .dockerignore file."""
    lines = text.removeprefix("\ufeff").split("\n")
    patterns = (line.strip() for line in lines if not line.startswith("#"))
    return Ignore(tuple(_rule(pattern) for pattern in patterns if pattern))


def _rule(line: str) -> Rule:
    exception = line.startswith("!")
    pattern = line[1:].strip() if exception else line
    if not pattern:
        raise InvalidPattern(line)
    pattern = posixpath.normpath(pattern)
    if len(pattern) > 1:
        pattern = pattern.lstrip("/")
    kind, expression = _translate(pattern)
    try:
        compiled = re.compile(expression)
    except re.error as error:
        raise InvalidPattern(line) from error
    return Rule(pattern, exception, kind, LinearPattern(expression) if is_risky(expression) else compiled)


def _translate(pattern: str) -> tuple[int, str]:
    kind, expression, position = _TEXT, "^", 0
    while position < len(pattern):
        if pattern.startswith("**", position):
            at_start = position == 0
            position += 3 if pattern.startswith("/", position + 2) else 2
            at_end = position >= len(pattern)
            if at_end and kind == _TEXT:
                kind = _PREFIX
            else:
                kind = _EXPRESSION
                expression += ".*" if at_end else "(.*/)?"
            if at_start:
                kind = _SUFFIX
            continue
        special, part, width = _translate_character(pattern, position)
        kind = _EXPRESSION if special else kind
        expression += part
        position += width
    return kind, expression + r"\Z"


def _translate_character(pattern: str, position: int) -> tuple[bool, str, int]:
    """Whether the character is special, the expression for it, and how many characters it took."""
    character = pattern[position]
    if character == "*":
        return True, "[^/]*", 1
    if character == "?":
        return True, "[^/]", 1
    if character in "[]":
        return True, character, 1
    if character == "\\":
        following = pattern[position + 1 : position + 2]
        return bool(following), "\\" + (following or "\\"), 2
    return False, "\\" + character if character in _ESCAPED else character, 1
