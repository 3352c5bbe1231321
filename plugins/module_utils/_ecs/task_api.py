# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that tasks outside of services need, one typed function each; the others are in `api`."""

from __future__ import annotations

from .._core.errors import aws_call
from .api import Client, Json, raise_failures


@aws_call
def run_task(ecs: Client, request: Json) -> Json:
    answer = ecs.run_task(**request)
    raise_failures("RunTask", answer)
    return dict(answer["tasks"][0])


@aws_call
def stop_task(ecs: Client, cluster: str, arn: str, reason: str) -> None:
    ecs.stop_task(cluster=cluster, task=arn, reason=reason)
