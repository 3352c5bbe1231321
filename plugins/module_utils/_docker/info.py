# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module docker_build_context_info does: read the source of an image, and pack it where asked."""

from __future__ import annotations

import typing as t

from .._core.masking import secrets_in
from .build_context import locate, other_inputs, summarise, write_archive


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    archive = params["archive"]
    source, inputs = locate(params["path"], params["dockerfile"]), other_inputs(params)
    writes = archive and not check_mode
    summary = write_archive(source, inputs, archive) if writes else summarise(source, inputs)
    found = {"changed": False, **summary._asdict(), **({"archive": archive} if archive else {})}
    return {**found, "warnings": list(_warnings(params["build_args"]))}


def _warnings(arguments: dict[str, t.Any]) -> t.Iterator[str]:
    for _where, name in secrets_in({"build_args": arguments}):
        yield (
            f"build_args: {name} looks like a secret. Everybody who has the image can read it, so fetch what needs the"
            " secret before the build."
        )
