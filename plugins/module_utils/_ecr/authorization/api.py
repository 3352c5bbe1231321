# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a registry takes instead of a password: one typed function for each call."""

from __future__ import annotations

from ..._core.errors import aws_call
from ..._core.types import Client, Json


@aws_call
def get_authorization(ecr: Client) -> Json:
    return dict(ecr.get_authorization_token()["authorizationData"][0])
