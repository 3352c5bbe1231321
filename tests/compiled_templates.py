# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the code of templates, which Ansible compiles again in the fork of each task. Only their text matters."""

from __future__ import annotations

import hashlib
import marshal
import os
from pathlib import Path
from typing import Any

from ansible._internal._templating import _jinja_bits as jinja_bits

# What the syntax of a template depends on.
SYNTAX = (
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
)


def keep(folder: Path) -> None:
    """Compile each template once for all processes that inherit this."""
    environment: Any = jinja_bits.AnsibleEnvironment
    compiled = environment.compile

    def compile_once(own: Any, source: Any, *names: Any, **options: Any) -> Any:
        context = jinja_bits._TemplateCompileContext.current(optional=True)
        syntax = [getattr(own, name) for name in SYNTAX]
        key = repr((source, names, options, syntax, context and context.escape_backslashes))
        path = folder / hashlib.sha256(key.encode()).hexdigest()
        try:
            return marshal.loads(path.read_bytes())
        except FileNotFoundError:
            code = compiled(own, source, *names, **options)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(marshal.dumps(code))
        new.rename(path)
        return code

    environment.compile = compile_once
