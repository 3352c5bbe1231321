# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecr_authorization_info does: read a token."""

from __future__ import annotations

import base64
import urllib.parse

from ..._core.types import Connection, Result
from . import api


def run(connection: Connection) -> Result:
    """A user name and a password for the registry, out of AWS's token."""
    answer = api.get_authorization(connection.client("ecr"))
    username, _colon, password = base64.b64decode(answer["authorizationToken"]).decode().partition(":")
    return {
        "changed": False,
        "username": username,
        "password": password,
        "registry": urllib.parse.urlsplit(answer["proxyEndpoint"]).netloc,
        "expires_at": answer["expiresAt"].isoformat(),
    }
