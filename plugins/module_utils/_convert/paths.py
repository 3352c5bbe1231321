# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths in an inventory: relative to it, so that it can be moved together with the source. Pure."""

from __future__ import annotations

import os

from .jinja import quoted


def directory(source: str, inventory: str | None) -> str:
    """The template of the source's directory; its path where the inventory's is not known."""
    if not inventory:
        return source
    relative = os.path.relpath(source, os.path.abspath(inventory))
    return f"{{{{ (hostvars.localhost.inventory_dir ~ {quoted('/' + relative)}) | realpath }}}}"
