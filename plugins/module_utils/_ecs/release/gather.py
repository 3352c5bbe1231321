# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run functions side by side, and report their errors together."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor

from ..._core.error_codes import INVALID_OPTION, MULTIPLE_ERRORS
from ..._core.errors import SlipwayError

A = t.TypeVar("A")
B = t.TypeVar("B")


def gather(pool: Executor, call: Callable[[A], B], items: Iterable[A], label: Callable[[A], str]) -> list[B]:
    """Call for all items side by side. Fails with the errors of all of them, each after the label of its item."""
    futures = [(item, pool.submit(call, item)) for item in items]
    answers, errors = [], []
    for item, future in futures:
        try:
            answers.append(future.result())
        except SlipwayError as error:
            errors.append((label(item), error))
    raise_all(errors)
    return answers


def raise_all(errors: Sequence[tuple[str, SlipwayError]]) -> None:
    """Fail with all errors at once, each after what it concerns."""
    if not errors:
        return
    codes = {error.code for _what, error in errors}
    code = codes.pop() if len(codes) == 1 else MULTIPLE_ERRORS
    problems = [f"{what}: {error.msg}" for what, error in errors]
    details = errors[0][1].details if len(errors) == 1 else {}
    if code in (INVALID_OPTION, MULTIPLE_ERRORS):
        details = {**details, "problems": problems}
    raise SlipwayError(code, "\n".join(problems), details)
