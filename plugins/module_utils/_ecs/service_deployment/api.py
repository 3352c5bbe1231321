# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stop and continue service deployments: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import aws_call
from ..._core.types import Client


@aws_call
def stop_service_deployment(ecs: Client, arn: str, kind: str) -> None:
    ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType=kind)


@aws_call
def continue_service_deployment(ecs: Client, arn: str, hook_id: str, action: str) -> None:
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook_id, action=action)
