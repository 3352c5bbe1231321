# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces of Service Connect, which AWS accepts by name or by ARN. The ARN does not contain the name."""

from __future__ import annotations

import typing as t

from ..._core.names import is_arn, last
from ..._core.types import Client
from .. import api as ecs_api


def spelled_as(discovery: t.Callable[[], Client], preferred: str, name_or_arn: str) -> str:
    """`name_or_arn`, or `preferred` if both refer to one namespace. Reads it only if one is a name and one an ARN."""
    if not preferred or not name_or_arn or is_arn(preferred) == is_arn(name_or_arn):
        return name_or_arn
    arn, name = (preferred, name_or_arn) if is_arn(preferred) else (name_or_arn, preferred)
    found = ecs_api.get_namespace(discovery(), last(arn))
    return preferred if found and found["Name"] == name else name_or_arn
