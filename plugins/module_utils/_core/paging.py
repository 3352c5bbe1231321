# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS gives or takes only in portions."""

from __future__ import annotations

import typing as t

T = t.TypeVar("T")


def batches(items: t.Sequence[T], size: int) -> t.Iterator[list[T]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def pages(client: t.Any, operation: str, member: str, **request: t.Any) -> list[t.Any]:
    """All elements of a list call, whatever the number of its pages. AWS sends the list also where it is empty."""
    answers = client.get_paginator(operation).paginate(**request)
    return [element for answer in answers for element in answer[member]]
