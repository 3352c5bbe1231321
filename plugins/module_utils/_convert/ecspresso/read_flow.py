# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the files of ecspresso: YAML, JSON and Jsonnet, with Go's templates in them."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable, Mapping
from pathlib import Path

from ..._core.error_codes import PARSER_MISSING, SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.templates import escaped
from ..._core.types import Json
from ..placeholders import Placeholders
from ..yaml_text import loaded
from . import go_template
from .functions import Sources, functions

# How many arguments the functions have that Jsonnet calls through std.native; in templates they take any number.
_ARGUMENTS = {"env": 2, "ssm_list": 2, "cfn_output": 2}


class Jsonnet(t.NamedTuple):
    """Values of std.extVar: strings, and code."""

    strings: Mapping[str, str]
    code: Mapping[str, str]


class _Noted(dict[str, str]):
    """An environment that notes the names that are read."""

    def __init__(self, environment: Mapping[str, str], names: set[str]) -> None:
        super().__init__(environment)
        self._names = names

    def get(self, key: str, default: t.Any = None) -> t.Any:
        self._names.add(key)
        return super().get(key, default)


class Reader(t.NamedTuple):
    """Reads the documents of one project with the same placeholders."""

    sources: Sources
    jsonnet: Jsonnet
    placeholders: Placeholders

    def read(self, path: Path) -> tuple[Json, frozenset[str]]:
        """A document with placeholders, and the names in the environment whose present values it is computed from."""
        names: set[str] = set()
        noted = self.sources._replace(environment=_Noted(self.sources.environment, names), fixed=None)
        expected = self._evaluate(path, noted)
        every = frozenset(names)
        fixed = every - {name for name in every if self._is_free(path, every - {name}, name, expected)}
        found = self._without(path, fixed, expected)
        return (expected, every) if found is None else (found, fixed)

    def _is_free(self, path: Path, fixed: frozenset[str], name: str, expected: Json) -> bool:
        """Whether a name may have another value in each run: its value is in the document, and decides nothing."""
        found = self._without(path, fixed, expected)
        used = {part for one in self.placeholders.find(json.dumps(found)) for part in one.argument.split()}
        return found is not None and name in used

    def _without(self, path: Path, fixed: frozenset[str], expected: Json) -> Json | None:
        """The document with only the values of these names; None if it is another one."""
        try:
            found = self._evaluate(path, self.sources._replace(fixed=fixed))
        except SlipwayError:
            return None
        same = _texts(self.placeholders.actual(found)) == _texts(self.placeholders.actual(expected))
        return found if same else None

    def _evaluate(self, path: Path, sources: Sources) -> Json:
        known = functions(sources, self.placeholders)
        is_jsonnet = path.suffix in (".jsonnet", ".libsonnet")
        text = _evaluated(path, known, self.jsonnet) if is_jsonnet else text_of(path)
        is_json = path.suffix not in (".yml", ".yaml")
        try:
            rendered = go_template.render(text, known, _emit(self.placeholders, is_json))
        except (go_template.TemplateError, TypeError, IndexError) as error:
            raise SlipwayError(SOURCE_INVALID, f"{path}: the template cannot be rendered: {error}.") from error
        document = _parsed(path, rendered, is_json)
        if not isinstance(document, dict):
            raise SlipwayError(SOURCE_INVALID, f"{path}: expected a dictionary, got {type(document).__name__}.")
        return t.cast(Json, escaped(document))


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected a file that can be read, got: {error}.") from error


def _emit(placeholders: Placeholders, is_json: bool) -> go_template.Emit:
    def emit(value: t.Any, before: str) -> str:
        text = go_template.text_of(value)
        quotes = len(re.findall(r'(?<!\\)(?:\\\\)*"', before))
        # A number in JSON that is only known later stands in quotes meanwhile.
        return f'"{text}"' if is_json and not quotes % 2 and placeholders.find(text) else text

    return emit


# Members that AWS takes as text only.
_OF_TEXT = ("family", "image", "key", "name", "value", "valueFrom")


def _parsed(path: Path, text: str, is_json: bool) -> t.Any:
    import yaml

    try:
        return json.loads(text) if is_json else loaded(text, members=_OF_TEXT)
    except (ValueError, yaml.YAMLError) as error:
        kind = "JSON" if is_json else "YAML"
        raise SlipwayError(SOURCE_INVALID, f"{path}: expected {kind}, got: {error}.") from error


def _texts(value: t.Any) -> t.Any:
    """A document with all values as text: a number in quotes is the same."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return go_template.text_of(value)


def _evaluated(path: Path, known: Mapping[str, Callable[..., t.Any]], external: Jsonnet) -> str:
    try:
        import _jsonnet
    except ImportError as error:
        raise SlipwayError(
            PARSER_MISSING, f"{path}: expected the Python package jsonnet, got none. Install it: pip install jsonnet."
        ) from error
    # Version 0.22 takes several parameters for the same one where their names have more than one letter.
    native = {name: (tuple("ab"[: _ARGUMENTS.get(name, 1)]), function) for name, function in known.items()}
    native["ssm_list"] = (tuple("ab"), known["ssm"])
    try:
        return str(
            _jsonnet.evaluate_file(
                str(path),
                ext_vars=dict(external.strings),
                ext_codes=dict(external.code),
                native_callbacks=native,
            )
        )
    except RuntimeError as error:
        raise SlipwayError(SOURCE_INVALID, _jsonnet_problem(path, str(error))) from error


def _jsonnet_problem(path: Path, message: str) -> str:
    missing = re.search(r"[Uu]ndefined external variable: (\w+)", message)
    if missing:
        return (
            f"{path}: expected a value for std.extVar('{missing[1]}'), got none."
            f' Set it with -e \'{{"jsonnet_strings": {{"{missing[1]}": "…"}}}}\'.'
        )
    return f"{path}: the Jsonnet cannot be evaluated: {message.strip()}"
