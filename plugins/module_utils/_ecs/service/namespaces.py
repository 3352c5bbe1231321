# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces of Service Connect, which AWS takes by name or by ARN. The ARN does not hold the name."""

from __future__ import annotations

import typing as t

from ..._core.names import is_arn, last
from ..._core.types import Client
from .. import api as ecs_api


def spelled_as(discovery: t.Callable[[], Client], current: str, desired: str) -> str:
    """`desired`, or `current` where both name one namespace. AWS is asked only where one is a name and one an ARN."""
    if not current or not desired or is_arn(current) == is_arn(desired):
        return desired
    arn, name = (current, desired) if is_arn(current) else (desired, current)
    found = ecs_api.get_namespace(discovery(), last(arn))
    return current if found and found["Name"] == name else desired
