# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory does not have of what was imported or converted: where, why, and what to do about it. Pure."""

from __future__ import annotations

import typing as t

from .types import Json


class Note(t.NamedTuple):
    """`reason` and `advice` are sentences."""

    place: str
    reason: str
    advice: str = ""

    def to_result(self) -> Json:
        return self._asdict()
