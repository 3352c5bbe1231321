# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of one-off tasks, validated as AWS's model of RunTask describes them."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ..._core.shapes import check_options, input_shape, text_of, to_members
from ..._core.types import Json
from ..arguments import TASK
from ..limits import problems_of, range_problems, refuse

_MOST_TASKS = 10
_TOKEN = re.compile(r"[!-~]{1,64}")


def given_members(ecs: t.Any, params: Mapping[str, t.Any], check_mode: bool) -> Json:
    """The options that are members of RunTask, in AWS's spelling. Tags stay a dict."""
    shape = input_shape(ecs, "RunTask")
    given = {name: params[name] for name in TASK if params.get(name) is not None}
    checked, problems = problems_of(lambda: check_options(shape, given, members=TASK, allow_unknown=check_mode))
    problems += range_problems(given if checked is None else checked, "")
    if not 1 <= given.get("count", 1) <= _MOST_TASKS:
        problems.append(f"count: expected 1 to {_MOST_TASKS}, got {given['count']}.")
    if given.get("launch_type") and given.get("capacity_provider_strategy"):
        problems.append(
            "launch_type: expected none together with capacity_provider_strategy, got both. Omit one of them."
        )
    problems += token_problems(params["client_token"])
    refuse(problems + environment_problems(params["environment"]))
    members = to_members(shape, checked or {})
    return {**members, **({} if params["tags"] is None else {"tags": params["tags"]})}


def token_problems(token: str | None) -> list[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html"""
    if token is None or _TOKEN.fullmatch(token):
        return []
    return [f"client_token: expected 1 to 64 ASCII characters without spaces, got {token!r}."]


def environment_problems(environment: Mapping[str, t.Any] | None, place: str = "environment") -> list[str]:
    """Values that are not a text, a number or a boolean, one sentence each."""
    return [
        f"{place}.{name}: expected a string, an integer or a boolean, got {type(value).__name__}."
        for name, value in (environment or {}).items()
        if text_of(value) is None
    ]


def as_text(environment: Mapping[str, t.Any] | None) -> dict[str, str]:
    """Variables as AWS takes them."""
    return {name: text_of(value) or "" for name, value in (environment or {}).items()}
