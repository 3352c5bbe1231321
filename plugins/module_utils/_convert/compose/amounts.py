# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations, sizes and shares of processors, as `docker compose config` writes them. Pure."""

from __future__ import annotations

import math
import re
import typing as t
from collections.abc import Iterable

from ..._core.fargate import FARGATE_SIZES

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SIZES = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


def seconds(text: t.Any) -> int | None:
    """`1m30s` in whole seconds, at least one; None for none."""
    parts = _PART.findall(str(text or ""))
    if not parts:
        return None
    return max(1, round(sum(float(number) * _UNITS[unit] for number, unit in parts)))


def mebibytes(text: t.Any) -> int | None:
    """`1073741824`, `512m` or `1gb` in MiB, rounded up; None for none or no limit."""
    found = _SIZE.fullmatch(str(text if text is not None else "").strip())
    amount = float(found[1]) * _SIZES[found[2].lower()] if found else 0
    return math.ceil(amount / 1024**2) or None


def cpu_units(share: t.Any) -> int | None:
    """`0.5` processors in CPU units."""
    try:
        return round(float(share) * 1024) or None
    except (TypeError, ValueError):
        return None


def clamped(value: int, lowest: int, highest: int) -> int:
    return min(max(value, lowest), highest)


def fargate_size(cpu: int, memory: int) -> tuple[int, int] | None:
    """The smallest task of Fargate that has both."""
    fitting: Iterable[tuple[int, int]] = (
        (units, size) for units, sizes in FARGATE_SIZES.items() if units >= cpu for size in sizes if size >= memory
    )
    return next(iter(fitting), None)
