# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates among the values that the module inventory_files writes. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

# The only key of a dictionary that stands for a template.
TEMPLATE = "__template__"
_LIKE_TEMPLATE = re.compile(rf"_*{TEMPLATE}")


def escaped(value: t.Any) -> t.Any:
    """A copy of what others wrote, in which no dictionary is a template: its text would be run."""
    if isinstance(value, Mapping):
        return {_escaped_name(key): escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def _escaped_name(name: t.Any) -> t.Any:
    return f"_{name}" if isinstance(name, str) and _LIKE_TEMPLATE.fullmatch(name) else name


def unescaped(value: t.Any) -> t.Any:
    """The value with the names as they were."""
    if isinstance(value, Mapping):
        return {unescaped_name(str(key)): unescaped(item) for key, item in value.items()}
    return [unescaped(item) for item in value] if isinstance(value, list) else value


def unescaped_name(name: str) -> str:
    return name[1:] if name != TEMPLATE and _LIKE_TEMPLATE.fullmatch(name) else name
