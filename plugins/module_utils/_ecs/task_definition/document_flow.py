# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a task definition that is given as a dictionary or as a file."""

from __future__ import annotations

import json
import typing as t
from collections import Counter

from ansible.module_utils.common.yaml import HAS_YAML, yaml_load

from ..._core import tags as tagging
from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.secret_forms import refuse_secrets
from ..._core.shapes import check_options, input_shape, output_shape
from ..._core.types import Client, Json
from .model import from_document, tags_of


def read_document(ecs: Client, params: t.Mapping[str, t.Any], check_mode: bool) -> Json | None:
    """The definition given as a dict or a file, checked, under option names; None when there is none."""
    given = params["definition"]
    if params["definition_file"] is not None:
        given = load_document(params["definition_file"])
        refuse_secrets(given, "definition_file", params.get("plain_values"))
    if given is None:
        return None
    request = input_shape(ecs, "RegisterTaskDefinition")
    answer = output_shape(ecs, "DescribeTaskDefinition").members["taskDefinition"]
    options = from_document(given, request, answer)
    checked = check_options(request, options, skip=("tags",), allow_unknown=check_mode, strict=True)
    # AWS answers its own tags too, and takes them from nobody.
    own = {name: value for name, value in (tags_of(options) or {}).items() if not name.startswith(tagging.AWS)}
    return {**checked, **({"tags": tagging.checked(own)} if options.get("tags") is not None else {})}


def load_document(path: str) -> t.Any:
    """The dictionary in a file of JSON or YAML."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            loaded = _parse(file.read(), path)
        json.dumps(loaded, ensure_ascii=False, default=str).encode()  # half of an emoji is no text
    except RecursionError as error:
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path} is nested too deeply.") from error
    except (OSError, ValueError) as error:
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path}: {error}") from error
    if not isinstance(loaded, dict):
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path} does not contain a dictionary.")
    return loaded


def _parse(text: str, path: str) -> t.Any:
    """JSON first: YAML refuses some of it, such as tabs, an emoji in two escapes, or a key of over 1,024 characters."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        not_json = error
    if not HAS_YAML:
        raise SlipwayError(INVALID_OPTION, "definition_file: the Python package PyYAML is required to read it.")
    try:
        return yaml_load(text)
    except Exception as error:  # PyYAML's errors have no base that can be named without importing it
        wrong = not_json if text.lstrip().startswith("{") else error
        raise SlipwayError(INVALID_OPTION, f"definition_file: {path} is neither JSON nor YAML: {wrong}") from error


def _unique(pairs: list[tuple[str, t.Any]]) -> Json:
    twice = [name for name, count in Counter(name for name, _value in pairs).items() if count > 1]
    if twice:
        raise SlipwayError(INVALID_OPTION, f"definition_file: expected each member once, got {', '.join(twice)} twice.")
    return dict(pairs)
