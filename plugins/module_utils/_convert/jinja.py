# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text as a part of a template. In variables, Ansible keeps each backslash, so none can escape a quote. Pure."""

from __future__ import annotations

import re

from .._core.templates import TEMPLATE
from .._core.types import Json

# What Jinja takes for its own, also together with a template that follows; and the line end that it would replace.
_NOT_PLAIN = re.compile(r"\{(?:[{%#]|(?=\r|\Z))|\r")
_NOT_QUOTED = re.compile(r"('|\\(?=\\*(?:['\"\r]|\Z))|\r)")


def template(expression: str) -> Json:
    """A value that Ansible templates, in the form that the module inventory_files takes."""
    return {TEMPLATE: expression}


def jinja_text(text: str) -> str:
    """A part of a template that stands for itself."""
    return _NOT_PLAIN.sub(lambda found: f"{{{{ {quoted(found[0])} }}}}", text)


def quoted(text: str) -> str:
    """A string of Jinja, or several that are joined."""
    parts = [_part(part) for part in _NOT_QUOTED.split(text) if part]
    return parts[0] if len(parts) == 1 else f"({' ~ '.join(parts)})" if parts else "''"


def _part(text: str) -> str:
    if text == "'":
        return '"\'"'
    return f"'%c' % {ord(text)}" if _NOT_QUOTED.fullmatch(text) else f"'{text}'"
