# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a rollout: whether it is in progress, succeeded or failed, and why. No calls."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._core.error_codes import (
    CODES,
)


@dataclass(frozen=True)
class Verdict:
    """`code` says how a rollout failed; `progress` is one line on how far it is."""

    state: t.Literal["in_progress", "succeeded", "failed"]
    summary: str
    code: str = ""
    progress: str = ""

    @property
    def over(self) -> bool:
        return self.state != "in_progress"


def failure(code: str, reason: str) -> Verdict:
    return Verdict("failed", f"{CODES[code].meaning} {reason}".strip(), code)


def sentence(text: t.Any) -> str:
    """A reason of AWS as one sentence, '' if there is none."""
    text = str(text or "").strip()
    return f"{text}." if text and text[-1] not in ".!?" else text
