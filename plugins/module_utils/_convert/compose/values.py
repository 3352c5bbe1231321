# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of environment variables, with the text that the Compose file has for them. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Json

_VARIABLE = re.compile(r"\$(?:\w+|\{\w+\})")


class Value(t.NamedTuple):
    """A value: `text` after interpolation, None if it has none; `raw` before."""

    text: str | None
    raw: str

    @property
    def is_empty(self) -> bool:
        return not self.text

    @property
    def is_unset(self) -> bool:
        """Whether it is a variable that has no value, and no default in the file."""
        return self.text is not None and bool(_VARIABLE.fullmatch(self.raw))

    @property
    def identity(self) -> str:
        """Equal for equal values; unset variables are equal if they are the same ones."""
        return self.text or self.raw


def environment_of(service: Json, raw: Json) -> dict[str, Value]:
    """The environment of a service by name. Variables of env files have no raw text of their own."""
    written = _mapping(raw.get("environment") or {})
    found: dict[str, Value] = {}
    for name, value in (service.get("environment") or {}).items():
        text = None if value is None else str(value)
        raw_text = written.get(name)
        found[name] = Value(text, f"${{{name}}}" if raw_text is None and text is None else str(raw_text or text or ""))
    return found


def _mapping(environment: t.Any) -> Mapping[str, t.Any]:
    if isinstance(environment, Mapping):
        return environment
    pairs: Sequence[str] = [str(one) for one in environment]
    return {name: (text if sign else None) for name, sign, text in (pair.partition("=") for pair in pairs)}
